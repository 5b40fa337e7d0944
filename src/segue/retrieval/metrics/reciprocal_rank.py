"""Reciprocal rank, whose mean over queries is MRR."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from segue.retrieval.judged import Judged


def reciprocal_rank(judged: Judged, k: int | None = None) -> NDArray[np.float64]:
    """Return one over the rank of the first relevant item (Voorhees, TREC-8, 1999).

    Args:
        judged: The rankings.
        k: The rank to cut at; as deep as the rankings go by default.

    Returns:
        One value per query, ``(q,)``; 0 where the first is further down, NaN where nothing is relevant.

    Example:
        >>> from segue.retrieval import Hits, Relevance, judge
        >>> hits = Hits(np.array([[0, 1, 2]]), np.array([[0.9, 0.8, 0.7]]))
        >>> judged = judge(hits, Relevance.from_labels([1], [0, 1, 1]))
        >>> float(reciprocal_rank(judged)[0]), float(reciprocal_rank(judged, k=1)[0])
        (0.5, 0.0)
    """
    query, rank = judged.relevant(k)
    values = np.zeros(len(judged))
    found, place = np.unique(query, return_index=True)
    values[found] = 1.0 / rank[place]
    return judged.defined(values)
