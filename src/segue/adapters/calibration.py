"""What a map is chosen on, as the caller passes it: pairs, labels, a gallery to search; read and checked once."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segue.adapters.pairs import read_vectors
from segue.errors import InputError
from segue.flips.checks import class_column, counted, values_of
from segue.retrieval.nearest import search
from segue.retrieval.scores import unit

# A few items stand twice in any collection; more than so many, and the one set is part of the other.
MOST_TWINS = 0.1
# A cosine above it may be that of the same vector, rounded to 16 bits or embedded in another batch; in few dimensions
# it may be that of a neighbour, too.
TWIN = 1 - 1e-6
# So it also has to be this much nearer than the tenth nearest. Where vectors lie on a line, the nearest of ten honest
# neighbours is so near in 2 cases of 100; on a surface, in fewer than 1 of 10,000.
NEIGHBOURS, NEARER = 10, 0.002
# Or to be the same to within 32 bits, however many copies the gallery holds.
SAME = 3e-7


def read_labels(values: ArrayLike, count: int, name: str, beside: str) -> NDArray[Any]:
    """Read one label for each vector.

    Args:
        values: The caller's labels, ``(n,)``: integers or strings.
        count: How many vectors there are.
        name: What the caller calls the labels.
        beside: What the caller calls the vectors.

    Returns:
        The labels.

    Raises:
        InputError: If they are no labels, or of another number.
    """
    column = class_column(values, name)
    if len(column) != count:
        raise InputError(f"{name} has {counted(len(column), 'label')} and {beside} {counted(count, 'row')}; pass one "
                         f"label for each row, in the same order")  # fmt: skip
    return column


def read_gallery(
    gallery: ArrayLike,
    gallery_labels: ArrayLike,
    dimension: int,
    names: tuple[str, str] = ("gallery", "gallery_labels"),
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Read what the old model stored.

    Args:
        gallery: The stored vectors, ``(m, d_old)``; a memory map stays one.
        gallery_labels: Their labels, ``(m,)``.
        dimension: Dimensions of the old model.
        names: What the caller calls both.

    Returns:
        Vectors and labels.

    Raises:
        InputError: If something is wrong with either, or the vectors are of another dimension.
    """
    stored = read_vectors(gallery, names[0], unit=True)
    if stored.dimension != dimension:
        raise InputError(
            f"{names[0]} has {counted(stored.dimension, 'dimension')} and the old model's pairs have {dimension:,}; "
            f"pass what the old model stored"
        )
    return stored.values, read_labels(gallery_labels, len(stored), names[1], names[0])


def refuse_one_class(labels: NDArray[Any], name: str) -> None:
    """Refuse labels by which no map could be told from another.

    Args:
        labels: The labels, ``(n,)``.
        name: What the caller calls them.

    Raises:
        InputError: If they are all the same.
    """
    if len(np.unique(labels)) < 2:
        raise InputError(
            f"{name} holds the single class {labels[0]!s}, and a map is judged by how well classes are told apart; "
            f"pass items of at least two classes"
        )


def refuse_labels_of_two_types(one: tuple[str, NDArray[Any]], other: tuple[str, NDArray[Any]]) -> None:
    """Refuse labels that can never be equal.

    Args:
        one: Name and labels of the one side.
        other: Name and labels of the other.

    Raises:
        InputError: If one side holds numbers and the other text.
    """
    if (one[1].dtype.kind == "U") != (other[1].dtype.kind == "U"):
        raise InputError(
            f"{one[0]} holds {values_of(one[1])} and {other[0]} {values_of(other[1])}; pass one type for both"
        )


def refuse_twins(queries: NDArray[Any], gallery: NDArray[Any], told: tuple[str, str]) -> None:
    """Refuse queries that would find themselves: the same vectors stand in the gallery.

    A vector is the same if it is so up to rounding and, by comparison, the tenth nearest is far away: where vectors
    have two or three dimensions, different items may lie as close to each other as copies of one do elsewhere.

    Args:
        queries: Vectors of the old model, ``(q, d)``.
        gallery: Stored vectors of the old model, ``(m, d)``.
        told: What the caller calls both.

    Raises:
        InputError: If more than a tenth of the queries stand in the gallery.
    """
    twins = _twins(queries, gallery)
    if twins > MOST_TWINS * len(queries):
        raise InputError(
            f"{twins:,} of the {len(queries):,} vectors of {told[0]} stand in {told[1]} as well, where each would "
            f"find itself; leave them out of {told[1]}"
        )


def _twins(queries: NDArray[Any], gallery: NDArray[Any]) -> int:
    hits = search(queries, gallery, k=min(NEIGHBOURS, len(gallery)))
    near = np.flatnonzero(hits.scores[:, 0] > TWIN)
    if not len(near):
        return 0
    asked = unit(queries[near].astype(np.float64))
    # 32-bit scores can't tell such distances apart
    away = np.stack(
        [np.linalg.norm(asked - unit(gallery[rows].astype(np.float64)), axis=1) for rows in hits.rows[near].T]
    )
    nearest, farthest = away.min(axis=0), away.max(axis=0)
    return int(((nearest < SAME) | (nearest < NEARER * farthest)).sum())
