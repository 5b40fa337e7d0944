"""What a rule that mixes two models did on the labelled validation set that it was chosen on."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from segue.flips.estimate import Estimate
from segue.flips.result import FlipReport


@dataclass(frozen=True)
class Validation:
    """Numbers of the validation set; the rates are a little too good, since the rule was chosen on them.

    Attributes:
        samples: Validation samples.
        margin: The accuracy that the user is ready to lose against the new model, a share.
        confidence: Probability with which the rule keeps to the margin, at least.
        accuracy_old: Accuracy of the old model.
        accuracy_new: Accuracy of the new model.
        accuracy: Accuracy of the rule.
        loss_bound: Upper bound of the accuracy that the rule costs against the new model; 0 where the rule is the new
            model.
        nfr_new: Negative flip rate of the new model.
        nfr: Negative flip rate of the rule.
    """

    samples: int
    margin: float
    confidence: float
    accuracy_old: float
    accuracy_new: float
    accuracy: float
    loss_bound: float
    nfr_new: Estimate
    nfr: Estimate

    @classmethod
    def of(cls, new: FlipReport, rule: FlipReport, margin: float, confidence: float, bound: float) -> Validation:
        """Gather the numbers.

        Args:
            new: The new model against the old one.
            rule: The rule against the old model.
            margin: What may be lost.
            confidence: How surely.
            bound: Upper bound of the loss.

        Returns:
            The numbers.
        """
        return cls(
            samples=new.samples,
            margin=margin,
            confidence=confidence,
            accuracy_old=new.accuracy_old.value,
            accuracy_new=new.accuracy_new.value,
            accuracy=rule.accuracy_new.value,
            loss_bound=bound,
            nfr_new=new.negative_flip_rate,
            nfr=rule.negative_flip_rate,
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the numbers, ready for JSON."""
        return asdict(self) | {"nfr_new": self.nfr_new.to_dict(), "nfr": self.nfr.to_dict()}

    @classmethod
    def from_dict(cls, found: dict[str, Any]) -> Validation:
        """Return the numbers that ``to_dict`` wrote."""
        return cls(**found | {name: Estimate(**found[name]) for name in ("nfr_new", "nfr")})

    def __str__(self) -> str:
        """Return in words what was found."""
        return (
            f"On {self.samples:,} validation samples it breaks {self.nfr.percent()} of the answers, the new model "
            f"{self.nfr_new.percent()}; accuracy {100 * self.accuracy:.2f}% against {100 * self.accuracy_new:.2f}% of "
            f"the new and {100 * self.accuracy_old:.2f}% of the old model. With {100 * self.confidence:g}% confidence "
            f"it costs at most {100 * max(self.loss_bound, 0.0):.2f} points of accuracy against the new model "
            f"(allowed: {100 * self.margin:g})."
        )
