"""Which gallery items an adapter maps badly, guessed from its pairs: for any adapter, without labels."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segue.adapters.base import Adapter
from segue.adapters.pairs import as_floats, read_pairs
from segue.adapters.ranges import whole_number
from segue.errors import InputError
from segue.flips.checks import counted
from segue.retrieval.hits import Hits
from segue.retrieval.nearest import search
from segue.retrieval.vectors import SLAB, blocks, same_dimension

# Of so many nearest pairs the similarity is taken; of all neighbours, their errors.
NEAREST = 10


def expected_errors(
    adapter: Adapter,
    source: ArrayLike,
    target: ArrayLike,
    gallery: ArrayLike,
    *,
    neighbours: int = 30,
    folds: int = 5,
    seed: int = 0,
) -> NDArray[np.float64]:
    r"""Predict the squared error :math:`\|n - f(o)\|^2` with which an adapter maps each gallery item.

    The adapter is fitted anew without each fold of the pairs, and its error on that fold is seen. Then these errors are
    regressed (least squares) on what is known of an item without its new vector: how near it is to the nearest pairs,
    what their errors are, and how long its mapped vector is before it is brought to length 1 (a map that does not know
    stays near the middle). The idea is ours.

    Args:
        adapter: The adapter; left as it is. It costs as many fits as there are folds, and one more.
        source: Old vectors of the pairs, ``(n, d_source)``.
        target: New vectors of the pairs, ``(n, d_target)``.
        gallery: Old vectors of the gallery, ``(m, d_source)``.
        neighbours: Pairs whose errors count for an item, from 1.
        folds: How many folds, from 2.
        seed: Seed of the folds.

    Returns:
        Expected squared errors, ``(m,)``; of vectors of length 1, where the adapter has ``unit``.

    Raises:
        InputError: If something is wrong with the vectors, there are too few pairs for the folds and neighbours, or the
            adapter needs more than pairs.

    Example:
        >>> from segue.adapters import Ridge
        >>> rng = np.random.default_rng(0)
        >>> old = rng.normal(size=(200, 2))
        >>> new = old + (old[:, :1] > 0) * rng.normal(size=(200, 2))  # where the first number is positive, all is lost
        >>> kept, lost = expected_errors(Ridge(unit=False), old, new, [[-1.0, 0.0], [1.0, 0.0]])
        >>> bool(lost > 3 * kept)
        True
    """
    if not isinstance(adapter, Adapter):
        raise InputError(f"adapter is a {type(adapter).__name__}; pass an adapter such as Ridge()")
    if getattr(adapter, "side_dimension", 0):
        raise InputError(
            f"this {type(adapter).__name__} was fitted with side information, which the folds would do without; order "
            f"by by_uncertainty() of a FastFill, or pass an adapter that maps vectors alone"
        )
    one, other = read_pairs(source, target, adapter.unit, adapter._without_unit)
    items = adapter._read_rows(gallery, "gallery")
    same_dimension(adapter._read_rows(one, "source"), items)
    whole_number(folds, "folds", 2)
    whole_number(neighbours, "neighbours", 1)
    whole_number(seed, "seed", 0)
    needed = max(2 * folds, neighbours + 2, NEAREST + 2)
    if len(one) < needed:
        raise InputError(
            f"source and target hold {counted(len(one), 'pair')}, and {folds} folds and "
            f"{counted(neighbours, 'neighbour')} need at least {needed}; pass more pairs, or fewer folds and neighbours"
        )
    errors, lengths = _without_fold(adapter, one, other, np.random.default_rng(seed).permutation(len(one)) % folds)
    known = _signs(one, one, errors, lengths, neighbours, adapter.unit, np.arange(len(one)))
    whole = adapter.unfitted().fit(one, other)
    asked = _signs(items.values, one, errors, _lengths(whole, items.values), neighbours, adapter.unit, None)
    middle, spread = known.mean(axis=0), known.std(axis=0)
    spread[spread == 0] = 1.0
    slopes = np.linalg.lstsq((known - middle) / spread, errors - errors.mean(), rcond=None)[0]
    return np.asarray((errors.mean() + (asked - middle) / spread @ slopes).clip(0.0))


def _without_fold(
    adapter: Adapter, one: NDArray[np.float32], other: NDArray[np.float32], fold: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    errors, lengths = np.empty(len(one)), np.empty(len(one))
    for number in np.unique(fold):
        rest, out = np.flatnonzero(fold != number), np.flatnonzero(fold == number)
        fitted = adapter.unfitted().fit(one[rest], other[rest])
        errors[out] = np.square(fitted.transform(one[out]).astype(np.float64) - other[out]).sum(axis=1)
        lengths[out] = _lengths(fitted, one[out])
    return errors, lengths


def _lengths(adapter: Adapter, rows: NDArray[Any]) -> NDArray[np.float64]:
    step = max(1, SLAB // max(adapter.source_dimension, adapter.target_dimension))
    mapped = (adapter._map(as_floats(block, adapter.unit)) for _, block in blocks(rows, step))
    return np.concatenate([np.linalg.norm(block.astype(np.float64), axis=1) for block in mapped])


def nearness(
    rows: NDArray[Any], pairs: NDArray[Any], neighbours: int, unit: bool, own: NDArray[np.int64] | None
) -> NDArray[np.float64]:
    """Return how near rows are to their nearest neighbours: the mean cosine, or minus the mean distance.

    Args:
        rows: ``(n, d)``.
        pairs: Among which neighbours are sought, ``(m, d)``.
        neighbours: How many.
        unit: Whether directions are compared.
        own: The row of each one's own copy among the neighbours, ``(n,)``; ``None`` where there are none.

    Returns:
        ``(n,)``.
    """
    return _mean_nearness(search(rows, pairs, neighbours, metric="cosine" if unit else "l2", exclude=own), unit)


def _signs(
    rows: NDArray[Any],
    pairs: NDArray[np.float32],
    errors: NDArray[np.float64],
    lengths: NDArray[np.float64],
    neighbours: int,
    unit: bool,
    own: NDArray[np.int64] | None,
) -> NDArray[np.float64]:
    hits = search(rows, pairs, max(neighbours, NEAREST), metric="cosine" if unit else "l2", exclude=own)
    near = _mean_nearness(Hits(hits.rows[:, :NEAREST], hits.scores[:, :NEAREST]), unit)
    return np.column_stack([near, errors[hits.rows[:, :neighbours]].mean(axis=1), lengths])


def _mean_nearness(hits: Hits, unit: bool) -> NDArray[np.float64]:
    scores = hits.scores.astype(np.float64)
    return np.asarray((scores if unit else -np.sqrt(-scores.clip(max=0.0))).mean(axis=1))
