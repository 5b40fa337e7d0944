"""What is found down to a rank: CMC, recall and precision."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from segue.retrieval.judged import Judged


def cmc(judged: Judged, k: int) -> NDArray[np.float64]:
    """Tell whether anything relevant is found: cumulative matching characteristic at rank ``k``.

    The mean over queries is the rank-``k`` rate of a CMC curve (Gray et al., PETS 2007, for probes with several
    matches: the first one counts); ``k=1`` is top-1 accuracy. Much of the metric learning literature calls this
    "recall@k" (Jegou et al., PAMI 2011); :func:`recall` is the share of the relevant items that is found. Both are
    the same where each query has a single relevant item. trec_eval: ``success``.

    Args:
        judged: The rankings.
        k: The rank.

    Returns:
        1 or 0 per query, ``(q,)``; NaN where nothing is relevant.

    Example:
        >>> from segue.retrieval import Relevance, judge, search
        >>> hits = search([[1.0, 0.0]], [[1.0, 0.1], [1.0, 0.2], [1.0, 0.3]], k=3)
        >>> judged = judge(hits, Relevance.from_labels([1], [0, 1, 1]))
        >>> [float(metric(judged, k)[0]) for metric in (cmc, recall, precision) for k in (1, 2)]
        [0.0, 1.0, 0.0, 0.5, 0.0, 0.5]
    """
    query, _ = judged.relevant(k)
    return judged.defined((np.bincount(query, minlength=len(judged)) > 0).astype(np.float64))


def recall(judged: Judged, k: int) -> NDArray[np.float64]:
    """Return the share of a query's relevant items that stand within the first ``k``.

    At most ``k`` over the number of relevant items where there are more than ``k``. trec_eval: ``recall``.

    Args:
        judged: The rankings.
        k: The rank.

    Returns:
        One value per query, ``(q,)``; NaN where nothing is relevant.

    Example:
        See :func:`cmc`.
    """
    query, _ = judged.relevant(k)
    totals = judged.relevance.totals
    return judged.defined(np.bincount(query, minlength=len(judged)) / np.maximum(totals, 1))


def precision(judged: Judged, k: int) -> NDArray[np.float64]:
    """Return the share of the first ``k`` ranks that hold a relevant item.

    The denominator is ``k`` also where the gallery or the search had fewer items. trec_eval: ``P``.

    Args:
        judged: The rankings.
        k: The rank.

    Returns:
        One value per query, ``(q,)``; NaN where nothing is relevant.

    Example:
        See :func:`cmc`.
    """
    query, _ = judged.relevant(k)
    return judged.defined(np.bincount(query, minlength=len(judged)) / k)
