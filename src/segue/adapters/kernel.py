r"""Kernel ridge regression on pairs: what is near in one space is near in the other (Saunders et al., ICML 1998).

.. math::
    f(x) = \sum_p k(x, c_p) \, a_p, \quad
    k(x, c) = \exp\left(-\frac{\|x - c\|^2}{2 w^2 s^2}\right)

where :math:`s^2` is the mean squared distance between two pairs' source vectors, so that a width means the same in
spaces of any spread.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve

# Added to a kernel between landmarks, whose diagonal is 1, so that equal landmarks can be told from none.
JITTER = 1e-8


def reach_of(source: NDArray[np.float32], width: float) -> float:
    r"""Return the squared distance at which a kernel falls by a factor of e: :math:`2 w^2 s^2`.

    Args:
        source: The pairs' source vectors, ``(n, d)``.
        width: The kernel's width, :math:`w`, relative to the root mean squared distance between two of them.

    Returns:
        The squared distance.

    Example:
        >>> reach_of(np.array([[0.0], [2.0]], dtype=np.float32), width=1.0)  # s^2 is (0 + 4 + 4 + 0) / 4 = 2
        4.0
    """
    spread = 2 * float(np.square(source - source.mean(axis=0, dtype=np.float64)).sum(axis=1).mean())
    return max(2 * width**2 * spread, float(np.finfo(np.float32).tiny))


def kernel(rows: NDArray[np.float32], centres: NDArray[np.float32], reach: float) -> NDArray[np.float32]:
    """Return the kernel's values.

    Args:
        rows: ``(n, d)``.
        centres: ``(m, d)``.
        reach: The squared distance at which the kernel falls by a factor of e.

    Returns:
        ``(n, m)``, in (0, 1].

    Example:
        >>> x = np.array([[0.0], [2.0]], dtype=np.float32)
        >>> kernel(x, x, reach=4.0).round(4).tolist()[0]
        [1.0, 0.367900013923645]
    """
    middle = centres.mean(axis=0, dtype=np.float64).astype(np.float32)
    around, moved = rows - middle, centres - middle
    distances = np.square(around).sum(axis=1)[:, None] + np.square(moved).sum(axis=1) - 2 * (around @ moved.T)
    return np.asarray(np.exp(-np.maximum(distances, 0.0) / np.float32(reach)), dtype=np.float32)


def coefficients(
    source: NDArray[np.float32],
    residuals: NDArray[np.float64],
    centres: NDArray[np.float32],
    reach: float,
    strength: float,
) -> NDArray[np.float32]:
    r"""Return the weight of each centre.

    With all pairs as centres :math:`a = (K + \lambda I)^{-1} R`; with fewer, the least squares on all pairs
    :math:`a = (K_{mn} K_{nm} + \lambda K_{mm})^{-1} K_{mn} R` (subset of regressors; Smola and Schölkopf, ICML 2000).

    Args:
        source: ``(n, d)``.
        residuals: What is to be predicted, ``(n, d_target)``.
        centres: ``(m, d)``: ``source`` itself, or fewer landmarks.
        reach: See :func:`kernel`.
        strength: The penalty, :math:`\lambda`, relative to a kernel of 1 at no distance.

    Returns:
        ``(m, d_target)``.
    """
    if centres is source:
        system = kernel(source, source, reach).astype(np.float64)
        system[np.diag_indices_from(system)] += strength
        found = cho_solve(cho_factor(system, lower=True, overwrite_a=True), residuals)
    else:
        between = kernel(source, centres, reach).astype(np.float64)
        system = strength * kernel(centres, centres, reach).astype(np.float64)
        system += between.T @ between
        system[np.diag_indices_from(system)] += JITTER * max(1.0, float(np.trace(system)) / len(system))
        found = cho_solve(cho_factor(system, lower=True, overwrite_a=True), between.T @ residuals)
    # in C's order, as it comes back from disk: products of another order differ in their last bits
    return np.ascontiguousarray(found, dtype=np.float32)


def landmarks(pairs: int, most: int, seed: int) -> NDArray[np.int64] | None:
    """Choose which pairs become centres.

    Args:
        pairs: How many there are.
        most: How many centres there may be.
        seed: Seed of the choice.

    Returns:
        Ascending rows, or ``None`` where all of them fit.
    """
    if pairs <= most:
        return None
    return np.sort(np.random.default_rng(seed).permutation(pairs)[:most])
