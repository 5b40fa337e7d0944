"""Axes: round ticks, and where a value stands between the two ends."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Axis:
    """A linear axis.

    Attributes:
        low: Value at the left end.
        high: Value at the right end.
        ticks: Round values from end to end.
    """

    low: float
    high: float
    ticks: tuple[float, ...]

    def place(self, value: float) -> float:
        """Return where a value stands, in per cent of the axis's length, kept within the axis."""
        return 100 * min(1.0, max(0.0, (value - self.low) / (self.high - self.low)))

    def beyond(self, value: float) -> bool:
        """Return whether a value lies off the axis."""
        slack = 1e-9 * (self.high - self.low)
        return value < self.low - slack or value > self.high + slack


def round_axis(low: float, high: float, about: int = 4) -> Axis:
    """Return an axis with round ticks that covers a range.

    Args:
        low: Smallest value to show.
        high: Largest value to show.
        about: How many steps there should be, more or less.

    Returns:
        The axis; its ends are ticks.

    Example:
        >>> round_axis(0, 0.057).ticks
        (0.0, 0.02, 0.04, 0.06)
    """
    if not (math.isfinite(low) and math.isfinite(high)) or high <= low:
        low, high = (low, low + 1.0) if math.isfinite(low) else (0.0, 1.0)
    rough = (high - low) / about
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= rough * (1 - 1e-9))
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    decimals = 3 - math.floor(math.log10(step))  # 0.30000000000000004 is 0.3
    ticks = tuple(round(number * step, decimals) for number in range(first, last + 1))
    return Axis(ticks[0], ticks[-1], ticks)
