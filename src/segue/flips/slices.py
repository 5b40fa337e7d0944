"""Where an update breaks things: rates per slice, tested against the rest, with false discoveries under control."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from segue.errors import InputError
from segue.flips import intervals
from segue.flips.checks import MISSING, missing_values
from segue.flips.counts import BOTH_RIGHT, N_CELLS, NEGATIVE_FLIP, POSITIVE_FLIP, Counts, Tally
from segue.flips.estimate import Estimate
from segue.flips.paired import PairedTest, paired_test

MOST_CATEGORIES = 1000
MOST_NUMBERS_AS_CATEGORIES = 20
BINS = 5


@dataclass(frozen=True)
class SliceTally:
    """The sums over the samples with one value in one slice column."""

    column: str
    value: str
    tally: Tally


@dataclass(frozen=True)
class SliceResult:
    """What the update does to the samples with one value in one slice column.

    Attributes:
        column: Name of the slice column.
        value: The value, or the range of a numeric column.
        samples: Number of samples.
        counts: Their five cells.
        accuracy_old: Accuracy of the old model.
        accuracy_new: Accuracy of the new model.
        accuracy_change: New minus old.
        negative_flip_rate: Share of samples that the update breaks.
        positive_flip_rate: Share of samples that it mends.
        worse: Test of "accuracy did not change in this slice"; its p-value is Benjamini-Hochberg adjusted in
            ``worse_adjusted``.
        worse_adjusted: Adjusted over all slices of the report.
        excess_p_value: One-sided test of "flips are no more frequent here than in the other samples".
        excess_adjusted: The same, Benjamini-Hochberg adjusted over all slices of the report.
        effective_samples: How many samples of equal weight these are worth (Kish); ``None`` where unweighted.
    """

    column: str
    value: str
    samples: int
    counts: Counts
    accuracy_old: Estimate
    accuracy_new: Estimate
    accuracy_change: Estimate
    negative_flip_rate: Estimate
    positive_flip_rate: Estimate
    worse: PairedTest
    worse_adjusted: float
    excess_p_value: float
    excess_adjusted: float
    effective_samples: float | None = None

    @property
    def name(self) -> str:
        """``column = value``."""
        return f"{self.column} = {self.value}"

    def __str__(self) -> str:
        """Return in one line what happened in the slice."""
        return (
            f"{self.name}: {self.counts.negative_flips:,} of {self.samples:,} broken "
            f"({self.negative_flip_rate.percent()}), accuracy {self.accuracy_change.percent(signed=True)}"
        )

    def to_dict(self) -> dict[str, Any]:
        """Return everything by name, ready for JSON."""
        return {
            "column": self.column,
            "value": self.value,
            "samples": self.samples,
            "effective_samples": self.effective_samples,
            "counts": self.counts.to_dict(),
            "accuracy_old": self.accuracy_old.to_dict(),
            "accuracy_new": self.accuracy_new.to_dict(),
            "accuracy_change": self.accuracy_change.to_dict(),
            "negative_flip_rate": self.negative_flip_rate.to_dict(),
            "positive_flip_rate": self.positive_flip_rate.to_dict(),
            "worse": self.worse.to_dict(),
            "worse_adjusted": self.worse_adjusted,
            "excess_p_value": self.excess_p_value,
            "excess_adjusted": self.excess_adjusted,
        }


def slice_tallies(
    columns: Mapping[str, NDArray[Any]],
    cells: NDArray[np.int8],
    weights: NDArray[np.float64] | None = None,
    groups: NDArray[np.int64] | None = None,
    seed: int = 0,
) -> list[SliceTally]:
    """Add up the samples of every value of every slice column.

    Strings, booleans and up to 20 different whole numbers are categories; other numbers and dates are cut at their
    quintiles. A missing value is a category of its own, so that every sample is in one slice of each column.

    Args:
        columns: Slice columns by name, ``(n,)`` each.
        cells: Cell of every sample, ``(n,)``.
        weights: Sample weights, ``(n,)``.
        groups: Group numbers, ``(n,)``.
        seed: Seed of the cluster bootstrap.

    Returns:
        The sums, in the order of the columns and of the values.

    Raises:
        InputError: If a column has more than 1,000 categories.
    """
    found = []
    for column, values in columns.items():
        names, codes = categories(values, column)
        if weights is None and groups is None:
            table = np.bincount(codes * N_CELLS + cells, minlength=len(names) * N_CELLS).reshape(-1, N_CELLS)
            found += [SliceTally(column, name, Tally(row)) for name, row in zip(names, table, strict=True)]
            continue
        for code, name in enumerate(names):
            here = codes == code
            weight = None if weights is None else weights[here]
            group = None if groups is None else groups[here]
            found.append(SliceTally(column, name, Tally.of(cells[here], weight, group, seed)))
    return found


def categories(values: NDArray[Any], column: str) -> tuple[list[str], NDArray[np.int64]]:
    """Return the slices of a column and each sample's slice.

    Args:
        values: The column, ``(n,)``.
        column: Its name.

    Returns:
        The names of the slices, and the number of the slice of every sample, ``(n,)``.

    Raises:
        InputError: If there are more than 1,000 categories.
    """
    kind = values.dtype.kind
    if kind == "O":
        return _objects(values, column)
    if kind in "mM":
        return _binned(values.view(np.int64).astype(np.float64), np.isnat(values), values.dtype)
    if kind in "fiu":
        return _numbers(values)
    texts = np.array(values.tolist(), dtype=np.str_) if kind == "T" else values.astype(np.str_)
    return _named(texts, np.zeros(len(values), dtype=bool), column)


def are_categories(distinct: NDArray[Any]) -> bool:
    """Return whether the distinct values of a numeric column are few and whole, and so are categories.

    Args:
        distinct: The values, each once, missing ones left out.

    Returns:
        Whether there are one to 20 of them, all whole numbers.
    """
    few = 0 < len(distinct) <= MOST_NUMBERS_AS_CATEGORIES
    return few and bool(np.isfinite(distinct).all()) and bool((distinct == np.floor(distinct)).all())


def quintile_ranks(total: int) -> list[int]:
    """Return the ranks, from 0, of the four values that cut sorted numbers into five parts.

    The cuts are values that occur, not interpolated ones: they are the same in every engine, and read better.

    Args:
        total: How many numbers there are.

    Returns:
        The ranks.

    Example:
        >>> quintile_ranks(11)
        [2, 4, 6, 8]
    """
    return [max(total - 1, 0) * part // BINS for part in range(1, BINS)]


def quantile_edges(quantiles: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the distinct inner edges of a numeric column's bins from its quintiles.

    Args:
        quantiles: The values at :func:`quintile_ranks`, ``(bins - 1,)``.

    Returns:
        The edges; a value equal to an edge belongs to the bin above it.
    """
    return np.unique(quantiles)


def bin_names(edges: Sequence[float] | NDArray[np.float64], dtype: np.dtype[Any] | None = None) -> list[str]:
    """Return the names of the bins between edges: ``< 3``, ``3 to < 7``, ``>= 7``.

    Args:
        edges: Inner edges, ascending.
        dtype: The date type that the edges are numbers of, if they are dates.

    Returns:
        One name more than there are edges.
    """
    if dtype is not None:
        told = [str(np.array(int(edge)).astype(np.int64).view(dtype).astype("datetime64[s]")) for edge in edges]
    else:
        digits = next((d for d in (4, 6, 9, 17) if len({f"{edge:.{d}g}" for edge in edges}) == len(edges)), 17)
        told = [f"{edge:.{digits}g}" for edge in edges]
    if not told:
        return ["all"]
    between = [f"{low} to < {high}" for low, high in itertools.pairwise(told)]
    return [f"< {told[0]}", *between, f">= {told[-1]}"]


def slice_results(total: Tally, slices: Sequence[SliceTally], confidence: float = 0.95) -> tuple[SliceResult, ...]:
    """Compute rates, intervals and tests of every slice, adjusted over all of them.

    The adjustment is Benjamini and Hochberg's (J. R. Stat. Soc. B 57, 1995): among the slices whose adjusted p-value
    is at most q, the expected share of false alarms is at most q.

    Args:
        total: The sums over all samples.
        slices: The sums of every slice.
        confidence: Nominal coverage of the intervals.

    Returns:
        One result per slice, in the same order.
    """
    if not slices:
        return ()
    worse = [paired_test(part.tally) for part in slices]
    excess = [excess_p_value(part.tally, total) for part in slices]
    worse_adjusted = stats.false_discovery_control([test.p_value for test in worse], method="bh")
    excess_adjusted = stats.false_discovery_control(excess, method="bh")
    return tuple(
        SliceResult(
            column=part.column,
            value=part.value,
            samples=int(part.tally.counts.sum()),
            counts=part.tally.as_counts(),
            accuracy_old=intervals.rate(part.tally, (BOTH_RIGHT, NEGATIVE_FLIP), confidence=confidence),
            accuracy_new=intervals.rate(part.tally, (BOTH_RIGHT, POSITIVE_FLIP), confidence=confidence),
            accuracy_change=intervals.accuracy_change(part.tally, confidence),
            negative_flip_rate=intervals.rate(part.tally, (NEGATIVE_FLIP,), confidence=confidence),
            positive_flip_rate=intervals.rate(part.tally, (POSITIVE_FLIP,), confidence=confidence),
            worse=worse[index],
            worse_adjusted=float(worse_adjusted[index]),
            excess_p_value=excess[index],
            excess_adjusted=float(excess_adjusted[index]),
            effective_samples=part.tally.effective_samples,
        )
        for index, part in enumerate(slices)
    )


def excess_p_value(part: Tally, total: Tally) -> float:
    """One-sided p-value of "negative flips are no more frequent in the slice than in the other samples".

    Independent samples get Fisher's exact test. Weighted ones get a z test, grouped ones a t test with as many degrees
    of freedom as the slice has groups, less one. The variance leaves out the covariance between the slice and the
    rest, which makes it larger where groups cross the slice's border.

    Args:
        part: The sums of the slice.
        total: The sums over all samples.

    Returns:
        The p-value; 1 where the slice is empty or holds all samples.
    """
    inside, everything = float(part.sums.sum()), float(total.sums.sum())
    if inside <= 0 or inside >= everything:
        return 1.0
    if total.independent:
        n, k = int(total.counts.sum()), int(total.counts[NEGATIVE_FLIP])
        return float(stats.hypergeom.sf(int(part.counts[NEGATIVE_FLIP]) - 1, n, k, int(part.counts.sum())))
    here = float(part.sums[NEGATIVE_FLIP]) / inside
    there = float(total.sums[NEGATIVE_FLIP] - part.sums[NEGATIVE_FLIP]) / (everything - inside)
    overall = float(total.sums[NEGATIVE_FLIP]) / everything
    flip = np.zeros(N_CELLS)
    flip[NEGATIVE_FLIP] = 1.0
    every = np.ones(N_CELLS, dtype=bool)
    groups = None if part.groups is None else len(part.groups)
    variance_here = part.variance((flip - here) / inside)
    if here in (0, 1) or groups == 1:
        # Nothing varies within the slice, which says nothing of how sure its rate is: take that of all samples.
        variance_here = max(variance_here, overall * (1 - overall) / max(part.units(every), 1.0))
    variance_there = total.variance((flip - overall) / everything) * (everything / (everything - inside)) ** 2
    if variance_here + variance_there <= 0:
        return 1.0
    score = (here - there) / math.sqrt(variance_here + variance_there)
    return float(stats.norm.sf(score) if groups is None else stats.t.sf(score, max(groups - 1, 1)))


def _numbers(values: NDArray[Any]) -> tuple[list[str], NDArray[np.int64]]:
    missing = missing_values(values)
    present = np.unique(values[~missing])
    if not are_categories(present):
        return _binned(values.astype(np.float64), missing, None)
    codes = np.searchsorted(present, np.where(missing, present[0], values))
    names = [f"{value:.0f}" for value in present.tolist()]
    if not missing.any():
        return names, codes.astype(np.int64)
    return [*names, MISSING], np.where(missing, len(names), codes).astype(np.int64)


def _objects(values: NDArray[Any], column: str) -> tuple[list[str], NDArray[np.int64]]:
    # Columns of data frames with missing values come as Python objects: find out what they are columns of.
    missing = missing_values(values)
    present = values[~missing].tolist()
    if present and all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in present):
        numbers = np.full(len(values), np.nan)
        numbers[~missing] = present
        return categories(numbers, column)
    if present and all(isinstance(value, datetime) for value in present):
        dates = np.full(len(values), np.datetime64("NaT", "us"))
        # An instant with a time zone is told in UTC, like every datetime64.
        dates[~missing] = [value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value for value in present]
        return categories(dates, column)
    odd = next((value for value in present if isinstance(value, (list, tuple, dict, set, np.ndarray))), None)
    if odd is not None:
        raise InputError(
            f"slices[{column!r}] holds a {type(odd).__name__} per sample; pass a single value per sample, such as its "
            f"length or its first element"
        )
    return _named(np.array([str(value) for value in values.tolist()]), missing, column)


def _named(values: NDArray[np.str_], missing: NDArray[np.bool_], column: str) -> tuple[list[str], NDArray[np.int64]]:
    found, codes = np.unique(np.where(missing, MISSING, values), return_inverse=True)
    if len(found) > MOST_CATEGORIES:
        raise InputError(
            f"slices[{column!r}] has {len(found):,} different values, more than {MOST_CATEGORIES:,}; "
            f"bin them, or pass the column as groups if it names customers or patients"
        )
    return [str(name) for name in found.tolist()], codes.astype(np.int64)


def _binned(
    numbers: NDArray[np.float64], missing: NDArray[np.bool_], dtype: np.dtype[Any] | None
) -> tuple[list[str], NDArray[np.int64]]:
    # Infinite values have no part in the cuts, which would be neither here nor there, and lie in the outer bins.
    present = numbers[np.isfinite(numbers) & ~missing]
    ranks = quintile_ranks(len(present))
    edges = quantile_edges(np.partition(present, ranks)[ranks]) if len(present) else np.empty(0)
    codes = np.searchsorted(edges, numbers, side="right")
    names = bin_names(edges, dtype)
    if missing.any():
        codes = np.where(missing, len(names), codes)
        names = [*names, MISSING]
    used = np.unique(codes)
    return [names[code] for code in used], np.searchsorted(used, codes).astype(np.int64)
