"""What a new generation changed in the stored predictions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from segue.flips.checks import counted

SCHEMA = "segue.congruent.decisions.update/1"


@dataclass(frozen=True, eq=False)
class PredictionUpdate:
    """One round of updating stored predictions.

    Attributes:
        generation: Number of the generation that answered, from 1.
        name: What it is called.
        rule: The update rule in words.
        samples: How many samples are stored.
        answered: How many of them the generation answered.
        disagreed: On how many of these its answer differs from the label stored before.
        ids: The samples whose label changed, ``(changed,)``.
        old: Their labels before, ``(changed,)``.
        new: Their labels now, ``(changed,)``.
        uncertainty_before: Mean entropy (nats) of the answered samples' posterior before.
        uncertainty_after: The same now.
    """

    generation: int
    name: str
    rule: str
    samples: int
    answered: int
    disagreed: int
    ids: NDArray[Any]
    old: NDArray[Any]
    new: NDArray[Any]
    uncertainty_before: float
    uncertainty_after: float

    @property
    def changed(self) -> int:
        """How many labels changed."""
        return len(self.ids)

    def to_dict(self) -> dict[str, Any]:
        """Return every number by name, ready for JSON; the changed samples themselves are left to ``ids``."""
        return {
            "schema": SCHEMA,
            "generation": self.generation,
            "name": self.name,
            "rule": self.rule,
            "samples": self.samples,
            "answered": self.answered,
            "disagreed": self.disagreed,
            "changed": self.changed,
            "uncertainty_before": self.uncertainty_before,
            "uncertainty_after": self.uncertainty_after,
        }

    def __str__(self) -> str:
        """Return in words what changed."""
        changes = "1 stored label changes" if self.changed == 1 else f"{self.changed:,} stored labels change"
        return (
            f"Generation {self.generation} ({self.name}) answered {self.answered:,} of "
            f"{counted(self.samples, 'sample')} and differs from the stored label on {self.disagreed:,}. By the rule "
            f"to {self.rule}, {changes}. Mean uncertainty of the answered samples: {self.uncertainty_before:.3f} nats "
            f"before, {self.uncertainty_after:.3f} now."
        )
