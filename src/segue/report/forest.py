"""Slices as a forest plot: one row each, with the interval of what breaks there and of how accuracy changes."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from segue.flips.estimate import Estimate
from segue.flips.slices import SliceResult
from segue.report.scale import Axis, round_axis

FEW = 40
LARGEST = 30


@dataclass(frozen=True, slots=True)
class Whisker:
    """An interval on an axis, all places in per cent of the axis's length.

    Attributes:
        low: Left end.
        high: Right end.
        middle: The estimate; ``None`` where it is undefined.
        cut_low: Whether the interval goes on beyond the axis to the left.
        cut_high: The same to the right.
    """

    low: float
    high: float
    middle: float | None
    cut_low: bool
    cut_high: bool


@dataclass(frozen=True, slots=True)
class ForestRow:
    """One slice.

    Attributes:
        result: The numbers.
        rate: Its negative flip rate on the axis of rates.
        change: Its accuracy change on the axis of changes.
        more_flips: Whether negative flips are more frequent here than elsewhere, beyond doubt.
        direction: -1 or 1 where accuracy fell or rose beyond doubt, else 0.
        first: Whether the row is among those shown before all are asked for.
    """

    result: SliceResult
    rate: Whisker
    change: Whisker
    more_flips: bool
    direction: int
    first: bool


@dataclass(frozen=True, slots=True)
class Forest:
    """The forest plot.

    Attributes:
        groups: Rows by slice column.
        rate_axis: Axis of the negative flip rates.
        change_axis: Axis of the accuracy changes.
        overall: Where the rate of all samples stands on the axis of rates; ``None`` where it is undefined.
        zero: Where no change stands on the axis of changes.
        hidden: How many rows are not among the first.
        alarming: How many slices have more flips than elsewhere, beyond doubt.
    """

    groups: tuple[tuple[str, tuple[ForestRow, ...]], ...]
    rate_axis: Axis
    change_axis: Axis
    overall: float | None
    zero: float
    hidden: int
    alarming: int

    @property
    def size(self) -> int:
        """How many slices there are."""
        return sum(len(rows) for _, rows in self.groups)


def forest(slices: Sequence[SliceResult], overall: Estimate, confidence: float) -> Forest | None:
    """Lay out the slices.

    Up to 40 slices all are shown. Of more, those in which something happened beyond doubt and the 30 largest are
    shown first.

    Args:
        slices: The slices.
        overall: Negative flip rate of all samples.
        confidence: Confidence of the report; what has an adjusted p-value of at most one minus it is beyond doubt.

    Returns:
        The plot; ``None`` where there are no slices.
    """
    if not slices:
        return None
    level = 1 - confidence
    more = [part.excess_adjusted <= level for part in slices]
    directions = [_direction(part, level) for part in slices]
    first = set(range(len(slices)))
    if len(slices) > FEW:
        by_size = sorted(first, key=lambda place: -slices[place].samples)
        first = set(by_size[:LARGEST]) | {place for place in first if more[place] or directions[place]}
    rates = rate_axis([part.negative_flip_rate for part in slices], overall)
    changes = change_axis([part.accuracy_change for part in slices])
    groups: dict[str, list[ForestRow]] = {}
    for place, part in enumerate(slices):
        row = ForestRow(
            result=part,
            rate=whisker(part.negative_flip_rate, rates),
            change=whisker(part.accuracy_change, changes),
            more_flips=more[place],
            direction=directions[place],
            first=place in first,
        )
        groups.setdefault(part.column, []).append(row)
    return Forest(
        groups=tuple((column, tuple(rows)) for column, rows in groups.items()),
        rate_axis=rates,
        change_axis=changes,
        overall=rates.place(overall.value) if math.isfinite(overall.value) else None,
        zero=changes.place(0.0),
        hidden=len(slices) - len(first),
        alarming=sum(more),
    )


def whisker(estimate: Estimate, axis: Axis) -> Whisker:
    """Return where an estimate and its interval stand on an axis."""
    return Whisker(
        low=axis.place(estimate.low),
        high=axis.place(estimate.high),
        middle=axis.place(estimate.value) if math.isfinite(estimate.value) else None,
        cut_low=axis.beyond(estimate.low),
        cut_high=axis.beyond(estimate.high),
    )


def rate_axis(rates: Iterable[Estimate], overall: Estimate) -> Axis:
    """Return an axis from 0 that shows all estimates, and the intervals of all but tiny slices.

    The interval of a slice of three samples reaches almost to 1: were it shown whole, all else would be a dot. So the
    axis ends at three times the largest estimate unless the intervals end before.
    """
    known = [rate for rate in rates if math.isfinite(rate.value)]
    largest = max([rate.value for rate in known] + [overall.value if math.isfinite(overall.value) else 0.0])
    reach = max([rate.high for rate in known] + [overall.high], default=1.0)
    middle = sorted(rate.high for rate in known)[len(known) // 2] if known else 1.0
    return round_axis(0.0, min(reach, max(3 * largest, 1.2 * middle, 1e-6)))


def change_axis(changes: Iterable[Estimate]) -> Axis:
    """Return an axis that holds zero, all estimates, and the intervals of all but tiny slices."""
    known = [change for change in changes if math.isfinite(change.value)]
    if not known:
        return round_axis(-1.0, 1.0)
    lows, highs = sorted(change.low for change in known), sorted(change.high for change in known)
    low = max(lows[0], min(2 * min(change.value for change in known), 1.2 * lows[len(known) // 2]))
    high = min(highs[-1], max(2 * max(change.value for change in known), 1.2 * highs[len(known) // 2]))
    return round_axis(min(low, 0.0), max(high, 0.0))


def _direction(part: SliceResult, level: float) -> int:
    if not part.worse_adjusted <= level:
        return 0
    return -1 if part.accuracy_change.value < 0 else 1
