"""What each alpha keeps and costs on validation data, and the choice between them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from numbers import Real
from typing import Any

from segue.errors import InputError
from segue.flips import Estimate

BARRIER = 0.05
"""Accuracy lost between both ends from which on the two models do not look like one fine-tuned from the other."""


@dataclass(frozen=True, slots=True)
class InterpolationPoint:
    """One interpolated model on the validation samples.

    Attributes:
        alpha: Share of the old model.
        accuracy: Share of the samples that it gets right.
        negative_flip_rate: Share that the old model gets right and it does not.
        positive_flip_rate: Share that it gets right and the old model does not.
        relative_negative_flip_rate: Negative flips against those of independent errors (Yan et al., CVPR 2021).
    """

    alpha: float
    accuracy: Estimate
    negative_flip_rate: Estimate
    positive_flip_rate: Estimate
    relative_negative_flip_rate: Estimate

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers, ready for JSON."""
        return {
            "alpha": self.alpha,
            "accuracy": self.accuracy.to_dict(),
            "negative_flip_rate": self.negative_flip_rate.to_dict(),
            "positive_flip_rate": self.positive_flip_rate.to_dict(),
            "relative_negative_flip_rate": self.relative_negative_flip_rate.to_dict(),
        }

    def __str__(self) -> str:
        """Return the alpha and its rates in one line."""
        return (
            f"alpha {self.alpha:g}: accuracy {self.accuracy.percent()}, "
            f"negative flips {self.negative_flip_rate.percent()}, "
            f"relative negative flip rate {self.relative_negative_flip_rate.value:.3g}"
        )


@dataclass(frozen=True, slots=True)
class InterpolationSweep:
    """The models between new (alpha 0) and old (alpha 1), measured on the same validation samples.

    Attributes:
        points: One per alpha, ascending; the first is the new model itself.
        samples: Number of validation samples.
        accuracy_old: The old model's accuracy on them.
    """

    points: tuple[InterpolationPoint, ...]
    samples: int
    accuracy_old: Estimate

    @property
    def barrier(self) -> float:
        """How far accuracy falls, between the ends, below the lower of the first and the last point; 0 if nowhere."""
        inner = [point.accuracy.value for point in self.points[1:-1]]
        ends = min(self.points[0].accuracy.value, self.points[-1].accuracy.value)
        return max(0.0, ends - min(inner, default=ends))

    def pick(self, margin: float = 0.0) -> InterpolationPoint:
        """Choose the point with the fewest negative flips whose accuracy holds up.

        Among equal negative flip rates the more accurate point wins, and among equals in both the larger alpha, which
        is closer to the old model. Where the old model is as accurate as the new one, the pick may be alpha 1: keep the
        old model. Numbers at the pick are flattered by the choice: measure the picked model on test data, once.

        Args:
            margin: Accuracy that may be given up against the new model (alpha 0), as a share of the samples.

        Returns:
            The point.

        Raises:
            InputError: If the margin is no number from 0 to 1.
        """
        if isinstance(margin, bool) or not isinstance(margin, Real) or not 0 <= margin <= 1:
            raise InputError(f"margin is {margin!r}; pass a share of accuracy from 0 to 1, such as 0.005")
        rounding = 1e-9  # accuracies are k / n, margins decimal fractions
        floor = self.points[0].accuracy.value - margin - rounding
        good = [point for point in self.points if point.accuracy.value >= floor]
        return min(good, key=lambda point: (point.negative_flip_rate.value, -point.accuracy.value, -point.alpha))

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers, ready for JSON."""
        return {
            "samples": self.samples,
            "accuracy_old": self.accuracy_old.to_dict(),
            "barrier": self.barrier if math.isfinite(self.barrier) else None,
            "points": [point.to_dict() for point in self.points],
        }

    def __str__(self) -> str:
        """Return in words what was found."""
        best = self.pick()
        plain = self.points[0]
        lines = [
            f"Between the new model (alpha 0) and the old one (alpha 1; accuracy {self.accuracy_old.percent()}) on "
            f"{self.samples:,} validation samples:",
            *(f"  {point}" for point in self.points),
        ]
        if best.alpha == 0:
            lines.append("No alpha has fewer negative flips without losing accuracy: the new model stays as it is.")
        else:
            lines.append(
                f"Without losing accuracy, alpha {best.alpha:g} brings negative flips from "
                f"{plain.negative_flip_rate.value:.2%} to {best.negative_flip_rate.value:.2%}"
                + (": that is the old model itself." if best.alpha == 1 else ".")
            )
        if self.barrier > BARRIER:
            lines.append(
                f"Between the ends accuracy falls {self.barrier:.1%} below both of them: was the new model really "
                f"fine-tuned from the old one? If it has BatchNorm, pass recalibration."
            )
        return "\n".join(lines)
