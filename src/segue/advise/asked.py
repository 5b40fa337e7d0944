"""How the ways are measured: the measure, and the intervals of its means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segue.advise.option import MAPS
from segue.advise.sampling import drawn_labels, widened, wider
from segue.flips.estimate import Estimate
from segue.retrieval import mean_difference, mean_over_queries

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Asked:
    """How things are measured.

    Attributes:
        measure: The measure's name.
        folds: Folds of the sample.
        seed: Their seed.
        confidence: Coverage of the intervals.
    """

    measure: str
    folds: int
    seed: int
    confidence: float

    @property
    def among_maps(self) -> float:
        """Coverage of the intervals by which maps are judged: wider, by Bonferroni's rule, since there are three."""
        return 1 - (1 - self.confidence) / len(MAPS)

    def mean(self, values: Values, labels: NDArray[Any] | None) -> Estimate:
        """Return the mean of a measure, with the wider of its intervals over queries and over labels.

        Args:
            values: The measure of each query, ``(q,)``.
            labels: The label of each, ``(q,)``; ``None`` for none.
        """
        given: dict[str, Any] = {"confidence": self.confidence, "seed": self.seed}
        over_queries, drawn = mean_over_queries(values, **given), drawn_labels(labels, values)
        return over_queries if drawn is None else wider(over_queries, mean_over_queries(values, groups=drawn, **given))

    def change(
        self, old: Values, new: Values, labels: NDArray[Any] | None, *, factor: float = 1.0, among_maps: bool = False
    ) -> Estimate:
        """Return the mean change of a measure on the same queries, with the wider of its intervals.

        Where no query changes, nothing is seen of how labels vary, and the interval is over queries alone.

        Args:
            old: The measure before, ``(q,)``.
            new: The measure after.
            labels: The label of each query, ``(q,)``; ``None`` for none.
            factor: What arms over queries are multiplied by.
            among_maps: Whether it is one of the three kinds of maps that is judged.
        """
        given: dict[str, Any] = {"confidence": self.among_maps if among_maps else self.confidence, "seed": self.seed}
        over_queries = widened(mean_difference(old, new, **given), factor)
        drawn = None if np.array_equal(old, new, equal_nan=True) else drawn_labels(labels, old, new)
        return over_queries if drawn is None else wider(over_queries, mean_difference(old, new, groups=drawn, **given))
