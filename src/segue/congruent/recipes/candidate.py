"""One way to make the update, as measured on the validation samples."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from segue.congruent.recipes.predictors import Predictor
from segue.flips.counts import Counts


@dataclass(frozen=True)
class Candidate:
    """A successor that could be shipped.

    Attributes:
        method: The method that made it.
        settings: Its settings, such as the strength of the constraint.
        counts: How many validation samples both models get right, one of them, or none.
        trainings: What it takes to make this one candidate, in plain trainings.
        predictor: What answers; not part of ``to_dict()``.
        runs: Names of these trainings, that of its own model first.
    """

    method: str
    settings: Mapping[str, Any]
    counts: Counts
    trainings: float
    predictor: Predictor = field(repr=False, compare=False)
    runs: tuple[str, ...] = ()

    @property
    def passes(self) -> int:
        """Models that run at prediction time."""
        return self.predictor.passes

    @property
    def accuracy(self) -> float:
        """Share of the validation samples that it gets right."""
        return self.counts.right_new / self.counts.samples

    @property
    def negative_flip_rate(self) -> float:
        """Share of the validation samples that the old model gets right and it wrong."""
        return self.counts.negative_flips / self.counts.samples

    @property
    def positive_flip_rate(self) -> float:
        """Share of the validation samples that it gets right and the old model wrong."""
        return self.counts.positive_flips / self.counts.samples

    @property
    def relative_negative_flip_rate(self) -> float:
        """Negative flips against those of independent errors (Yan et al., CVPR 2021); 0 where it makes no error."""
        expected = self.counts.right_old * (1 - self.accuracy)
        return self.counts.negative_flips / expected if expected else 0.0

    @property
    def label(self) -> str:
        """Method and settings in words."""
        told = ", ".join(f"{name} {value}" for name, value in self.settings.items())
        return f"{self.method} ({told})" if told else self.method

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers, ready for JSON."""
        return {
            "method": self.method,
            "settings": dict(self.settings),
            "counts": self.counts.to_dict(),
            "accuracy": self.accuracy,
            "negative_flip_rate": self.negative_flip_rate,
            "positive_flip_rate": self.positive_flip_rate,
            "relative_negative_flip_rate": self.relative_negative_flip_rate,
            "trainings": self.trainings,
            "passes": self.passes,
            "runs": list(self.runs),
        }

    def __str__(self) -> str:
        """Return the candidate in one line."""
        return f"{self.label}: accuracy {self.accuracy:.2%}, negative flips {self.negative_flip_rate:.2%}"
