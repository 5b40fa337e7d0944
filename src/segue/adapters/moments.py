r"""Means and second moments of pairs, in doubles: all that the linear maps need to know of them.

.. math::
    C_{ss} = \frac{1}{n} \sum_i (x_i - m_s)^T (x_i - m_s), \quad
    C_{st} = \frac{1}{n} \sum_i (x_i - m_s)^T (y_i - m_t)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segue.retrieval.vectors import SLAB


@dataclass(frozen=True, eq=False)
class Moments:
    """First and second moments of paired rows.

    Attributes:
        pairs: How many rows.
        source_mean: ``(d_source,)``; zeros, where the moments are taken around the origin.
        target_mean: ``(d_target,)``.
        covariance: :math:`C_{ss}`, ``(d_source, d_source)``.
        cross: :math:`C_{st}`, ``(d_source, d_target)``.
    """

    pairs: int
    source_mean: NDArray[np.float64]
    target_mean: NDArray[np.float64]
    covariance: NDArray[np.float64]
    cross: NDArray[np.float64]


def moments(source: NDArray[Any], target: NDArray[Any], center: bool) -> Moments:
    """Return the moments of pairs.

    Args:
        source: ``(n, d_source)``.
        target: ``(n, d_target)``.
        center: Whether they are taken around the means, or around the origin.

    Returns:
        The moments.
    """
    pairs = len(source)
    if center:
        source_mean, target_mean = source.mean(axis=0, dtype=np.float64), target.mean(axis=0, dtype=np.float64)
    else:
        source_mean, target_mean = np.zeros(source.shape[1]), np.zeros(target.shape[1])
    covariance = np.zeros((source.shape[1], source.shape[1]))
    cross = np.zeros((source.shape[1], target.shape[1]))
    step = max(1, SLAB // max(source.shape[1], target.shape[1]))
    for start in range(0, pairs, step):
        left = source[start : start + step] - source_mean
        covariance += left.T @ left
        cross += left.T @ (target[start : start + step] - target_mean)
    return Moments(pairs, source_mean, target_mean, covariance / pairs, cross / pairs)
