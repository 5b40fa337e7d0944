"""Retrieval flips of graded measures: by how much the new system ranks a query better or worse than the old one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from numpy.typing import ArrayLike

from segue.flips import GradedReport, compare_scores
from segue.retrieval.asked import WithoutRelevant, asked_queries, indexes_of, two_systems
from segue.retrieval.measures import named_measure, query_values, refuse_index_for_whole_rankings
from segue.retrieval.nearest import MEMORY
from segue.retrieval.relevance import Relevance

if TYPE_CHECKING:
    import faiss


def retrieval_score_flips(
    queries_old: ArrayLike,
    queries_new: ArrayLike,
    gallery_old: ArrayLike,
    gallery_new: ArrayLike,
    relevance: Relevance,
    *,
    measure: str = "ndcg@10",
    tolerance: float = 0.0,
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
) -> GradedReport:
    """Measure query by query by how much an update of a search system lowers or raises a measure of the ranking.

    Args:
        queries_old: The queries embedded for the old system, ``(q, d_old)``.
        queries_new: The same queries embedded for the new system, ``(q, d_new)``.
        gallery_old: What the old queries search, ``(n, d_old)``.
        gallery_new: What the new queries search, ``(n, d_new)``: the same items in the same order.
        relevance: What is relevant to these queries in this gallery.
        measure: The measure, such as ``"ndcg@10"`` or ``"map"``; see
            :func:`segue.retrieval.measures.named_measure`.
        tolerance: A drop is a negative flip when it is larger than this; the measure lies in [0, 1].
        metric: ``"cosine"``, ``"inner-product"`` or ``"l2"``.
        ids: Names of the queries, ``(q,)``, each once; their positions by default.
        slices: Columns to break the rates down by, ``(q,)`` each: a mapping or a data frame.
        weights: Weight of each query, ``(q,)``.
        groups: Which person, product or session each query comes from, ``(q,)``.
        without_relevant: What becomes of queries to which nothing is relevant: ``"refuse"``, or ``"leave out"`` with a
            note in the report.
        confidence: Coverage of the intervals.
        discover_slices: Also look for conjunctions of conditions on the slice columns in which losses concentrate.
        names: What the old and the new system are called.
        seed: Seed of the cluster bootstrap and of the discovery's split.
        index: For approximate searches: the string of a faiss index factory, or the two galleries' indexes.
        memory: Bytes of working memory of a search.

    Returns:
        The report of :func:`segue.flips.compare_scores`.

    Raises:
        InputError: If anything passed is not as described; the sentence says what and where.

    Example:
        >>> gallery = [[1.0, 0.0], [0.9, 0.5], [0.0, 1.0]]
        >>> relevance = Relevance.from_labels(["cat", "dog"], ["cat", "pig", "dog"])
        >>> old, new = [[1.0, 0.0], [1.0, 0.0]], [[0.9, 0.5], [0.0, 1.0]]
        >>> report = retrieval_score_flips(old, new, gallery, gallery, relevance, measure="mrr")
        >>> round(report.score_old.value, 3), report.score_new.value  # (1 + 1/3) / 2 and (1/2 + 1) / 2
        (0.667, 0.75)
    """
    named = named_measure(measure)
    refuse_index_for_whole_rankings(named, index)
    asked = asked_queries(
        relevance, without_relevant, confidence, names, seed, ids=ids, slices=slices, weights=weights, groups=groups
    )
    systems = two_systems(queries_old, queries_new, gallery_old, gallery_new, relevance, metric)
    old, new = (
        query_values(named.name, queries.values, gallery.values, relevance, metric=metric, memory=memory, index=one)[
            asked.kept
        ]
        for (queries, gallery), one in zip(systems, indexes_of(index), strict=True)
    )
    report = compare_scores(
        old, new, tolerance=tolerance, **asked.options,
        confidence=confidence, discover_slices=discover_slices, names=names, seed=seed,
    )  # fmt: skip
    note = f"a sample is a query, and its score is its {named.name}"
    return replace(report, notes=(note, *asked.notes, *report.notes))
