"""A number and how sure we are of it."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Estimate:
    """A point estimate with the two ends of its confidence interval.

    ``value`` is NaN where the quantity is undefined (a rate among zero samples); the interval then spans all that
    is possible.

    Example:
        >>> print(Estimate(0.021, 0.018, 0.024))
        0.021 [0.018, 0.024]
        >>> Estimate(0.021, 0.018, 0.024).percent()
        '2.10% [1.80%, 2.40%]'
    """

    value: float
    low: float
    high: float

    def __float__(self) -> float:
        """Return the point estimate."""
        return self.value

    def __str__(self) -> str:
        """Return ``value [low, high]`` with four significant digits."""
        return f"{self.value:.4g} [{self.low:.4g}, {self.high:.4g}]"

    def percent(self, digits: int = 2, *, signed: bool = False) -> str:
        """Return ``value [low, high]`` in per cent with ``digits`` decimals; ``signed`` writes the plus sign too."""
        sign = "+" if signed else ""
        value, low, high = (f"{100 * number:{sign}.{digits}f}%" for number in (self.value, self.low, self.high))
        return f"{value} [{low}, {high}]"

    def to_dict(self) -> dict[str, float | None]:
        """Return the three numbers by name; what is not finite becomes ``None``, so that the result is valid JSON."""
        numbers = {"value": self.value, "low": self.low, "high": self.high}
        return {name: (float(number) if math.isfinite(number) else None) for name, number in numbers.items()}
