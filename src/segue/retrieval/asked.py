"""What two search systems are asked: which queries count, what the caller says of them, and the vectors of both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segue.errors import InputError
from segue.flips.checks import (
    group_numbers,
    proportion,
    sample_weights,
    seed_number,
    slice_columns,
    unique_ids,
)
from segue.flips.samples import FlippedSamples
from segue.retrieval.embedded import embedded, refuse_other_relevance
from segue.retrieval.relevance import Relevance
from segue.retrieval.vectors import Vectors, same_dimension

if TYPE_CHECKING:
    import faiss

WithoutRelevant = Literal["refuse", "leave out"]


@dataclass(frozen=True, eq=False)
class Asked:
    """The queries that count.

    Attributes:
        kept: Their positions among all, ``(m,)``.
        options: Their ids, slices, weights and groups.
        notes: What a reader must know of those left out.
    """

    kept: NDArray[np.int64]
    options: dict[str, Any]
    notes: tuple[str, ...]

    def positions_of(self, flips: FlippedSamples) -> NDArray[np.int64]:
        """Return where flipped queries stand among all.

        Args:
            flips: The flipped queries, by id.

        Returns:
            Their positions, ``(flips,)``.
        """
        order = np.argsort(self.options["ids"])
        return self.kept[order[np.searchsorted(self.options["ids"], flips.columns["id"], sorter=order)]]


def asked_queries(
    relevance: Relevance,
    without_relevant: str,
    confidence: float,
    names: tuple[str, str],
    seed: int,
    *,
    ids: ArrayLike | None,
    slices: Mapping[str, ArrayLike] | Any | None,
    weights: ArrayLike | None,
    groups: ArrayLike | None,
) -> Asked:
    """Say which queries count, before anything is searched.

    Args:
        relevance: What is relevant.
        without_relevant: What becomes of queries to which nothing is: ``"refuse"`` or ``"leave out"``.
        confidence: Coverage of the intervals.
        names: What the old and the new system are called.
        seed: Seed of what will be drawn.
        ids: Names of the queries, ``(q,)``.
        slices: Columns of the queries, ``(q,)`` each.
        weights: Their weights, ``(q,)``.
        groups: Their groups, ``(q,)``.

    Returns:
        Those to which something is relevant.

    Raises:
        InputError: If there are others and they are not to be left out, or something else is not as described.
    """
    proportion(confidence, "confidence")
    seed_number(seed)
    refuse_other_than_two_names(names)
    refuse_other_relevance(relevance)
    if without_relevant not in get_args(WithoutRelevant):
        raise InputError(f"without_relevant is {without_relevant!r}; pass 'refuse' or 'leave out'")
    count, without = len(relevance), relevance.without_relevant
    if 0 < len(without) < count and without_relevant == "refuse":
        them = "query, which has" if len(without) == 1 else "queries, which have"
        raise InputError(
            f"relevance has nothing relevant to {len(without):,} {them} no answer to lose, first at query "
            f"{without[0]}; pass without_relevant='leave out' or remove {'it' if len(without) == 1 else 'them'}"
        )
    kept = np.flatnonzero(relevance.totals > 0)
    options: dict[str, Any] = {"ids": kept}
    weight, group = sample_weights(weights, count, "queries_old"), group_numbers(groups, count, "queries_old")
    if ids is not None:
        options["ids"] = unique_ids(ids, count, "queries_old")[kept]
    if weight is not None:
        options["weights"] = weight[kept]
    if group is not None:
        options["groups"] = group[kept]
    if slices is not None:
        options["slices"] = {name: column[kept] for name, column in slice_columns(slices, count, "queries_old").items()}
    left = f"{len(without):,} {'query was' if len(without) == 1 else 'queries were'} left out: nothing is relevant to "
    return Asked(kept, options, (left + ("it" if len(without) == 1 else "them"),) if len(without) else ())


def refuse_other_than_two_names(names: object) -> None:
    """Refuse what are not the names of two systems.

    Args:
        names: What the caller passed.

    Raises:
        InputError: If it is no pair of strings.
    """
    if not (isinstance(names, (tuple, list)) and len(names) == 2 and all(isinstance(name, str) for name in names)):
        raise InputError(f"names is {names!r}; pass the names of the old and of the new model as a pair")


def two_systems(
    queries_old: ArrayLike,
    queries_new: ArrayLike,
    gallery_old: ArrayLike,
    gallery_new: ArrayLike,
    relevance: Relevance,
    metric: str,
) -> tuple[tuple[Vectors, Vectors], tuple[Vectors, Vectors]]:
    """Read the vectors of both systems.

    Args:
        queries_old: The old system's queries, ``(q, d_old)``.
        queries_new: The new system's, ``(q, d_new)``.
        gallery_old: What the old queries search, ``(n, d_old)``.
        gallery_new: What the new queries search, ``(n, d_new)``.
        relevance: What is relevant.
        metric: What vectors are compared by.

    Returns:
        Queries and gallery of the old and of the new system.
    """
    held = embedded(
        {"queries_old": queries_old, "queries_new": queries_new},
        {"gallery_old": gallery_old, "gallery_new": gallery_new},
        relevance,
        metric,
    )
    old, new = (held["queries_old"], held["gallery_old"]), (held["queries_new"], held["gallery_new"])
    same_dimension(*old)
    same_dimension(*new)
    return old, new


def indexes_of(index: tuple[faiss.Index, faiss.Index] | str | None) -> tuple[Any, Any]:
    """Return the index for each of two galleries.

    Args:
        index: The caller's: the string of an index factory, or one index for each.

    Returns:
        That of the old and that of the new gallery.

    Raises:
        InputError: If it is neither.
    """
    if index is None or isinstance(index, str):
        return index, index
    if isinstance(index, (tuple, list)) and len(index) == 2:
        return index[0], index[1]
    raise InputError(
        f"index is a {type(index).__name__}; pass the string of an index factory, or the indexes of the old and of the "
        f"new gallery as a pair"
    )
