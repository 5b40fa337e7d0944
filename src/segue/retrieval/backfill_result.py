"""The result of a backfill: the quality of a search at each part of the way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segue.flips.checks import counted
from segue.flips.estimate import Estimate
from segue.retrieval.notebook import Table, in_html
from segue.retrieval.queries_counted import measured_on


@dataclass(frozen=True, eq=False)
class BackfillCurve:
    """What a search is worth while the gallery is re-embedded.

    Attributes:
        measure: The measure's name.
        metric: How vectors are compared.
        gallery: Number of gallery items.
        shares: Share of the gallery that is re-embedded at each point, ``(steps + 1,)``, from 0 to 1.
        quality: The measure at each point: its mean over queries.
        area: The area under the curve (trapezoids): the mean quality over the whole backfill.
        query_areas: The area under each query's own curve, ``(q,)``; NaN where nothing is relevant. Orders are
            compared on these, query by query (:func:`area_difference`).
        confidence: Nominal coverage of the intervals.
        groups: How many groups the queries that count came in; ``None`` where they are independent.
    """

    measure: str
    metric: str
    gallery: int
    shares: NDArray[np.float64]
    quality: tuple[Estimate, ...]
    area: Estimate
    query_areas: NDArray[np.float64]
    confidence: float = 0.95
    groups: int | None = None

    def __str__(self) -> str:
        """Return in words what was found."""
        start, end = self.quality[0], self.quality[-1]
        told = [
            f"{self.measure} is {start.percent()} while none of the {counted(self.gallery, 'gallery item')} are "
            f"re-embedded and {end.percent()} when all are.",
            f"Averaged over the backfill in this order it is {self.area.percent()}.",
        ]
        lowest = int(np.argmin([point.value for point in self.quality]))
        if self.quality[lowest].value < min(start.value, end.value):
            told.append(
                f"On the way it falls to {self.quality[lowest].percent()}, with {self.shares[lowest]:.0%} re-embedded."
            )
        counted_queries = int(np.isfinite(self.query_areas).sum())
        return "\n".join([*told, measured_on(counted_queries, self.groups, self.confidence)])

    def _repr_html_(self) -> str:
        """Return the words and the points of the curve for notebooks."""
        points = zip(self.shares, self.quality, strict=True)
        rows = [(f"{share:.0%}", str(quality)) for share, quality in points]
        return in_html(str(self).splitlines(), Table(("re-embedded", self.measure), rows))

    def to_dict(self) -> dict[str, Any]:
        """Return the curve and its area, ready for JSON."""
        return {
            "measure": self.measure,
            "metric": self.metric,
            "gallery": self.gallery,
            "queries": len(self.query_areas),
            "shares": self.shares.tolist(),
            "quality": [point.to_dict() for point in self.quality],
            "area": self.area.to_dict(),
            "confidence": self.confidence,
            "groups": self.groups,
        }
