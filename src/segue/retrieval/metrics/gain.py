"""Normalised discounted cumulative gain: rankings against graded relevance."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from segue.retrieval.judged import Judged

Gain = Callable[[NDArray[np.float64]], NDArray[np.float64]]


def linear_gain(grades: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the grades themselves (Jarvelin and Kekalainen, TOIS 2002; trec_eval).

    Args:
        grades: Grades above 0.

    Returns:
        The same.
    """
    return grades


def exponential_gain(grades: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return ``2^grade - 1``, which stresses the best grades (Burges et al., ICML 2005).

    Args:
        grades: Grades above 0.

    Returns:
        The gains.
    """
    return np.asarray(np.exp2(grades) - 1)


def ndcg(judged: Judged, k: int | None = None, *, gain: Gain = linear_gain) -> NDArray[np.float64]:
    r"""Return the discounted gain over that of the best possible ranking (Jarvelin and Kekalainen, TOIS 2002).

    .. math:: \mathrm{nDCG@}k = \frac{\sum_{r \le k} g_r / \log_2(r + 1)}{\sum_{r \le k} g^*_r / \log_2(r + 1)}

    with :math:`g_r` the gain at rank ``r`` and :math:`g^*` the gains of all graded items in falling order, found or
    not. All grades above 0 count, whatever ``at_least`` is. The discount is trec_eval's.

    Args:
        judged: The rankings.
        k: The rank to cut both sums at; as deep as the rankings go by default.
        gain: What a grade is worth: :func:`linear_gain`, :func:`exponential_gain` or any rising function.

    Returns:
        One value per query, ``(q,)``; NaN where nothing has a grade above 0.

    Example:
        >>> from segue.retrieval import Hits, Relevance, judge
        >>> hits = Hits(np.array([[0, 1]]), np.array([[0.9, 0.8]]))
        >>> judged = judge(hits, Relevance.from_qrels({"q": {"a": 1, "b": 3}}, ["q"], ["a", "b"]))
        >>> round(float(ndcg(judged)[0]), 4)  # (1 + 3/log2(3)) / (3 + 1/log2(3))
        0.7967
    """
    cut = judged.cut(k)
    kept = judged.rank <= cut
    discounted = gain(judged.grade[kept]) / np.log2(judged.rank[kept] + 1)
    found = np.bincount(judged.query[kept], weights=discounted, minlength=len(judged))
    best = _best(judged, cut, gain)
    return np.where(best > 0, found / np.where(best > 0, best, 1.0), np.nan)


def _best(judged: Judged, cut: float, gain: Gain) -> NDArray[np.float64]:
    """Return the discounted gain of each query's best ranking, ``(q,)``: once for all queries that share it."""
    relevance = judged.relevance
    kinds, kind = np.unique(np.stack([relevance.lists, relevance.own_grades]), axis=1, return_inverse=True)
    best = np.zeros(kinds.shape[1])
    for place, query in enumerate(np.unique(kind, return_index=True)[1]):
        grades = np.sort(relevance.items(int(query))[1])[::-1]
        grades = grades[: len(grades) if cut > len(grades) else int(cut)]
        best[place] = float(np.sum(gain(grades) / np.log2(np.arange(len(grades)) + 2)))
    return best[kind.ravel()]
