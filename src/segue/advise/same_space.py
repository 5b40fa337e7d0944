r"""Whether two models give every search the same answers: one and the same space, up to a rotation.

A search by cosine knows nothing of vectors but their cosines. Where these are the same for the old and for the new
model, :math:`\cos(x_i, x_j) = \cos(y_i, y_j)`, both find the same items in the same order, and one space is a rotation
(with reflections, and dimensions of zeros) of the other.

Storage in few bits changes cosines a little. How little is little enough, the cosines between far items do not say:
what a search finds is decided between the nearest, whose cosines differ by much less. So two things are asked: that
cosines on the whole are the same, and that those of each item to its nearest change by little of the gaps between them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

MOST_ITEMS = 1000
NEAREST = 10
# Storing vectors in 16 bits, or even 8, changes cosines by less than this share of their spread,
SAME = 0.02
# and those to the nearest by less than this share of theirs, for all but one item in twenty: in 16 bits by 0.01, in 8
# bits by 0.09 to 0.17 (500 items in clusters or not, 4 to 384 dimensions).
SAME_NEAR, ITEMS = 0.2, 0.95
# Cosines of 32 bits are not told apart below it.
ROUNDING = 1e-6


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
    rows = _looked_at(len(old), seed)
    above = np.triu_indices(len(rows), 1)
    one, other = (_cosines(vectors[rows])[above] for vectors in (old, new))
    apart = float(np.sqrt(np.mean((one - other) ** 2)))
    spread = float(one.std())
    return apart / spread if spread > 0 else apart


def nearest_differ_by(old: NDArray[Any], new: NDArray[Any], seed: int = 0) -> NDArray[np.float64]:
    """Return how far the cosines of each item to its nearest are from each other, relative to the gaps between them.

    Args:
        old: The items' vectors of length 1, ``(n, d_old)``, of at least three items.
        new: The same items', ``(n, d_new)``.
        seed: Seed of the items that are looked at, where there are many.

    Returns:
        For each item that is looked at, the root mean square of the differences over those that are the nearest in
        either model, by the standard deviation of the old cosines to the nearest in the old one. Far below 1, both
        models find these in the same order.

    Example:
        >>> angles = np.array([0.0, 0.1, 0.4, 1.0])
        >>> old = np.stack([np.cos(angles), np.sin(angles)], axis=1)
        >>> np.round(nearest_differ_by(old, old[:, ::-1]), 9).tolist()
        [0.0, 0.0, 0.0, 0.0]
    """
    rows = _looked_at(len(old), seed)
    one, other = (_cosines(vectors[rows]) for vectors in (old, new))
    near = [_nearest(cosines) for cosines in (one, other)]
    apart = np.hstack([np.take_along_axis(one - other, columns, axis=1) for columns in near])
    gaps = np.take_along_axis(one, near[0], axis=1).std(axis=1)
    return np.asarray(np.sqrt(np.mean(apart**2, axis=1)) / np.maximum(gaps, ROUNDING))


def same_space(old: NDArray[Any], new: NDArray[Any]) -> bool:
    """Tell whether both models give every search the same answers.

    Args:
        old: The items' vectors of length 1, ``(n, d_old)``.
        new: The same items', ``(n, d_new)``.

    Returns:
        Whether cosines, on the whole and to the nearest, differ by no more than storage in few bits explains.
    """
    if cosines_differ_by(old, new) > SAME:
        return False
    return len(old) < 3 or bool(np.quantile(nearest_differ_by(old, new), ITEMS) <= SAME_NEAR)


def _looked_at(count: int, seed: int) -> NDArray[np.int64]:
    return np.arange(count) if count <= MOST_ITEMS else np.random.default_rng(seed).permutation(count)[:MOST_ITEMS]


def _cosines(rows: NDArray[Any]) -> NDArray[np.float64]:
    doubles = rows.astype(np.float64)
    return np.asarray(doubles @ doubles.T)


def _nearest(cosines: NDArray[np.float64]) -> NDArray[np.int64]:
    # columns of the largest cosines of each row, without its own
    others = cosines.copy()
    np.fill_diagonal(others, -np.inf)
    count = min(NEAREST, len(others) - 1)
    return np.argsort(-others, axis=1, kind="stable")[:, :count]
