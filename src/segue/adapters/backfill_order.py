"""In which order to re-embed a gallery that an adapter has mapped: what is mapped worst, or asked for most, first."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segue.adapters.base import Adapter
from segue.adapters.expected_error import expected_errors, nearness
from segue.adapters.pairs import as_floats, read_vectors
from segue.adapters.ranges import whole_number
from segue.errors import InputError
from segue.flips.checks import as_array, class_column, counted
from segue.retrieval.hits import Hits


class Uncertain(Protocol):
    """An adapter that says how uncertain it is, such as :class:`~segue.adapters.fastfill.FastFill`."""

    def uncertainty(self, source: ArrayLike, *, side: ArrayLike | None = None) -> NDArray[np.float32]:
        """Say of each item how uncertain its mapped vector is, ``(n,)``."""


def by_uncertainty(adapter: Uncertain, gallery: ArrayLike, *, side: ArrayLike | None = None) -> NDArray[np.int64]:
    """Order by the adapter's own uncertainty, the least certain first (FastFill, ICLR 2023).

    Args:
        adapter: A fitted adapter with ``uncertainty``.
        gallery: Old vectors, ``(n, d)``.
        side: Their side information, where it was fitted with some.

    Returns:
        Each row once, ``(n,)``; rows that are equally uncertain as they stand.

    Raises:
        InputError: If the adapter has no uncertainty or is not fitted, or something is wrong with the vectors.
    """
    if not hasattr(adapter, "uncertainty"):
        raise InputError(
            f"{type(adapter).__name__} does not say how uncertain it is; pass a FastFill, or order by "
            f"by_expected_error()"
        )
    return largest_first(adapter.uncertainty(gallery, side=side))


def by_distance_to_class_mean(mapped: ArrayLike, labels: ArrayLike, *, unit: bool = True) -> NDArray[np.int64]:
    """Order by the distance to the mean of one's class, farthest first (Ricci et al., NeurIPS 2025).

    Args:
        mapped: Mapped vectors of the gallery, ``(n, d)``.
        labels: Their classes, or clusters where there are none, ``(n,)`` integers or strings.
        unit: Whether vectors are brought to length 1 first.

    Returns:
        Each row once, ``(n,)``; rows that are equally far as they stand.

    Raises:
        InputError: If something is wrong with the vectors, or there is not one label per row.

    Example:
        >>> by_distance_to_class_mean([[0.0], [1.0], [5.0], [9.0]], ["a", "a", "a", "b"], unit=False).tolist()
        [2, 0, 1, 3]
    """
    vectors, classes = read_vectors(mapped, "mapped", unit, "pass unit=False"), class_column(labels, "labels")
    if len(classes) != len(vectors):
        raise InputError(
            f"mapped has {counted(len(vectors), 'row')} and labels has {len(classes):,}; pass one class per row"
        )
    rows, numbers = as_floats(vectors.values, unit).astype(np.float64), np.unique(classes, return_inverse=True)[1]
    sums = np.zeros((int(numbers.max()) + 1, rows.shape[1]))
    np.add.at(sums, numbers, rows)
    means = sums / np.bincount(numbers)[:, None]
    return largest_first(np.square(rows - means[numbers]).sum(axis=1))


def by_isolation(mapped: ArrayLike, *, neighbours: int = 10, unit: bool = True) -> NDArray[np.int64]:
    """Order by how far the nearest items of the mapped gallery are, the most isolated first.

    The distance to the class mean without labels: an item that was mapped to a place of its own is seldom found by the
    queries that look for its like. It needs neither labels nor pairs. The idea is ours.

    Args:
        mapped: Mapped vectors of the gallery, ``(n, d)``.
        neighbours: How many nearest items count, each alike.
        unit: Whether vectors are compared by cosine; by Euclidean distance otherwise.

    Returns:
        Each row once, ``(n,)``; rows that are equally isolated as they stand.

    Raises:
        InputError: If something is wrong with the vectors, or there are not more of them than neighbours.

    Example:
        >>> by_isolation([[0.0], [1.0], [3.0], [9.0]], neighbours=1, unit=False).tolist()
        [3, 2, 0, 1]
    """
    vectors = read_vectors(mapped, "mapped", unit, "pass unit=False")
    whole_number(neighbours, "neighbours", 1, len(vectors) - 1, ", one less than there are rows in mapped")
    return largest_first(-nearness(vectors.values, vectors.values, neighbours, unit, np.arange(len(vectors))))


def by_expected_error(
    adapter: Adapter,
    source: ArrayLike,
    target: ArrayLike,
    gallery: ArrayLike,
    *,
    neighbours: int = 30,
    folds: int = 5,
    seed: int = 0,
) -> NDArray[np.int64]:
    """Order by the error that the pairs lead one to expect, the largest first: any adapter, no labels.

    Args:
        adapter: The adapter, see :func:`segue.adapters.expected_error.expected_errors`.
        source: Old vectors of the pairs, ``(n, d_source)``.
        target: New vectors of the pairs, ``(n, d_target)``.
        gallery: Old vectors of the gallery, ``(m, d_source)``.
        neighbours: Pairs whose errors count for an item.
        folds: How many folds.
        seed: Seed of the folds.

    Returns:
        Each row of the gallery once, ``(m,)``; rows of equal error as they stand.

    Raises:
        InputError: As for :func:`segue.adapters.expected_error.expected_errors`.
    """
    found = expected_errors(adapter, source, target, gallery, neighbours=neighbours, folds=folds, seed=seed)
    return largest_first(found)


def by_query_traffic(traffic: Hits | ArrayLike, errors: ArrayLike) -> NDArray[np.int64]:
    """Order by how often an item is found times the error that is expected of it, the largest first.

    It spends the first encoder calls on what users see most. Where quality over all queries counts, compare it with
    :func:`by_isolation` on queries of your own first: what is found often may be mapped well enough already. An item
    that was not found counts as half a time, so that among those the expected error decides.

    Args:
        traffic: What past queries, or the pairs' new vectors, found in the mapped gallery; or how often each item was
            found, ``(n,)``.
        errors: Expected errors, ``(n,)``, see :func:`segue.adapters.expected_error.expected_errors`.

    Returns:
        Each row once, ``(n,)``; ties as they stand.

    Raises:
        InputError: If errors or counts are negative, missing or infinite, or do not belong to each other.

    Example:
        >>> by_query_traffic([2, 0, 0, 1], errors=[0.1, 0.3, 0.5, 0.2]).tolist()  # 2.5, 0.5, 0.5 and 1.5 times
        [3, 0, 2, 1]
    """
    expected = _numbers(errors, "errors")
    counts = _found(traffic, len(expected)) if isinstance(traffic, Hits) else _numbers(traffic, "traffic")
    if len(counts) != len(expected):
        raise InputError(
            f"traffic has {counted(len(counts), 'item')} and errors has {len(expected):,}; pass one number per gallery "
            f"item in both"
        )
    return largest_first((counts + 0.5) * expected)


def largest_first(values: ArrayLike) -> NDArray[np.int64]:
    """Order rows by their values, the largest first, ties as they stand.

    Args:
        values: ``(n,)``.

    Returns:
        ``(n,)``.

    Example:
        >>> largest_first([1.0, 3.0, 1.0]).tolist()
        [1, 0, 2]
    """
    return np.argsort(-np.asarray(values, dtype=np.float64), kind="stable").astype(np.int64)


def _found(hits: Hits, items: int) -> NDArray[np.float64]:
    rows = hits.rows[hits.rows >= 0]
    if rows.size and rows.max() >= items:
        raise InputError(
            f"traffic found row {int(rows.max())}, but errors has {counted(items, 'item')}; pass the hits of a search "
            f"in the same gallery"
        )
    return np.bincount(rows, minlength=items).astype(np.float64)


def _numbers(values: ArrayLike, name: str) -> NDArray[np.float64]:
    array = as_array(values, name)
    if array.ndim != 1 or array.dtype.kind not in "iuf":
        raise InputError(f"{name} has shape {array.shape} and type {array.dtype}; pass one number per gallery item")
    numbers = array.astype(np.float64)
    bad = np.flatnonzero(~np.isfinite(numbers) | (numbers < 0))
    if len(bad):
        raise InputError(
            f"{name} has {counted(len(bad), 'value')} below zero, NaN or infinite, first at position {bad[0]} "
            f"({numbers[bad[0]]:g}); pass finite numbers of 0 or more"
        )
    return numbers
