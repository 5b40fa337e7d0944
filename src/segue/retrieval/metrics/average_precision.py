"""Average precision, whose mean over queries is mAP."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from segue.retrieval.judged import Judged


def average_precision(judged: Judged, k: int | None = None) -> NDArray[np.float64]:
    r"""Average the precision at the ranks of the relevant items (Buckley and Voorhees, SIGIR 2000).

    .. math:: \mathrm{AP@}k = \frac{1}{R} \sum_{i:\, r_i \le k} \frac{i}{r_i}

    with :math:`r_i` the rank of the ``i``-th relevant item and ``R`` the number of *all* relevant items, found or not.
    This is trec_eval's ``map`` and ``map_cut``; others divide by the smaller of ``R`` and ``k``, which gives higher
    numbers. There is no interpolation.

    Args:
        judged: The rankings.
        k: The rank to cut at; as deep as the rankings go by default, which is the full average precision only for
            whole rankings (:func:`segue.retrieval.full_average_precision`).

    Returns:
        One value per query, ``(q,)``; NaN where nothing is relevant.

    Example:
        >>> from segue.retrieval import Hits, Relevance, judge
        >>> hits = Hits(np.array([[0, 1, 2]]), np.array([[0.9, 0.8, 0.7]]))
        >>> judged = judge(hits, Relevance.from_labels([1], [1, 0, 1, 1]))
        >>> round(float(average_precision(judged)[0]), 4)  # (1/1 + 2/3) / 3: the third was not found
        0.5556
    """
    query, rank = judged.relevant(k)
    found = np.bincount(query, minlength=len(judged))
    before = np.cumsum(found) - found
    number = np.arange(len(query)) - before[query] + 1
    totals = np.bincount(query, weights=number / rank, minlength=len(judged))
    return judged.defined(totals / np.maximum(judged.relevance.totals, 1))
