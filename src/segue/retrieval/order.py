"""One order for all rankings: by score, the higher first, and by gallery row, the lower first, among equal scores.

Score and row are packed into one 64-bit integer that grows down the ranking, so that sorting integers is all that
ranking takes, and no two items are equal.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# What stands behind every item: no score.
LAST = np.uint64(2**64 - 1)
_LOW = np.uint64(32)
_SIGN = np.uint32(0x80000000)


def keys(scores: NDArray[np.float32], rows: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Return sorting keys, smaller for what ranks higher.

    Args:
        scores: Scores that are not NaN, of any shape.
        rows: Gallery rows below 2^32 - 1, of a shape that broadcasts with it.

    Returns:
        The keys.

    Example:
        >>> keys(np.float32([0.5, 0.9, 0.5]), np.array([7, 8, 3])).argsort().tolist()
        [1, 2, 0]
    """
    # The bits of positive floats grow with them, those of negative ones against them; adding zero turns -0 into 0.
    bits = (scores + np.float32(0.0)).view(np.uint32)
    falling = np.where(bits & _SIGN, bits, ~bits & ~_SIGN)
    packed: NDArray[np.uint64] = falling.astype(np.uint64) << _LOW
    packed |= rows.astype(np.uint64)
    return packed


def unpacked(packed: NDArray[np.uint64]) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return the rows and the scores that keys were made of; -1 and -inf for :data:`LAST`.

    Args:
        packed: Keys, of any shape.

    Returns:
        Rows and scores of the same shape.
    """
    empty = packed == LAST
    falling = (packed >> _LOW).astype(np.uint32)
    bits = np.where(falling & _SIGN, falling, ~falling & ~_SIGN)
    rows = (packed & np.uint64(0xFFFFFFFF)).astype(np.int64)
    return np.where(empty, -1, rows), np.where(empty, np.float32(-np.inf), bits.view(np.float32))


def first(packed: NDArray[np.uint64], k: int) -> NDArray[np.uint64]:
    """Return the ``k`` smallest keys of each row in ascending order.

    Args:
        packed: Keys, ``(q, n)``; changed.
        k: How many.

    Returns:
        Keys, ``(q, min(k, n))``.
    """
    if k < packed.shape[1]:
        packed.partition(k - 1, axis=1)
        packed = packed[:, :k].copy()
    packed.sort(axis=1)
    return packed
