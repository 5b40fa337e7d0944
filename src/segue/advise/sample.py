"""The calibration sample as the caller passes it, read and checked once."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segue.adapters.calibration import (
    read_gallery,
    read_labels,
    refuse_labels_of_two_types,
    refuse_one_class,
    refuse_twins,
)
from segue.adapters.pairs import as_floats, read_pairs, read_vectors
from segue.advise.repeats import refuse_repeated
from segue.errors import InputError
from segue.flips.checks import counted
from segue.retrieval import Relevance

Rows = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Asking:
    """Queries apart from the calibration items.

    Attributes:
        old: As the old model embeds them, ``(q, d_old)``.
        new: As the new model does, ``(q, d_new)``.
        labels: Their labels, ``(q,)``.
    """

    old: Rows
    new: Rows
    labels: Rows


@dataclass(frozen=True, eq=False)
class Sample:
    """Items that both models have embedded, and what else is known.

    Attributes:
        old: The items as the old model embeds them, ``(n, d_old)``, of length 1.
        new: As the new model does, ``(n, d_new)``.
        labels: Their labels, ``(n,)``; ``None`` for none.
        queries: Queries of their own; ``None`` where the items are each other's queries.
        gallery: What the old model stored, ``(m, d_old)``; ``None`` where it is not given.
        gallery_labels: Their labels, ``(m,)``.
        repeated: How many items, and how many queries, are there more than once.
    """

    old: Rows
    new: Rows
    labels: Rows | None
    queries: Asking | None
    gallery: Rows | None
    gallery_labels: Rows | None
    repeated: tuple[int, int] = (0, 0)

    def __len__(self) -> int:
        """Return the number of items that both models have embedded."""
        return len(self.old)

    @property
    def asked(self) -> Asking | None:
        """The labelled queries: those apart, or else the items; ``None`` where nothing has labels."""
        if self.queries is not None:
            return self.queries
        return None if self.labels is None else Asking(self.old, self.new, self.labels)

    def among_items(self) -> Relevance | None:
        """Return what is relevant to the queries among the items; ``None`` where that is not known."""
        if self.labels is None or self.asked is None:
            return None
        own = np.arange(len(self)) if self.queries is None else None
        return Relevance.from_labels(self.asked.labels, self.labels, exclude=own)


def read_sample(
    old: ArrayLike,
    new: ArrayLike,
    labels: ArrayLike | None,
    queries: tuple[ArrayLike | None, ArrayLike | None, ArrayLike | None],
    gallery: tuple[ArrayLike | None, ArrayLike | None],
) -> Sample:
    """Read the sample.

    Args:
        old: Items as the old model embeds them, ``(n, d_old)``.
        new: The same items as the new model does, ``(n, d_new)``.
        labels: Their labels, ``(n,)``.
        queries: Queries of the old model, of the new one, and their labels.
        gallery: What the old model stored, and its labels.

    Returns:
        The sample.

    Raises:
        InputError: If something is wrong with any of it; the sentence says what and where.
    """
    try:
        one, other = read_pairs(old, new, unit=True)
    except InputError as error:
        named = {"source": "old", "target": "new"}
        raise InputError(re.sub(r"\b(source|target)\b", lambda found: named[found[1]], str(error))) from error
    item_labels = None if labels is None else read_labels(labels, len(one), "labels", "old")
    asking = _queries(queries, (one.shape[1], other.shape[1]))
    stored, stored_labels = _gallery(gallery, one.shape[1])
    if stored is not None and asking is None and item_labels is None:
        raise InputError("gallery_old is given, and no query has labels; pass labels, or queries with query_labels")
    known = {"labels": item_labels, "query_labels": None if asking is None else asking.labels,
             "gallery_labels": stored_labels}  # fmt: skip
    given = [(name, column) for name, column in known.items() if column is not None]
    for later in given[1:]:
        refuse_labels_of_two_types(given[0], later)
    if item_labels is not None:
        refuse_one_class(item_labels, "labels")
    repeated = refuse_repeated(one, other, ("old", "new"))
    asked_twice = 0
    if asking is not None:
        asked_twice = refuse_repeated(asking.old, asking.new, ("queries_old", "queries_new"))
        refuse_twins(asking.old, one, ("queries_old", "old"))
    if stored is not None:
        refuse_twins(one, stored, ("old", "gallery_old"))
        if asking is not None:
            refuse_twins(asking.old, stored, ("queries_old", "gallery_old"))
    return Sample(one, other, item_labels, asking, stored, stored_labels, (repeated, asked_twice))


def _queries(
    given: tuple[ArrayLike | None, ArrayLike | None, ArrayLike | None], dimensions: tuple[int, int]
) -> Asking | None:
    names = ("queries_old", "queries_new", "query_labels")
    old, new, labels = given
    missing = [name for name, values in zip(names, given, strict=True) if values is None]
    if len(missing) == len(names):
        return None
    if old is None or new is None or labels is None:
        raise InputError(f"{missing[0]} is missing; pass {', '.join(names[:-1])} and {names[-1]}, or none of them")
    sides = []
    for name, values, dimension in zip(names[:2], (old, new), dimensions, strict=True):
        vectors = read_vectors(values, name, unit=True)
        if vectors.dimension != dimension:
            model = name.removeprefix("queries_")
            raise InputError(
                f"{name} has {counted(vectors.dimension, 'dimension')} and {model} has {dimension:,}; embed both with "
                f"the {model} model"
            )
        sides.append(as_floats(vectors.values, unit=True))
    if len(sides[0]) != len(sides[1]):
        raise InputError(
            f"queries_old has {counted(len(sides[0]), 'row')} and queries_new has {len(sides[1]):,}; pass the same "
            f"queries in the same order"
        )
    return Asking(sides[0], sides[1], read_labels(labels, len(sides[0]), "query_labels", "queries_old"))


def _gallery(given: tuple[ArrayLike | None, ArrayLike | None], dimension: int) -> tuple[Rows | None, Rows | None]:
    gallery, labels = given
    if (gallery is None) != (labels is None):
        has, lacks = ("gallery_labels", "gallery_old") if gallery is None else ("gallery_old", "gallery_labels")
        raise InputError(f"{has} is given without {lacks}; pass both, or neither")
    if gallery is None or labels is None:
        return None, None
    return read_gallery(gallery, labels, dimension, ("gallery_old", "gallery_labels"))
