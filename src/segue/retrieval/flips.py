"""Retrieval flips: what the old system found and the new one does not, query by query.

A system is a query model with a gallery. The same report, slices, gate and exit codes as for the answers of classifiers
(:mod:`segue.flips`) hold for queries: a sample is a query, and its answer is right when something relevant was found.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segue.flips import FlipReport, compare
from segue.flips.checks import counted
from segue.retrieval.asked import WithoutRelevant, asked_queries, indexes_of, two_systems
from segue.retrieval.judged import Judged, judge
from segue.retrieval.metrics.cutoff import cmc
from segue.retrieval.nearest import MEMORY, search
from segue.retrieval.relevance import Relevance

if TYPE_CHECKING:
    import faiss

FOUND, NOT_FOUND = "found", "not found"


def found(judged: Judged, k: int) -> NDArray[np.bool_]:
    """Tell for which queries something relevant stands within the first ``k``.

    Two of these, of the same queries, are answers to compare: ``compare(np.ones(q, dtype=int), found(old, 10),
    found(new, 10))``.

    Args:
        judged: The rankings.
        k: The rank.

    Returns:
        One flag per query, ``(q,)``; false also where nothing is relevant (``judged.relevance.without_relevant``).

    Example:
        >>> from segue.retrieval import Hits
        >>> hits = Hits(np.array([[0, 1], [1, 0]]), np.array([[0.9, 0.8], [0.9, 0.8]]))
        >>> found(judge(hits, Relevance.from_labels([5, 5], [5, 7])), k=1).tolist()
        [True, False]
    """
    return np.asarray(cmc(judged, k) == 1)


def retrieval_flips(
    queries_old: ArrayLike,
    queries_new: ArrayLike,
    gallery_old: ArrayLike,
    gallery_new: ArrayLike,
    relevance: Relevance,
    *,
    k: int = 10,
    metric: str = "cosine",
    ids: ArrayLike | None = None,
    slices: Mapping[str, ArrayLike] | Any | None = None,
    weights: ArrayLike | None = None,
    groups: ArrayLike | None = None,
    without_relevant: WithoutRelevant = "refuse",
    confidence: float = 0.95,
    discover_slices: bool = False,
    names: tuple[str, str] = ("old", "new"),
    seed: int = 0,
    index: tuple[faiss.Index, faiss.Index] | str | None = None,
    memory: int = MEMORY,
) -> FlipReport:
    """Measure query by query what an update of a search system loses and gains.

    A query is answered when one of its relevant items is among the ``k`` nearest. Those that the old system answers and
    the new one does not are the negative flips. What the new system is depends on the gallery passed for it: the new
    model's for a full upgrade; the old gallery once more, with new queries of its space, for an update without
    re-embedding; a partly re-embedded one in between.

    Args:
        queries_old: The queries embedded for the old system, ``(q, d_old)``.
        queries_new: The same queries embedded for the new system, ``(q, d_new)``.
        gallery_old: What the old queries search, ``(n, d_old)``.
        gallery_new: What the new queries search, ``(n, d_new)``: the same items in the same order.
        relevance: What is relevant to these queries in this gallery.
        k: How many of the nearest count.
        metric: ``"cosine"``, ``"inner-product"`` or ``"l2"``.
        ids: Names of the queries, ``(q,)``, each once; their positions by default.
        slices: Columns to break the rates down by, ``(q,)`` each: a mapping or a data frame.
        weights: Weight of each query, ``(q,)``.
        groups: Which person, product or session each query comes from, ``(q,)``.
        without_relevant: What becomes of queries to which nothing is relevant: ``"refuse"``, or ``"leave out"`` with a
            note in the report.
        confidence: Coverage of the intervals.
        discover_slices: Also look for conjunctions of conditions on the slice columns in which flips concentrate.
        names: What the old and the new system are called.
        seed: Seed of the cluster bootstrap and of the discovery's split.
        index: For approximate searches: the string of a faiss index factory, or the two galleries' indexes.
        memory: Bytes of working memory of a search.

    Returns:
        The report of :func:`segue.flips.compare`. The table of flipped queries also holds the number of relevant items
        (``relevant``) and the gallery rows that were nearest (``old_nearest``, ``new_nearest``).

    Raises:
        InputError: If anything passed is not as described; the sentence says what and where.

    Example:
        >>> gallery = [[1.0, 0.0], [0.0, 1.0]]
        >>> relevance = Relevance.from_labels(["cat", "dog"], ["cat", "dog"])
        >>> old, new = [[1.0, 0.0], [1.0, 0.1]], [[0.1, 1.0], [0.0, 1.0]]
        >>> report = retrieval_flips(old, new, gallery, gallery, relevance, k=1)
        >>> report.negative_flips, report.positive_flips  # the cat is lost, the dog is found
        (1, 1)
    """
    asked = asked_queries(
        relevance, without_relevant, confidence, names, seed, ids=ids, slices=slices, weights=weights, groups=groups
    )
    systems = two_systems(queries_old, queries_new, gallery_old, gallery_new, relevance, metric)
    hits = [
        search(queries.values, gallery.values, k, metric=metric, exclude=relevance.exclude, memory=memory, index=one)
        for (queries, gallery), one in zip(systems, indexes_of(index), strict=True)
    ]
    old, new = (np.where(found(judge(one, relevance), k), FOUND, NOT_FOUND)[asked.kept] for one in hits)
    report = compare(
        np.full(len(asked.kept), FOUND), old, new, **asked.options,
        confidence=confidence, discover_slices=discover_slices, names=names, seed=seed,
    )  # fmt: skip
    rows = asked.positions_of(report.flips)
    more = {
        "relevant": relevance.totals[rows],
        "old_nearest": hits[0].rows[rows, 0],
        "new_nearest": hits[1].rows[rows, 0],
    }
    flips = replace(report.flips, columns={**report.flips.columns, **more})
    among = "the nearest item is relevant" if k == 1 else f"a relevant item is among the {k:,} nearest"
    note = f"a sample is a query, and its answer is right when {among}"
    empty = [int((one.rows[asked.kept, 0] < 0).sum()) for one in hits]
    nothing = [
        f"the search of {name} found nothing at all for {counted(count, 'query')}"
        for name, count in zip(names, empty, strict=True)
        if count
    ]
    return replace(report, flips=flips, notes=(note, *nothing, *asked.notes, *report.notes))
