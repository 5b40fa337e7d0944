"""Rows of two files that are the same items: by their ids, or one by one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segue.errors import InputError
from segue.flips.checks import counted

MOST_TOLD = 3
Rows = NDArray[np.int64]


def refuse_repeated(ids: NDArray[np.str_], told: str) -> None:
    """Refuse ids that several rows have.

    Args:
        ids: The ids, ``(n,)``.
        told: The file's name.

    Raises:
        InputError: If an id repeats.
    """
    found, counts = np.unique(ids, return_counts=True)
    if len(found) < len(ids):
        twice = found[counts > 1]
        have = "id has" if len(twice) == 1 else "ids have"
        raise InputError(f"{told}: {len(twice):,} {have} more than one row ({some(twice)}); keep one row for each id")


def rows_of(ids: NDArray[np.str_], other: NDArray[np.str_], told: tuple[str, str], *, all_of_other: bool) -> Rows:
    """Find the row of each id in another file.

    Args:
        ids: The ids that are wanted, ``(n,)``, each once.
        other: The other file's ids, ``(m,)``, each once.
        told: What the two files are called.
        all_of_other: Whether the other file may hold no more ids than these.

    Returns:
        Rows of the other file, ``(n,)``.

    Raises:
        InputError: If ids are in one of them only.

    Example:
        >>> rows_of(np.array(["a", "b"]), np.array(["b", "a"]), ("old.npz", "new.npz"), all_of_other=True).tolist()
        [1, 0]
    """
    if np.array_equal(ids, other):
        return np.arange(len(ids))
    order = np.argsort(other, kind="stable")
    place = np.minimum(np.searchsorted(other, ids, sorter=order), len(other) - 1)
    rows = order[place]
    lacking = [(told[1], told[0], ids[other[rows] != ids])]
    if all_of_other and (len(lacking[0][2]) or len(other) != len(ids)):
        lacking.append((told[0], told[1], other[~np.isin(other, ids)]))
    said = [f"{here} lacks {len(names):,} of the ids in {there} ({some(names)})" for here, there, names in lacking
            if len(names)]  # fmt: skip
    if said:
        todo = "embed the same items with both models" if all_of_other else f"complete {told[1]}"
        raise InputError(f"{', and '.join(said)}; {todo}")
    return np.asarray(rows, dtype=np.int64)


def refuse_other_count(counts: Sequence[tuple[str, int]], todo: str) -> None:
    """Refuse files of other lengths, where rows are matched one by one.

    Args:
        counts: Names and rows of two files.
        todo: What to do.

    Raises:
        InputError: If they differ.
    """
    (one, rows), (other, others) = counts
    if rows != others:
        raise InputError(f"{one} has {counted(rows, 'row')} and {other} has {others:,}; {todo}")


def some(ids: NDArray[Any]) -> str:
    """Return the first few ids, for a message."""
    told = ", ".join(repr(name) for name in ids[:MOST_TOLD].tolist())
    return f"id {told}{', ...' if len(ids) > MOST_TOLD else ''}"
