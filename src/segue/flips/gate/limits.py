"""What a policy can limit: the one table from a policy's key to the number of the report that it limits."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from segue.flips.estimate import Estimate

Basis = Literal["confidence", "point"]
Unit = Literal["rate", "change", "ratio", "score", "count"]


@dataclass(frozen=True)
class LimitKind:
    """A number that can be limited.

    Attributes:
        key: The policy's key; ``max_`` and ``min_`` say on which side the limit lies.
        attribute: The report's attribute.
        words: What people call it.
        unit: ``rate`` and ``change`` are told in per cent, ``ratio`` and ``score`` as they are.
        lowest: Smallest limit that says something.
        highest: Largest limit that says something.
        classes: Whether a report on classes has the number.
        scores: Whether a report on graded scores has it.
        slices: Whether slices (of a report on classes) have it.
    """

    key: str
    attribute: str
    words: str
    unit: Unit
    lowest: float
    highest: float
    classes: bool = True
    scores: bool = False
    slices: bool = False

    @property
    def upper(self) -> bool:
        """Whether the number must stay at or below the limit."""
        return self.key.startswith("max_")


KINDS = {
    kind.key: kind
    for kind in (
        LimitKind("max_nfr", "negative_flip_rate", "negative flip rate", "rate", 0, 1, scores=True, slices=True),
        LimitKind("max_relative_nfr", "relative_negative_flip_rate", "relative negative flip rate", "ratio",
                  0, math.inf),
        LimitKind("max_nfi", "negative_flip_impact", "negative flip impact", "rate", 0, 1),
        LimitKind("max_churn", "churn", "churn", "rate", 0, 1),
        LimitKind("max_bad_churn", "bad_churn", "bad churn", "rate", 0, 1),
        LimitKind("min_accuracy", "accuracy_new", "accuracy of the new model", "rate", 0, 1, slices=True),
        LimitKind("min_accuracy_change", "accuracy_change", "accuracy change", "change", -1, 1, slices=True),
        LimitKind("min_score", "score_new", "mean score of the new model", "score", -math.inf, math.inf,
                  classes=False, scores=True),
        LimitKind("min_score_change", "score_change", "mean score change", "score", -math.inf, math.inf,
                  classes=False, scores=True),
    )
}  # fmt: skip


def told(number: Estimate | float, unit: str) -> str:
    """Write a number, with its interval where it has one, in its own unit.

    Args:
        number: The number.
        unit: Its unit.

    Returns:
        The text.

    Example:
        >>> told(Estimate(0.021, 0.018, 0.024), "rate"), told(-0.005, "change"), told(1200, "count")
        ('2.10% [1.80%, 2.40%]', '-0.50%', '1,200')
    """
    if isinstance(number, Estimate):
        if math.isnan(number.value):
            return f"n/a [{told(number.low, unit)}, {told(number.high, unit)}]"
        if unit in {"rate", "change"}:
            return number.percent(_digits(number), signed=unit == "change")
        return str(number)
    if math.isnan(number):
        return "n/a"
    if unit == "count":
        return f"{int(number):,}"
    if unit in {"rate", "change"}:
        sign = "+" if unit == "change" else ""
        return f"{100 * number:{sign}.{_decimals(100 * number)}f}%"
    return f"{number:.4g}"


def _digits(number: Estimate) -> int:
    # Rates of a few per million would all read 0.00%: as many decimals as the upper end needs for two digits.
    return max(_decimals(100 * number.value), _decimals(100 * number.high))


def _decimals(percent: float) -> int:
    if percent == 0 or not math.isfinite(percent):
        return 2
    return min(max(2, 1 - math.floor(math.log10(abs(percent)))), 8)
