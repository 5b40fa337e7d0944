r"""Whether two models give every search the same answers: one and the same space, up to a rotation.

A search by cosine knows nothing of vectors but their cosines. Where these are the same for the old and for the new
model, :math:`\cos(x_i, x_j) = \cos(y_i, y_j)`, both find the same items in the same order, and one space is a rotation
(with reflections, and dimensions of zeros) of the other.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

MOST_ITEMS = 1000
# Storing vectors in 16 bits, or even 8, changes cosines by less than this share of their spread.
SAME = 0.02


def cosines_differ_by(old: NDArray[Any], new: NDArray[Any], seed: int = 0) -> float:
    """Return how far the cosines between items are from each other in two models, relative to how much they vary.

    Args:
        old: The items' vectors of length 1, ``(n, d_old)``.
        new: The same items', ``(n, d_new)``.
        seed: Seed of the items that are looked at, where there are many.

    Returns:
        The root mean square of the differences over the standard deviation of the old cosines; 0 for the same space,
        about 1.4 for spaces that have nothing to do with each other.

    Example:
        >>> old = np.eye(3)
        >>> cosines_differ_by(old, -old[:, ::-1])
        0.0
    """
    count = len(old)
    rows = np.arange(count) if count <= MOST_ITEMS else np.random.default_rng(seed).permutation(count)[:MOST_ITEMS]
    one, other = (_cosines(vectors[rows]) for vectors in (old, new))
    apart = float(np.sqrt(np.mean((one - other) ** 2)))
    spread = float(one.std())
    return apart / spread if spread > 0 else apart


def same_space(old: NDArray[Any], new: NDArray[Any]) -> bool:
    """Tell whether both models give every search the same answers.

    Args:
        old: The items' vectors of length 1, ``(n, d_old)``.
        new: The same items', ``(n, d_new)``.

    Returns:
        Whether cosines differ by no more than storage in few bits explains.
    """
    return cosines_differ_by(old, new) <= SAME


def _cosines(rows: NDArray[Any]) -> NDArray[np.float64]:
    doubles = rows.astype(np.float64)
    return np.asarray((doubles @ doubles.T)[np.triu_indices(len(doubles), 1)])
