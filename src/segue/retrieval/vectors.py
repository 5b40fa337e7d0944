"""Reading a caller's embeddings: what is wrong with them is said in one sentence, and nothing is copied."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from segue.errors import InputError
from segue.flips.checks import counted

Metric = Literal["cosine", "inner-product", "l2"]
METRICS: tuple[Metric, ...] = ("cosine", "inner-product", "l2")

# Beyond it the square of a length is no 32-bit float any more.
LONGEST = 1e18
# Elements that are worked on at a time where a copy is needed: 8 MB of doubles, which stay in the cache.
SLAB = 1 << 20


@dataclass(frozen=True, eq=False)
class Vectors:
    """Embeddings that were looked at once.

    Attributes:
        values: The vectors as the caller holds them, ``(n, d)``: an array or a memory map, in its own type.
        name: What the caller calls them.
        longest: The largest Euclidean length of a row.
    """

    values: NDArray[Any]
    name: str
    longest: float

    def __len__(self) -> int:
        """Return the number of vectors."""
        return len(self.values)

    @property
    def dimension(self) -> int:
        """How many numbers a vector has."""
        return int(self.values.shape[1])


def known_metric(metric: str) -> Metric:
    """Return a metric's name.

    Args:
        metric: The caller's word.

    Returns:
        The same.

    Raises:
        InputError: If it is none of the three.
    """
    for known in METRICS:
        if metric == known:
            return known
    raise InputError(f"metric is {metric!r}; pass one of {', '.join(map(repr, METRICS))}")


def as_vectors(values: Any, name: str, metric: Metric) -> Vectors:
    """Read embeddings, and look at each row once.

    Lists, numpy arrays, memory maps and torch tensors (on any device) are understood.

    Args:
        values: The caller's embeddings, ``(n, d)``, of any floating-point or integer type.
        name: What the caller calls them.
        metric: What they are to be compared by: lengths matter to some, and cosine has none for a zero vector.

    Returns:
        The embeddings.

    Raises:
        InputError: If the shape or the type is another, a number is NaN or infinite, a row has no direction where
            one is needed, or lengths leave the range of 32-bit floats.
    """
    array = _as_matrix(values, name)
    longest = 0.0
    for start, block in blocks(array, max(1, SLAB // array.shape[1])):
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):
            squares = np.einsum("nd,nd->n", block, block) if block.dtype.kind == "f" else np.zeros(len(block))
        # A square that overflowed, underflowed or never was computed is looked at again in doubles.
        if not np.isfinite(squares).all() or squares.min() < np.finfo(np.float32).tiny * 1e8:
            _refuse_not_finite(array, start, name)
            lengths = _lengths(block)
            if metric == "cosine" and not lengths.all():
                _refuse_zero(array, start, name)
            longest = max(longest, float(lengths.max()))
        else:
            longest = max(longest, math.sqrt(float(squares.max())))
    if metric != "cosine" and longest > LONGEST:
        raise InputError(
            f"{name} has vectors of length {longest:.3g}, beyond what 32-bit scores can hold; divide all vectors by "
            f"a common number"
        )
    # Sums of 32-bit squares may have been rounded down.
    return Vectors(array, name, longest * (1 + 1e-3))


def same_dimension(one: Vectors, other: Vectors) -> int:
    """Return the common dimension of two sets of vectors.

    Args:
        one: The first.
        other: The second.

    Returns:
        The dimension.

    Raises:
        InputError: If dimensions differ.
    """
    if one.dimension != other.dimension:
        raise InputError(
            f"{one.name} has {counted(one.dimension, 'dimension')} and {other.name} has {other.dimension:,}; embed "
            f"both with models of one space, or map one of them with an adapter first"
        )
    return one.dimension


def blocks(array: NDArray[Any], rows: int) -> Iterator[tuple[int, NDArray[Any]]]:
    """Go through an array by blocks of rows.

    Args:
        array: The array.
        rows: Rows of a block.

    Yields:
        The first row's number, and a view of the rows.
    """
    for start in range(0, len(array), rows):
        yield start, array[start : start + rows]


def _as_matrix(values: Any, name: str) -> NDArray[Any]:
    wanted = "pass one vector per row, shape (n, d)"
    if values is None or isinstance(values, (str, bytes, dict, set, frozenset)):
        raise InputError(f"{name} is {'None' if values is None else f'a {type(values).__name__}'}; {wanted}")
    if hasattr(values, "detach"):
        values = _of_tensor(values)
    if isinstance(values, np.ma.MaskedArray):
        masked = int(np.ma.getmaskarray(values).sum())
        if masked:
            raise InputError(
                f"{name} has {counted(masked, 'masked number')}; remove these vectors, or fill them with values of "
                f"their own"
            )
        values = values.data
    try:
        array = np.asarray(values)
    except (ValueError, TypeError) as error:
        raise InputError(f"{name} can't be read as an array ({error}); {wanted}") from error
    if array.ndim != 2:
        raise InputError(f"{name} has shape {array.shape}; {wanted}")
    if array.dtype.kind not in "fiu":
        raise InputError(f"{name} holds {array.dtype} values; pass floating-point numbers or integers")
    if not array.size:
        raise InputError(f"{name} is empty (shape {array.shape}); pass at least one vector")
    return array


def _of_tensor(values: Any) -> NDArray[Any]:
    tensor = values.detach().cpu()
    # numpy has no type of this name; 32 bits hold all of its values
    return np.asarray((tensor.float() if str(tensor.dtype) == "torch.bfloat16" else tensor).numpy())


def _lengths(block: NDArray[Any]) -> NDArray[np.float64]:
    # hypot-like: squares of very short vectors would underflow even in doubles
    doubles = block.astype(np.float64)
    scale = np.abs(doubles).max(axis=1)
    scaled = np.divide(doubles, scale[:, None], out=np.zeros_like(doubles), where=scale[:, None] > 0)
    return np.asarray(scale * np.sqrt(np.einsum("nd,nd->n", scaled, scaled)))


def _refuse_not_finite(array: NDArray[Any], start: int, name: str) -> None:
    bad = _rows_where(array, start, lambda block: ~np.isfinite(block).all(axis=1))
    if len(bad):
        raise InputError(
            f"{name} has {counted(len(bad), 'row')} with NaN or infinite numbers, first at row {bad[0]}; remove "
            f"these rows or embed them again"
        )


def _refuse_zero(array: NDArray[Any], start: int, name: str) -> None:
    bad = _rows_where(array, start, lambda block: ~block.any(axis=1))
    if len(bad):
        raise InputError(
            f"{name} has {counted(len(bad), 'row')} of zeros, first at row {bad[0]}; a zero vector has no cosine: "
            f"remove these rows or pass metric='inner-product' or metric='l2'"
        )


def _rows_where(array: NDArray[Any], start: int, test: Any) -> NDArray[np.int64]:
    rows = max(1, SLAB // array.shape[1])
    found = [first + start + np.flatnonzero(test(block)) for first, block in blocks(array[start:], rows)]
    return np.concatenate(found).astype(np.int64)
