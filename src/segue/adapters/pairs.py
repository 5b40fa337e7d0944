"""Reading the vectors an adapter learns from or maps: what is wrong with them is said in one sentence."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from segue.errors import InputError
from segue.flips.checks import counted
from segue.retrieval.scores import unit as to_length_one
from segue.retrieval.vectors import SLAB, Vectors, as_vectors, blocks

# Beyond rounding to 32 bits: a few units in the last place.
ROUNDING = 1e-6


def read_vectors(values: Any, name: str, unit: bool, without: str = "") -> Vectors:
    """Read embeddings, each row once, without a copy.

    Args:
        values: The caller's embeddings, ``(n, d)``; an array, a memory map, a tensor, a list.
        name: What the caller calls them.
        unit: Whether rows will be brought to length 1, so that zeros are a mistake.
        without: How the caller has them stay as long as they are, such as ``pass unit=False``; empty for no way.

    Returns:
        The embeddings.

    Raises:
        InputError: If the shape or the type is another, or a row is NaN, infinite, or zero where it may not be.
    """
    vectors = as_vectors(values, name, "inner-product")
    if not unit:
        return vectors
    zeros = [
        first + np.flatnonzero(~block.any(axis=1))
        for first, block in blocks(vectors.values, max(1, SLAB // vectors.dimension))
    ]
    bad = np.concatenate(zeros)
    if len(bad):
        raise InputError(
            f"{name} has {counted(len(bad), 'row')} of zeros, first at row {bad[0]}; a zero vector has no direction: "
            f"remove these rows" + (f", or {without} where lengths count" if without else "")
        )
    return vectors


def as_floats(block: NDArray[Any], unit: bool) -> NDArray[np.float32]:
    """Return rows as an adapter works on them.

    Args:
        block: Rows that were read, ``(n, d)``.
        unit: Whether to bring them to length 1.

    Returns:
        The rows in 32 bits, contiguous.
    """
    if unit:
        return to_length_one(block.astype(np.float64)).astype(np.float32)
    return np.ascontiguousarray(block, dtype=np.float32)


def read_pairs(
    source: Any, target: Any, unit: bool, without: str = ""
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Read the calibration pairs: the same items, embedded by two models.

    Args:
        source: Vectors of the one model, ``(n, d_source)``.
        target: Vectors of the other, row by row of the same items, ``(n, d_target)``.
        unit: Whether to bring rows to length 1.
        without: As for :func:`read_vectors`.

    Returns:
        Both in 32 bits.

    Raises:
        InputError: If something is wrong with either, they differ in length, are fewer than two, or do not vary.
    """
    one, other = (read_vectors(*given, unit, without) for given in ((source, "source"), (target, "target")))
    if len(one) != len(other):
        raise InputError(
            f"source has {counted(len(one), 'row')} and target has {len(other):,}; pass the same items in the same "
            f"order, row i of both being item i"
        )
    if len(one) < 2:
        raise InputError(
            "source and target hold a single pair; an adapter learns from at least two, and from some hundreds to be "
            "of use"
        )
    ready = as_floats(one.values, unit), as_floats(other.values, unit)
    for name, rows in zip(("source", "target"), ready, strict=True):
        _refuse_constant(rows, name)
    return ready


def _refuse_constant(rows: NDArray[np.float32], name: str) -> None:
    spread = np.square(rows - rows.mean(axis=0, dtype=np.float64)).sum(axis=1).max()
    if spread <= ROUNDING**2 * np.square(rows, dtype=np.float64).sum(axis=1).max():
        raise InputError(f"{name} holds the same vector in all {len(rows):,} rows; pass the vectors of different items")
