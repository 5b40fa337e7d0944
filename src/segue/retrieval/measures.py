"""Quality measures by name: ``"cmc@1"``, ``"map"``, ``"ndcg@10"``, and their values for each query of a search."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sized
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segue.errors import InputError
from segue.retrieval.embedded import refuse_relevance_of_others
from segue.retrieval.full_ranking import measure_all
from segue.retrieval.judged import Judged, judge
from segue.retrieval.metrics.average_precision import average_precision
from segue.retrieval.metrics.cutoff import cmc, precision, recall
from segue.retrieval.metrics.gain import ndcg
from segue.retrieval.metrics.reciprocal_rank import reciprocal_rank
from segue.retrieval.nearest import MEMORY, search
from segue.retrieval.relevance import Relevance

if TYPE_CHECKING:
    import faiss

_CUT: Mapping[str, Callable[[Judged, int], NDArray[np.float64]]] = {
    "cmc": cmc,
    "recall": recall,
    "precision": precision,
}
_ANY: Mapping[str, Callable[[Judged, int | None], NDArray[np.float64]]] = {
    "map": average_precision,
    "mrr": reciprocal_rank,
    "ndcg": ndcg,
}
_FORM = re.compile(r"([a-z]+)(?:@([1-9][0-9]{0,8}))?", re.ASCII)


@dataclass(frozen=True)
class NamedMeasure:
    """A measure of rankings that was asked for by name.

    Attributes:
        name: The name in lower case.
        k: The rank it cuts at; ``None`` for whole rankings.
        of: The value of each query, ``(q,)``; NaN where nothing is relevant.
    """

    name: str
    k: int | None
    of: Callable[[Judged], NDArray[np.float64]]


def named_measure(name: str) -> NamedMeasure:
    """Return a measure by its name, in capitals or not.

    ``cmc@k`` tells whether anything relevant is among the first ``k`` (what metric learning papers often call
    "recall@k"), ``recall@k`` and ``precision@k`` which shares; ``map``, ``mrr`` and ``ndcg`` are of the whole ranking,
    or cut with ``@k``.

    Args:
        name: The name.

    Returns:
        The measure.

    Raises:
        InputError: If there is none of this name.

    Example:
        >>> named_measure("nDCG@10").name, named_measure("map").k
        ('ndcg@10', None)
    """
    form = _FORM.fullmatch(name.strip().lower()) if isinstance(name, str) else None
    if form is not None:
        kind, cut = form[1], None if form[2] is None else int(form[2])
        if cut is not None and kind in _CUT:
            at, cut_measure = cut, _CUT[kind]
            return NamedMeasure(form[0], cut, lambda judged: cut_measure(judged, at))
        if kind in _ANY:
            any_measure = _ANY[kind]
            return NamedMeasure(form[0], cut, lambda judged: any_measure(judged, cut))
    known = [*(f"{kind}@k" for kind in _CUT), *(form for kind in _ANY for form in (kind, f"{kind}@k"))]
    raise InputError(f"measure is {name!r}; pass one of {', '.join(known)} with a rank in place of k, such as 'cmc@1'")


def query_values(
    measure: str,
    queries: ArrayLike,
    gallery: ArrayLike,
    relevance: Relevance,
    *,
    metric: str = "cosine",
    memory: int = MEMORY,
    index: faiss.Index | str | None = None,
) -> NDArray[np.float64]:
    """Search, and measure what was found for each query.

    Args:
        measure: The measure's name, see :func:`named_measure`.
        queries: Query vectors, ``(q, d)``.
        gallery: Gallery vectors, ``(n, d)``.
        relevance: What is relevant to these queries in this gallery; the own copies that it excludes are not found.
        metric: ``"cosine"``, ``"inner-product"`` or ``"l2"``.
        memory: Bytes of working memory.
        index: A faiss index over the gallery, or the string of an index factory, for an approximate search.

    Returns:
        One value per query, ``(q,)``, in [0, 1]; NaN where nothing is relevant.

    Raises:
        InputError: If anything passed is not as described, or an index is to rank the whole gallery.

    Example:
        >>> relevance = Relevance.from_labels(["cat"], ["dog", "cat", "cat"])
        >>> gallery = [[1.0, 0.1], [1.0, 0.2], [1.0, 0.3]]
        >>> [float(query_values(name, [[1.0, 0.0]], gallery, relevance)[0]) for name in ("cmc@1", "cmc@2", "mrr")]
        [0.0, 1.0, 0.5]
    """
    asked = named_measure(measure)
    if isinstance(queries, Sized) and isinstance(gallery, Sized):
        refuse_relevance_of_others(relevance, {"queries": queries, "gallery": gallery})
    if asked.k is None:
        refuse_index_for_whole_rankings(asked, index)
        values = measure_all(queries, gallery, relevance, {asked.name: asked.of}, metric=metric, memory=memory)
        return values[asked.name]
    hits = search(queries, gallery, asked.k, metric=metric, exclude=relevance.exclude, memory=memory, index=index)
    return asked.of(judge(hits, relevance))


def refuse_index_for_whole_rankings(measure: NamedMeasure, index: object | None) -> None:
    """Refuse an index where the whole ranking is measured: it only proposes the first.

    Args:
        measure: The measure.
        index: The caller's index.

    Raises:
        InputError: If there is one and the measure has no cut.
    """
    if index is not None and measure.k is None:
        raise InputError(
            f"measure {measure.name!r} needs the whole ranking, of which an index only finds the first; pass a cut, "
            f"such as '{measure.name}@100', or leave index out"
        )
