"""Identification in an open set, one to many: who is this, if anybody here?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segue.errors import InputError
from segue.flips.checks import counted, proportion, seed_number
from segue.flips.estimate import Estimate
from segue.flips.intervals import clopper_pearson
from segue.retrieval.hits import Hits
from segue.retrieval.judged import judge
from segue.retrieval.metrics.threshold import allowed, threshold_above
from segue.retrieval.metrics.true_accepts import true_accepts
from segue.retrieval.notebook import Shown
from segue.retrieval.relevance import Relevance


@dataclass(frozen=True, eq=False)
class Identification(Shown):
    """True identifications at a rate of false ones.

    Attributes:
        threshold: A hit is returned when its score is *above* it.
        tpir: Share of the queries with a mate that find it: within the rank asked for, and above the threshold.
        fpir: Share of the queries without a mate that find anything: at most what was asked.
        mated: The queries with a mate, ``(m,)``.
        identified: Whether each of these finds it, ``(m,)``: for paired comparisons of two models.
    """

    threshold: float
    tpir: Estimate
    fpir: Estimate
    mated: NDArray[np.int64]
    identified: NDArray[np.bool_]

    def __str__(self) -> str:
        """Return in words what was found."""
        return (
            f"{self.tpir.percent()} of {counted(len(self.mated), 'query')} with a mate find it above the threshold "
            f"{self.threshold:.4g}, where {self.fpir.percent()} of those without one find somebody."
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the numbers by name, ready for JSON."""
        return {"threshold": self.threshold, "tpir": self.tpir.to_dict(), "fpir": self.fpir.to_dict()}


def tpir_at_fpir(
    hits: Hits, relevance: Relevance, fpir: float, *, rank: int = 1, confidence: float = 0.95, seed: int = 0
) -> Identification:
    r"""Measure true identifications at a given rate of false ones (Grother et al., NIST FRVT 1:N, NISTIR 8271).

    Queries to which nothing is relevant are those without a mate. The threshold is the smallest with
    :math:`\#\{\mathrm{their\ best\ score} > t\} \le \mathrm{FPIR} \cdot u`. A query with mates is identified when one
    of them stands within ``rank`` with a score above the threshold; 1 - TPIR is the miss rate (FNIR).

    Args:
        hits: What was found; at least ``rank`` deep.
        relevance: What is relevant; some queries must have nothing relevant.
        fpir: The largest allowed share of false identifications, such as 0.01.
        rank: How far down the mate may stand.
        confidence: Nominal coverage of the intervals.
        seed: Seed of the bootstrap.

    Returns:
        TPIR, the FPIR that was reached, and the threshold.

    Raises:
        InputError: If there are no queries with or too few without mates, or the hits are not deep enough.

    Example:
        >>> rows = np.array([[0], [1], [0], [1]])
        >>> hits = Hits(rows, np.array([[0.9], [0.6], [0.7], [0.2]]))
        >>> relevance = Relevance.from_labels(["ann", "bob", "eve", "joe"], ["ann", "bob"])
        >>> found = tpir_at_fpir(hits, relevance, fpir=0.5)
        >>> found.threshold, found.tpir.value, found.fpir.value  # of eve at 0.7 and joe at 0.2 one may pass
        (0.20000000298023224, 1.0, 0.5)
    """
    proportion(confidence, "confidence")
    seed_number(seed)
    judged = judge(hits, relevance)
    query, place = judged.relevant(rank)
    mated, unmated = np.flatnonzero(relevance.totals > 0), relevance.without_relevant
    if not len(mated):
        raise InputError("relevance has no query with a mate; pass queries whose item is in the gallery as well")
    passing = allowed(fpir, len(unmated), "fpir", "query", " without a mate") if len(unmated) else 0
    if not passing:
        raise InputError("relevance has no query without a mate; an open set needs queries with nothing relevant")
    falling = np.sort(hits.scores[unmated, 0].astype(np.float64))[::-1]
    threshold = threshold_above(falling, passing)
    # Ranks rise within a query, and scores fall: its first relevant hit is the best one.
    found, first = np.unique(query, return_index=True)
    best = np.full(len(hits), -np.inf)
    best[found] = hits.scores[found, place[first] - 1]
    return Identification(
        threshold=threshold,
        tpir=true_accepts(best[mated], falling, passing, confidence, seed),
        fpir=clopper_pearson(int((falling > threshold).sum()), len(falling), confidence),
        mated=mated,
        identified=best[mated] > threshold,
    )
