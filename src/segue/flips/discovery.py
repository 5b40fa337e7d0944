"""Discovery of the slices in which flips concentrate, found on one part of the data and confirmed on another.

Whoever looks through thousands of conjunctions finds one with many flips in any data. So the samples are split at
random (whole groups, where groups are given): slices are searched on the one part, and the few best, whatever they
are, are tested once on the other, which the search has not seen (Webb, "Discovering significant patterns", Machine
Learning 68, 2007). The number of tests is the number of candidates, about twenty, not the thousands searched.

Why Holm's and not Benjamini and Hochberg's adjustment: slices overlap or exclude each other, so that their tests
depend positively and negatively, for which Benjamini and Hochberg's proof does not stand; and of several confirmed
slices that show the same flips only the best is reported, and leaving out true findings raises the share of false ones
among the rest. Holm bounds the probability of any false report, which bounds the false discovery rate too, under any
dependence and for any selection among the confirmed; with twenty tests and a handful of true slices it costs little.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segue.errors import InputError
from segue.flips import checks, intervals
from segue.flips.conditions import Conjunction
from segue.flips.confirmation import Outcomes, excess_p_value, group_correlation, holm
from segue.flips.counts import BOTH_RIGHT, NEGATIVE_FLIP, Tally
from segue.flips.cuts import CodedColumn, code_column
from segue.flips.discovered import DiscoveredSlice, Discovery
from segue.flips.features import Feature, read_features
from segue.flips.subgroups import Limits, Search

FEWEST_FLIPS = 4
"""Flips that each part must have: with fewer no slice can be told from luck."""
FEWEST_GROUPS = 20
"""Groups to confirm on, below which a note says that the correlation within groups is poorly known."""
ALIKE = 0.6
"""Of two candidates that share more than this much of their union, only the better one is tested."""


@dataclass(frozen=True)
class Candidate:
    """A slice to be tested.

    Attributes:
        conjunction: Its conditions.
        inside: Whether each sample, of both parts, lies in it, ``(n,)``.
    """

    conjunction: Conjunction
    inside: NDArray[np.bool_]


def discover(
    columns: Mapping[str, ArrayLike],
    flipped: ArrayLike,
    *,
    weights: ArrayLike | None = None,
    groups: ArrayLike | None = None,
    among: ArrayLike | None = None,
    most_conditions: int = 3,
    candidates: int = 20,
    fewest_samples: int = 20,
    fdr: float = 0.05,
    confidence: float = 0.95,
    seed: int = 0,
) -> Discovery:
    """Find readable conjunctions of conditions in which flips concentrate, and confirm them on other samples.

    Args:
        columns: Columns by name, or a data frame, ``(n,)`` each: numbers and dates are searched for ranges, strings
            and booleans for values. Missing values can be a condition of their own.
        flipped: Whether each sample flipped, ``(n,)``.
        weights: How much each sample counts, ``(n,)``.
        groups: Which samples belong together (one patient, one customer), ``(n,)``: whole groups are kept in one part,
            and the test allows for flips that come in groups.
        among: Which samples to look at, ``(n,)``, such as those that the old model got right; all by default.
        most_conditions: Conditions in a conjunction: 1, 2 or 3.
        candidates: How many slices are tested on the confirmation part at most.
        fewest_samples: Samples that a slice has at least in the discovery part.
        fdr: Bound on the probability that anything false is reported.
        confidence: Nominal coverage of the intervals of the rates.
        seed: Seed of the split.

    Returns:
        The confirmed slices. Where the data are too few to split, nothing is reported and a note says so.

    Raises:
        InputError: If an array has the wrong length, shape or type, or a number is out of range.

    Example:
        >>> region = ["north", "south", "east", "west"] * 100
        >>> flipped = [place == "north" and number % 3 == 0 for number, place in enumerate(region)]
        >>> discovery = discover({"region": region, "number": range(400)}, flipped)
        >>> print(discovery.slices[0].conjunction)
        region = "north"
    """
    flags = _flags(flipped, "flipped")
    n = checks.same_length({"flipped": flags})
    features = read_features(columns, n)
    outcomes = Outcomes(flags, checks.sample_weights(weights, n), checks.group_numbers(groups, n))
    fdr, confidence = checks.proportion(fdr, "fdr"), checks.proportion(confidence, "confidence")
    _whole(most_conditions, "most_conditions", 1, 3)
    _whole(candidates, "candidates", 1, 1000)
    _whole(fewest_samples, "fewest_samples", 1, n)
    if among is not None:
        looked = _flags(among, "among")
        checks.same_length({"flipped": flags, "among": looked})
        outcomes = outcomes.part(looked)
        features = [
            replace(feature, values=feature.values[looked], missing=feature.missing[looked]) for feature in features
        ]
    found = split(outcomes, np.random.default_rng(seed))
    notes = _too_few(outcomes, found, fewest_samples)
    tested: list[Candidate] = []
    if not notes:
        coded, notes = _code(features, found, fewest_samples)
        search = Search(
            coded,
            np.flatnonzero(found),
            outcomes.flipped,
            _worth(outcomes, found),
            Limits(most_conditions, fewest_samples),
        )
        tested, left_out = choose(search, coded, candidates)
        if left_out:
            notes.append(
                f"{left_out:,} pairs of columns, those with the least to show alone, were not searched together"
            )
    kept = outcomes.part(~found)
    p_values = [excess_p_value(candidate.inside[~found], kept) for candidate in tested]
    adjusted = holm(p_values)
    passed = sorted((p, index) for index, p in enumerate(p_values) if adjusted[index] <= fdr)
    told = unexplained([tested[index].inside[~found] for _, index in passed], kept, fdr)
    if told and kept.groups is not None and len(np.unique(kept.groups)) < FEWEST_GROUPS:
        notes.append(
            f"with fewer than {FEWEST_GROUPS} groups to confirm on, how alike the members of a group are is unsure"
        )
    slices = [
        _describe(tested[index], outcomes, found, p, float(adjusted[index]), confidence)
        for p, index in (passed[place] for place in told)
    ]
    return Discovery(
        slices=tuple(slices),
        candidates=len(tested),
        fdr=fdr,
        samples_found=int(found.sum()),
        samples_confirmed=int((~found).sum()),
        flips_found=int((outcomes.flipped & found).sum()),
        flips_confirmed=int(kept.flipped.sum()),
        notes=tuple(notes),
    )


def split(outcomes: Outcomes, draws: np.random.Generator) -> NDArray[np.bool_]:
    """Choose the discovery part: half of the samples (of the groups) with and half of those without a flip.

    The number of flips is all that the split knows of the answers, and the tests are conditional on it.

    Args:
        outcomes: The samples.
        draws: Where the draws come from.

    Returns:
        Whether each sample is in the discovery part, ``(n,)``; the others are the confirmation part.
    """
    units = np.arange(len(outcomes.flipped)) if outcomes.groups is None else outcomes.groups
    sizes = np.bincount(units, minlength=1)
    hit = np.bincount(units, outcomes.flipped, minlength=len(sizes)) > 0
    chosen = np.zeros(len(sizes), dtype=bool)
    for stratum in (hit, ~hit):
        members = draws.permutation(np.flatnonzero(stratum & (sizes > 0)))
        middle = np.cumsum(sizes[members]) - sizes[members] / 2
        chosen[members[middle <= sizes[members].sum() / 2]] = True
    return np.asarray(chosen[units])


def choose(search: Search, coded: Sequence[CodedColumn], most: int) -> tuple[list[Candidate], int]:
    """Search the discovery part and choose the slices to test: the best ones that are not much alike.

    Args:
        search: The discovery part.
        coded: Its columns, over both parts.
        most: How many slices to test at most.

    Returns:
        The candidates, best first, and the number of pairs of columns that were not searched.
    """
    ranked, left_out = search.run()
    chosen: list[NDArray[np.bool_]] = []
    candidates = []
    for one in ranked:
        if len(chosen) == most:
            break
        here = np.zeros(search.size, dtype=bool)
        here[search.inside(one.parts)] = True
        if any((here & other).sum() > ALIKE * (here | other).sum() for other in chosen):
            continue
        chosen.append(here)
        inside = np.ones(len(coded[0].codes), dtype=bool)
        for number, low, high in one.parts:
            inside &= (coded[number].codes >= low) & (coded[number].codes <= high)
        conditions = tuple(coded[number].condition(low, high) for number, low, high in one.parts)
        candidates.append(Candidate(Conjunction(conditions), inside))
    return candidates, left_out


def unexplained(slices: Sequence[NDArray[np.bool_]], outcomes: Outcomes, level: float) -> list[int]:
    """Leave out slices whose excess is that of surer ones: outside these they have none.

    Args:
        slices: Whether each sample lies in each confirmed slice, the surest first, ``(n,)`` each.
        outcomes: The samples.
        level: Level of the test of the excess outside the slices told before.

    Returns:
        The positions of the slices to tell.
    """
    told: list[int] = []
    outside = np.ones(len(outcomes.flipped), dtype=bool)
    for place, inside in enumerate(slices):
        if not told or excess_p_value(inside[outside], outcomes.part(outside)) <= level:
            told.append(place)
            outside &= ~inside
    return told


def _flags(values: ArrayLike, name: str) -> NDArray[np.bool_]:
    array = checks.as_array(values, name)
    if array.ndim != 1:
        raise InputError(f"{name} has shape {array.shape}; pass one truth value per sample, shape (n,)")
    if array.dtype.kind == "b":
        return array
    if array.dtype.kind in "iuf" and bool(np.isin(array, (0, 1)).all()):
        return array.astype(bool)
    raise InputError(f"{name} holds {array.dtype} values that are not all true or false (or 0 or 1)")


def _whole(value: int, name: str, low: int, high: int) -> None:
    if not isinstance(value, int) or not low <= value <= high:
        raise InputError(f"{name} is {value!r}; pass a whole number from {low} to {high:,}")


def _too_few(outcomes: Outcomes, found: NDArray[np.bool_], fewest: int) -> list[str]:
    flips, samples = int(outcomes.flipped.sum()), len(found)
    if flips == 0:
        return [f"none of the {samples:,} samples flipped: there is nothing to find"]
    if flips == samples:
        return [f"all {samples:,} samples flipped: no slice can stand out"]
    if samples < 4 * fewest:
        return [
            f"{samples:,} samples are too few to split in two with slices of {fewest} in each ({4 * fewest} are needed)"
        ]
    if min(int((outcomes.flipped & part).sum()) for part in (found, ~found)) < FEWEST_FLIPS:
        return [
            f"{flips:,} flips are too few to find slices on one part and confirm them on another "
            f"({FEWEST_FLIPS} are needed in each part)"
        ]
    return []


def _code(features: Sequence[Feature], found: NDArray[np.bool_], fewest: int) -> tuple[list[CodedColumn], list[str]]:
    coded, notes = [], []
    for feature in features:
        if _counts_rows(feature):
            notes.append(f"column {feature.name!r} numbers the samples one by one and was not searched")
            continue
        column = code_column(feature, found, fewest)
        coded.append(column)
        if not len(column.ranges):
            constant = feature.kind != "category" or len(feature.labels) < 2
            why = (
                "has the same value everywhere" if constant else f"has no value with {fewest} samples in the first part"
            )
            notes.append(f"column {feature.name!r} {why} and was not searched")
    return coded, notes


def _counts_rows(feature: Feature) -> bool:
    """Return whether a column is a running number: whole, all different, and without many gaps."""
    values = feature.values
    if feature.kind != "number" or not feature.whole or feature.missing.any() or len(values) < 2:
        return False
    return bool(np.ptp(values) < 2 * len(values)) and len(np.unique(values)) == len(values)


def _worth(outcomes: Outcomes, found: NDArray[np.bool_]) -> NDArray[np.float64] | None:
    """Return how many independent samples each sample is worth in the search; ``None`` for one each."""
    if outcomes.independent:
        return None
    worth = outcomes.mass
    if outcomes.groups is not None:
        # Best linear weights of equally correlated samples: a group's worth levels off as it grows.
        members = np.bincount(outcomes.groups)[outcomes.groups]
        worth = worth / (1 + group_correlation(outcomes.part(found)) * (members - 1))
    here = worth[found]
    squares = float(np.sum(here**2))
    return worth * (float(here.sum()) / squares if squares > 0 else 1.0)


def _describe(
    candidate: Candidate, outcomes: Outcomes, found: NDArray[np.bool_], p: float, adjusted: float, confidence: float
) -> DiscoveredSlice:
    here, elsewhere = candidate.inside & ~found, ~candidate.inside & ~found
    cells = np.where(outcomes.flipped, NEGATIVE_FLIP, BOTH_RIGHT).astype(np.int8)
    rest = outcomes.part(elsewhere)
    rest_rate = float(np.average(rest.flipped, weights=rest.mass))
    inside = outcomes.part(here)
    rate = intervals.rate(Tally.of(cells[here], inside.weights, inside.groups), (NEGATIVE_FLIP,), confidence=confidence)
    return DiscoveredSlice(
        conditions=candidate.conjunction.conditions,
        samples=int(here.sum()),
        flips=int(inside.flipped.sum()),
        rate=rate,
        rest_rate=rest_rate,
        lift=rate.value / rest_rate if rest_rate > 0 else float("inf"),
        p_value=p,
        adjusted_p_value=adjusted,
        found_samples=int((candidate.inside & found).sum()),
        found_flips=int((candidate.inside & found & outcomes.flipped).sum()),
    )
