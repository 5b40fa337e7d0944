"""Cut points of ordered columns, and every column as small integer codes.

A search over slices reads a column only through its codes: an ordered column has up to ``FINE`` of them, one per
quantile bin, a category has one per frequent value, and a column with missing values has one for these. A condition
is then a range of codes, whatever the column's kind.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segue.flips.discovery.conditions import Between, Condition, Equals, IsMissing
from segue.flips.discovery.features import Feature

FINE = 40
"""Bins of an ordered column at most."""
COARSE = 10
"""Quantile bins between whose ends the first round of the search looks for ranges."""
MOST_CATEGORIES = 60
"""Values of a category that are searched, the most frequent first; codes fit in a byte."""


@dataclass(frozen=True)
class CodedColumn:
    """A column as codes.

    Attributes:
        feature: The column.
        codes: Code of every sample, ``(n,)``; small, so that a million of them are soon read.
        size: Number of codes.
        edges: Inner edges of an ordered column's bins, ascending: bin ``b`` is ``[edges[b-1], edges[b])``.
        ordered: Number of leading codes that are an ordered column's bins.
        labels: The category of each code, for categories; ``None`` for the infrequent ones taken together.
        missing: The code of missing values, if any are missing.
        ranges: The conditions that the search starts from, as inclusive ranges of codes, ``(ranges, 2)``.
        left_out: How many frequent values of a category are not searched, because there are too many.
    """

    feature: Feature
    codes: NDArray[np.uint8]
    size: int
    edges: NDArray[Any]
    ordered: int
    labels: tuple[str | None, ...]
    missing: int | None
    ranges: NDArray[np.intp]
    left_out: int = 0

    def members(self, ranges: NDArray[np.intp]) -> NDArray[np.float64]:
        """Return which codes lie in which range, ``(ranges, size)`` of zeros and ones."""
        code = np.arange(self.size)
        return ((code >= ranges[:, :1]) & (code <= ranges[:, 1:])).astype(np.float64)

    @cached_property
    def fine_ranges(self) -> NDArray[np.intp]:
        """All ranges of an ordered column's bins that leave a bin out, ``(ranges, 2)``."""
        return _all_ranges(np.arange(self.ordered + 1), self.ordered)

    @cached_property
    def fine_ends(self) -> NDArray[np.float64]:
        """How many values a reader must know of each of the fine ranges, ``(ranges,)``."""
        return self.all_ends(self.fine_ranges)

    def all_ends(self, ranges: NDArray[np.intp]) -> NDArray[np.float64]:
        """Return how many values a reader must know of each range, ``(ranges,)``."""
        return np.array([self.ends(low, high) for low, high in ranges.tolist()], dtype=np.float64)

    def ends(self, low: int, high: int) -> int:
        """Return how many values a reader must know of a range of codes: 2 of one with two ends, else 1."""
        return 2 if low > 0 and high < self.ordered - 1 else 1

    def condition(self, low: int, high: int) -> Condition:
        """Return the condition that a range of codes stands for."""
        name = self.feature.name
        if low == self.missing:
            return IsMissing(name)
        if self.feature.kind == "category":
            return Equals(name, str(self.labels[low]))
        start = None if low == 0 else self.feature.to_value(self.edges[low - 1])
        stop = None if high == self.ordered - 1 else self.feature.to_value(self.edges[high])
        if self.feature.whole and isinstance(start, int) and isinstance(stop, int) and stop == start + 1:
            return Equals(name, start)
        return Between(name, start, stop)


def code_column(feature: Feature, found: NDArray[np.bool_], fewest: int) -> CodedColumn:
    """Code a column; cut points and frequent values come from the discovery part only.

    Args:
        feature: The column.
        found: Which samples are in the discovery part, ``(n,)``.
        fewest: A value with fewer samples in the discovery part is no condition.

    Returns:
        The coded column; without ranges where there is nothing to tell samples apart by.
    """
    coded = _code_category if feature.kind == "category" else _code_ordered
    codes, edges, ordered, labels, ranges = coded(feature, found, fewest)
    size = ordered or len(labels)
    missing = None
    if feature.missing.any():
        missing = size
        codes = np.where(feature.missing, missing, codes)
        size += 1
        if int((feature.missing & found).sum()) >= fewest:
            ranges = [*ranges, (missing, missing)]
    if len(np.unique(codes[found])) < 2:
        ranges = []
    table = np.array(ranges, dtype=np.intp).reshape(-1, 2)
    left_out = 0
    if feature.kind == "category":
        left_out = int((_frequency(feature, found) >= max(fewest, 1)).sum()) - (len(labels) - 1)
    return CodedColumn(feature, codes.astype(np.uint8), size, edges, ordered, labels, missing, table, left_out)


_Coded = tuple[NDArray[np.intp], NDArray[Any], int, tuple[str | None, ...], list[tuple[int, int]]]


def _frequency(feature: Feature, found: NDArray[np.bool_]) -> NDArray[np.intp]:
    return np.bincount(feature.values[found & ~feature.missing], minlength=len(feature.labels))


def _code_category(feature: Feature, found: NDArray[np.bool_], fewest: int) -> _Coded:
    counts = _frequency(feature, found)
    frequent = np.flatnonzero(counts >= max(fewest, 1))
    if len(frequent) > MOST_CATEGORIES:
        frequent = np.sort(frequent[np.argsort(-counts[frequent], kind="stable")[:MOST_CATEGORIES]])
    # What is infrequent shares the last code, which is no condition.
    table = np.full(len(feature.labels) + 1, len(frequent), dtype=np.intp)
    table[frequent] = np.arange(len(frequent))
    labels = (*(feature.labels[number] for number in frequent), None)
    return table[feature.values], np.empty(0), 0, labels, [(code, code) for code in range(len(frequent))]


def _code_ordered(feature: Feature, found: NDArray[np.bool_], fewest: int) -> _Coded:
    present = np.sort(feature.values[found & ~feature.missing])
    edges = cut_points(present, FINE, feature)
    codes = np.searchsorted(edges, feature.values, side="right").astype(np.intp)
    bins = len(edges) + 1
    share = np.searchsorted(present, edges) / max(len(present), 1)
    # Of the fine edges, those next to the coarse quantiles: a range's ends in the first round of the search.
    nearest = [int(np.argmin(np.abs(share - part / COARSE))) + 1 for part in range(1, COARSE)] if len(edges) else []
    ends = np.unique([0, *nearest, bins])
    ranges = [(int(low), int(high)) for low, high in _all_ranges(ends, bins)]
    return codes, edges, bins, (), ranges


def _all_ranges(ends: NDArray[np.intp], bins: int) -> NDArray[np.intp]:
    low, high = np.triu_indices(len(ends), k=1)
    proper = (ends[high] - ends[low]) < bins
    return np.stack([ends[low][proper], ends[high][proper] - 1], axis=1).astype(np.intp)


def cut_points(present: NDArray[Any], bins: int, feature: Feature) -> NDArray[Any]:
    """Return inner edges near the quantiles of an ordered column, on numbers that are pleasant to read.

    Each edge is the roundest number that lies closer to its quantile than to the neighbouring ones and has the same
    meaning for whole numbers and dates (a whole number, a whole day or hour where there is one).

    Args:
        present: The values, ascending, ``(n,)``.
        bins: How many bins there may be.
        feature: The column: its kind, and whether its numbers are whole.

    Returns:
        The edges, ascending, at most ``bins - 1``; a value equal to an edge belongs to the bin above it.
    """
    distinct = np.unique(present)
    if len(distinct) < 2:
        return np.empty(0, dtype=present.dtype)
    if len(distinct) <= bins:
        lows, highs = distinct[:-1], distinct[1:]
        if feature.whole or feature.kind == "date":
            return highs
        return np.array([round_between(low, high) for low, high in zip(lows, highs, strict=True)])
    quantiles = np.unique(present[(np.arange(1, bins) * len(present)) // bins]).astype(np.float64)
    fences = np.concatenate([[float(present[0])], quantiles, [float(present[-1])]])
    lows, highs = (fences[:-2] + fences[1:-1]) / 2, (fences[1:-1] + fences[2:]) / 2
    edges: list[float]
    if feature.kind == "date":
        edges = [_round_date(low, high, feature.unit) for low, high in zip(lows, highs, strict=True)]
    elif feature.whole:
        edges = [
            max(math.ceil(round_between(low, high)), math.floor(low) + 1) for low, high in zip(lows, highs, strict=True)
        ]
    else:
        edges = [round_between(low, high) for low, high in zip(lows, highs, strict=True)]
    rounded = np.unique(np.array(edges, dtype=present.dtype))
    return np.extract((rounded > present[0]) & (rounded <= present[-1]), rounded)


def round_between(low: float, high: float) -> float:
    """Return the number with the fewest digits in ``(low, high]``.

    Example:
        >>> round_between(61.2, 62.4), round_between(0.0312, 0.0348), round_between(48_211.0, 50_904.5)
        (62.0, 0.032, 50000.0)
    """
    if not 1e-300 < high - low < 1e300:  # nothing between, or beyond what powers of ten reach
        return high
    power = math.floor(math.log10(high - low)) + 1
    middle = (low + high) / 2
    for exponent in range(power, power - 4, -1):
        for factor in (1.0, 0.5, 0.2):
            step = factor * 10.0**exponent
            candidates = [count * step for count in (math.floor(middle / step), math.ceil(middle / step))]
            inside = [round(value, max(0, 1 - exponent)) for value in candidates if low < value <= high]
            inside = [value for value in inside if low < value <= high]
            if inside:
                return min(inside, key=lambda value: abs(value - middle))
    return high


def _round_date(low: float, high: float, unit: str) -> int:
    for coarse in ("Y", "M", "D", "h", "m", "s"):
        start = np.int64(math.floor(low)).astype(unit)
        candidate = (start.astype(f"datetime64[{coarse}]") + 1).astype(unit)
        if candidate <= np.int64(math.floor(high)).astype(unit):
            return int(candidate.astype(np.int64))
    return math.floor(high)
