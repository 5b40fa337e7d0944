"""Folds that part nothing that belongs together: named groups of pairs, and rows that are there more than once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components


def same_rows(rows: NDArray[Any]) -> NDArray[np.int64]:
    """Number rows so that those that are exactly the same have the same number.

    Args:
        rows: Vectors, ``(n, d)``.

    Returns:
        Numbers from 0, ``(n,)``.

    Example:
        >>> same_rows(np.array([[2.0, 0.0], [1.0, 3.0], [2.0, -0.0]])).tolist()
        [0, 1, 0]
    """
    plain = np.ascontiguousarray(rows + 0)  # minus zero is zero
    packed = plain.view(np.dtype((np.void, plain.itemsize * plain.shape[1]))).ravel()
    first, number = np.unique(packed, return_index=True, return_inverse=True)[1:]
    return np.argsort(np.argsort(first))[number]  # in the order of their first rows


@dataclass(frozen=True, eq=False)
class Belonging:
    """Which pairs belong together.

    Attributes:
        sets: Numbers of the pairs, ``(n,)``, the same for those that no fold parts; ``None`` where each is on its own.
        copies: Numbers of the pairs, ``(n,)``, the same for those that are the same in everything; ``None`` where none
            are.
        repeated: How many pairs repeat the source vector of an earlier one.
    """

    sets: NDArray[np.int64] | None
    copies: NDArray[np.int64] | None
    repeated: int

    @property
    def parts(self) -> int | None:
        """How many sets there are; ``None`` where each pair is on its own."""
        return None if self.sets is None else int(self.sets.max()) + 1


def belonging(
    source: NDArray[Any], target: NDArray[Any], labels: NDArray[Any] | None, groups: NDArray[np.int64] | None
) -> Belonging:
    """Say which pairs belong together: those of a group, and those that repeat a source vector.

    Args:
        source: Source vectors, ``(n, d_source)``.
        target: Target vectors, ``(n, d_target)``.
        labels: Their labels, ``(n,)``.
        groups: Numbers of their groups, ``(n,)``.

    Returns:
        The pairs that do.
    """
    items = same_rows(source)
    repeated = len(items) - int(items.max()) - 1
    if not repeated:
        return Belonging(groups, None, 0)
    columns = [items, same_rows(target)] + ([] if labels is None else [np.unique(labels, return_inverse=True)[1]])
    return Belonging(items if groups is None else joined(groups, items), same_rows(np.stack(columns, axis=1)), repeated)


def joined(one: NDArray[np.int64], other: NDArray[np.int64]) -> NDArray[np.int64]:
    """Join what shares a number in either column, directly or through others.

    Args:
        one: Numbers from 0, ``(n,)``.
        other: The same of something else, ``(n,)``.

    Returns:
        Numbers from 0, ``(n,)``: the same for all that hang together.

    Example:
        >>> joined(np.array([0, 0, 1, 2]), np.array([0, 1, 1, 2])).tolist()
        [0, 0, 0, 1]
    """
    nodes = int(one.max()) + 1 + int(other.max()) + 1
    links = coo_array((np.ones(len(one)), (one, other + int(one.max()) + 1)), shape=(nodes, nodes))
    return np.asarray(connected_components(links, directed=False)[1][one], dtype=np.int64)


def folds_of(
    count: int, folds: int, seed: int, groups: NDArray[np.int64] | None = None
) -> tuple[NDArray[np.int64], ...]:
    """Deal rows into folds of about the same size, whole groups at a time.

    Args:
        count: How many rows.
        folds: How many folds.
        seed: Seed of the deal.
        groups: Number of each row's group, ``(n,)``; ``None`` where each row is on its own.

    Returns:
        The rows of each fold, ascending.

    Example:
        >>> [fold.tolist() for fold in folds_of(5, 2, 0, np.array([0, 1, 0, 1, 0]))]
        [[0, 2, 4], [1, 3]]
    """
    draws = np.random.default_rng(seed)
    if groups is None:
        return tuple(np.sort(part) for part in np.array_split(draws.permutation(count), folds))
    sizes = np.bincount(groups)
    order = draws.permutation(len(sizes))
    place, held = np.empty(len(sizes), dtype=np.int64), np.zeros(folds, dtype=np.int64)
    for group in order[np.argsort(-sizes[order], kind="stable")]:  # the largest first, each to the smallest fold
        place[group] = held.argmin()
        held[place[group]] += sizes[group]
    return tuple(np.flatnonzero(place[groups] == fold) for fold in range(folds))
