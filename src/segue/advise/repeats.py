"""Items that are there more than once: each would find itself, and count as often as it is there."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from segue.adapters.calibration import MOST_TWINS, NEARER, NEIGHBOURS, SAME, TWIN
from segue.errors import InputError
from segue.retrieval.nearest import search

Rows = NDArray[Any]


def repeated(old: Rows, new: Rows) -> NDArray[np.bool_]:
    """Tell which items have a copy: another row with the same vector in both models, up to rounding.

    Args:
        old: Vectors of length 1 of the old model, ``(n, d_old)``.
        new: The same items', of the new model, ``(n, d_new)``.

    Returns:
        Whether each has, ``(n,)``.

    Example:
        >>> old, new = np.eye(4)[[0, 1, 2, 0, 1]], np.eye(4)[[0, 1, 2, 0, 3]]
        >>> repeated(old, new).tolist()
        [True, False, False, True, False]
    """
    found = np.zeros(len(old), dtype=np.bool_)
    if len(old) < 2:
        return found
    hits = [search(rows, rows, k=min(NEIGHBOURS, len(rows) - 1), exclude=np.arange(len(rows))) for rows in (old, new)]
    near = np.flatnonzero((hits[0].scores[:, 0] > TWIN) & (hits[1].scores[:, 0] > TWIN))
    same = np.ones((len(near), hits[0].rows.shape[1]), dtype=np.bool_)
    for rows, own in zip((old, new), hits, strict=True):
        # as refuse_twins has it: the same to within 32 bits, or much nearer than the tenth nearest
        tenth = _away(rows, near, own.rows[near, -1:])
        same &= _away(rows, near, hits[0].rows[near]) < np.maximum(SAME, NEARER * tenth)
    found[near] = same.any(axis=1)
    return found


def refuse_repeated(old: Rows, new: Rows, names: tuple[str, str]) -> int:
    """Refuse items of which many are there more than once.

    Args:
        old: Vectors of length 1 of the old model, ``(n, d_old)``.
        new: The same items', of the new model, ``(n, d_new)``.
        names: What the caller calls both.

    Returns:
        How many items have a copy, where these are few.

    Raises:
        InputError: If more than a tenth have.
    """
    count = int(repeated(old, new).sum())
    if count > MOST_TWINS * len(old):
        raise InputError(
            f"{count:,} of the {len(old):,} rows of {names[0]} are there more than once, and in {names[1]} as well, "
            f"where copies find each other and count as if they were more; pass each item once"
        )
    return count


def _away(rows: Rows, some: NDArray[np.int64], others: NDArray[np.int64]) -> NDArray[np.float64]:
    # distances of rows (m,) to others (m, k); in doubles, since 32-bit scores can't tell them apart
    apart = rows[some].astype(np.float64)[:, None] - rows[others].astype(np.float64)
    return np.asarray(np.linalg.norm(apart, axis=2))
