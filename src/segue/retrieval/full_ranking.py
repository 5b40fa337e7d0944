"""Metrics of whole rankings: the rank of every relevant item among all of the gallery."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segue.retrieval.embedded import refuse_relevance_of_others
from segue.retrieval.judged import Judged
from segue.retrieval.metrics.average_precision import average_precision
from segue.retrieval.nearest import MEMORY, gallery_vectors, working_memory
from segue.retrieval.order import LAST, keys
from segue.retrieval.relevance import Relevance
from segue.retrieval.scores import score_matrix
from segue.retrieval.vectors import Metric, Vectors, as_vectors, known_metric, same_dimension

Measure = Callable[[Judged], NDArray[np.float64]]


def measure_all(
    queries: ArrayLike,
    gallery: ArrayLike,
    relevance: Relevance,
    measures: Mapping[str, Measure],
    *,
    metric: str = "cosine",
    memory: int = MEMORY,
) -> dict[str, NDArray[np.float64]]:
    """Measure whole rankings, exactly, a few queries at a time.

    Scores, their order and ties are those of :func:`segue.retrieval.search`. The own copies that ``relevance``
    excludes are left out of the rankings.

    Args:
        queries: Query vectors, ``(q, d)``.
        gallery: Gallery vectors, ``(n, d)``.
        relevance: What is relevant to these queries in this gallery.
        measures: The metrics by name: functions of rankings such as ``average_precision`` and ``ndcg``.
        metric: ``"cosine"``, ``"inner-product"`` or ``"l2"``.
        memory: Bytes of working memory beside the inputs and the results.

    Returns:
        One value per query, ``(q,)``, by the names of ``measures``.

    Raises:
        InputError: If anything passed is not as described; the sentence says what and where.

    Example:
        >>> relevance = Relevance.from_labels([1], [1, 0, 1, 0])
        >>> gallery = [[1.0, 0.1], [1.0, 0.2], [1.0, 0.3], [1.0, 0.4]]
        >>> values = measure_all([[1.0, 0.0]], gallery, relevance, {"AP": average_precision})
        >>> round(float(values["AP"][0]), 4)  # (1/1 + 2/3) / 2
        0.8333
    """
    kind = known_metric(metric)
    asked, held = as_vectors(queries, "queries", kind), gallery_vectors(gallery, kind)
    same_dimension(asked, held)
    refuse_relevance_of_others(relevance, {"queries": asked, "gallery": held})
    budget = working_memory(memory)
    longest = int(np.diff(relevance.starts).max(initial=0))
    chunk = max(1, budget // 2 // (8 * len(held) + 64 * longest))
    parts: dict[str, list[NDArray[np.float64]]] = {name: [] for name in measures}
    for start in range(0, len(asked), chunk):
        rows = np.arange(start, min(start + chunk, len(asked)))
        part = relevance.select(rows)
        judged = _judged(all_keys(asked, rows, held, part, kind, budget), part)
        for name, measure in measures.items():
            parts[name].append(measure(judged))
    return {name: np.concatenate(values) for name, values in parts.items()}


def full_average_precision(
    queries: ArrayLike, gallery: ArrayLike, relevance: Relevance, *, metric: str = "cosine", memory: int = MEMORY
) -> NDArray[np.float64]:
    """Return the average precision of whole rankings; its mean is mAP.

    Args:
        queries: Query vectors, ``(q, d)``.
        gallery: Gallery vectors, ``(n, d)``.
        relevance: What is relevant to these queries in this gallery.
        metric: ``"cosine"``, ``"inner-product"`` or ``"l2"``.
        memory: Bytes of working memory.

    Returns:
        One value per query, ``(q,)``; NaN where nothing is relevant.
    """
    measures = {"average_precision": average_precision}
    return measure_all(queries, gallery, relevance, measures, metric=metric, memory=memory)["average_precision"]


def all_keys(
    queries: Vectors, rows: NDArray[np.int64], gallery: Vectors, relevance: Relevance, metric: Metric, memory: int
) -> NDArray[np.uint64]:
    """Return the sorting keys of all gallery items for some queries: their whole rankings, not yet sorted.

    Args:
        queries: All queries, ``(q, d)``.
        rows: The queries that are asked for, ``(c,)``.
        gallery: The gallery, ``(n, d)``.
        relevance: The relevance of these queries alone, whose own copies stand last.
        metric: How vectors are compared.
        memory: Bytes of working memory beside the result.

    Returns:
        Keys in the order of the gallery, ``(c, n)``, see :mod:`segue.retrieval.order`.
    """
    packed = np.empty((len(rows), len(gallery)), dtype=np.uint64)
    block = int(np.clip(memory // 4 // (48 * len(rows) + 24 * gallery.dimension), 1, len(gallery)))
    for start in range(0, len(gallery), block):
        stop = min(start + block, len(gallery))
        scores = score_matrix(queries.values, rows, gallery.values, start, stop, metric)
        packed[:, start:stop] = keys(scores, np.arange(start, stop))
    own = np.flatnonzero(relevance.exclude >= 0)
    packed[own, relevance.exclude[own]] = LAST
    return packed


def _judged(packed: NDArray[np.uint64], relevance: Relevance) -> Judged:
    ranks, grades = [], []
    for query, line in enumerate(packed):
        found, graded = relevance.items(query)
        wanted = line[found]
        order = np.argsort(wanted)
        line.sort()
        ranks.append(np.searchsorted(line, wanted[order]) + 1)
        grades.append(graded[order])
    number = np.repeat(np.arange(len(packed)), [len(rank) for rank in ranks])
    return Judged(number, np.concatenate(ranks).astype(np.int64), np.concatenate(grades), None, relevance)
