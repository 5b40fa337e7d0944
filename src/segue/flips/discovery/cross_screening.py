"""Discovery of the slices in which flips concentrate, found on one part of the data and confirmed on another.

Whoever looks through thousands of conjunctions finds one with many flips in any data. So the samples are split at
random in two (whole groups, where groups are given): slices are searched on one part, and the few best, whatever they
are, are tested once on the other, which the search has not seen (Webb, "Discovering significant patterns", Machine
Learning 68, 2007). Then the parts change places, so that less depends on the luck of the split (cross-screening: Zhao,
Small and Rosenbaum, J. Am. Stat. Assoc. 113, 2018); each direction has half of the error to spend.

Why Holm's adjustment and not Benjamini and Hochberg's: slices overlap or exclude each other, so that their tests
depend positively and negatively, for which Benjamini and Hochberg's proof does not stand; and of several confirmed
slices that show the same flips only the best is told, and leaving out true findings raises the share of false ones
among the rest. Holm bounds the probability of any false slice, which bounds the false discovery rate too, under any
dependence and for any selection among the confirmed. What this costs in power is won back by weights: the candidate
that the search ranks ``k``-th gets a share of the error in proportion to ``1/k**2``, which is valid because the ranks
come from the other part.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from numbers import Integral

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segue.errors import InputError
from segue.flips import checks, intervals
from segue.flips.counts import BOTH_RIGHT, NEGATIVE_FLIP, Tally
from segue.flips.discovery.confirmation import Outcomes
from segue.flips.discovery.discovered import DiscoveredSlice, Discovery
from segue.flips.discovery.features import read_features
from segue.flips.discovery.screening import Tested, search_and_test, unexplained
from segue.flips.discovery.subgroups import Limits

FEWEST_FLIPS = 4
"""Flips that each part must have: with fewer no slice can be told from luck."""
FEWEST_GROUPS = 20
"""Groups to confirm on, below which a note says that the correlation within groups is poorly known."""


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
    candidates = _whole(candidates, "candidates", 1, 1000)
    limits = Limits(_whole(most_conditions, "most_conditions", 1, 3), _whole(fewest_samples, "fewest_samples", 1))
    if among is not None:
        looked = _flags(among, "among")
        checks.same_length({"flipped": flags, "among": looked})
        if not looked.any():
            raise InputError("among chooses none of the samples; there is nothing to look at")
        outcomes = outcomes.part(looked)
        features = [
            replace(feature, values=feature.values[looked], missing=feature.missing[looked]) for feature in features
        ]
    first = split(outcomes, np.random.default_rng(checks.seed_number(seed)))
    notes = _too_few(outcomes, first, limits.fewest)
    tested: list[Tested] = []
    if not notes:
        for found in (first, ~first):
            more, hints = search_and_test(features, outcomes, found, limits, candidates)
            tested += more
            notes += [hint for hint in hints if hint not in notes]
    passed = sorted(
        (one for one in tested if one.adjusted_p_value <= fdr), key=lambda one: (-one.evidence, str(one.conjunction))
    )
    told = unexplained(passed, outcomes)
    if told and outcomes.groups is not None and len(np.unique(outcomes.groups)) < 2 * FEWEST_GROUPS:
        notes.append(f"with fewer than {2 * FEWEST_GROUPS} groups, how alike the members of a group are is unsure")
    return Discovery(
        slices=tuple(_describe(one, outcomes, confidence) for one in told),
        candidates=len(tested),
        fdr=fdr,
        samples_found=int(first.sum()),
        samples_confirmed=int((~first).sum()),
        flips_found=int((outcomes.flipped & first).sum()),
        flips_confirmed=int((outcomes.flipped & ~first).sum()),
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


def _flags(values: ArrayLike, name: str) -> NDArray[np.bool_]:
    array = checks.as_array(values, name)
    if array.ndim != 1:
        raise InputError(f"{name} has shape {array.shape}; pass one truth value per sample, shape (n,)")
    if array.dtype.kind == "b":
        return array
    if array.dtype.kind in "iuf" and bool(np.isin(array, (0, 1)).all()):
        return array.astype(bool)
    raise InputError(f"{name} holds {checks.values_of(array)} that are not all true or false (or 0 or 1)")


def _whole(value: int, name: str, low: int, high: int | None = None) -> int:
    if isinstance(value, Integral) and low <= value and (high is None or value <= high):
        return int(value)
    allowed = f"of at least {low}" if high is None else f"from {low} to {high:,}"
    raise InputError(f"{name} is {value!r}; pass a whole number {allowed}")


def _too_few(outcomes: Outcomes, found: NDArray[np.bool_], fewest: int) -> list[str]:
    flips, samples = int(outcomes.flipped.sum()), len(found)
    if flips == 0:
        return [f"none of the {samples:,} samples flipped: there is nothing to find"]
    if flips == samples:
        return [f"all {samples:,} samples flipped: no slice can stand out"]
    if samples < 4 * fewest:
        return [
            f"{samples:,} samples are too few to split in two with slices of {fewest:,} in each "
            f"({4 * fewest:,} are needed)"
        ]
    if min(int((outcomes.flipped & part).sum()) for part in (found, ~found)) < FEWEST_FLIPS:
        return [
            f"{flips:,} flips are too few to find slices on one part and confirm them on another "
            f"({FEWEST_FLIPS} are needed in each part)"
        ]
    return []


def _describe(one: Tested, outcomes: Outcomes, confidence: float) -> DiscoveredSlice:
    here, elsewhere = one.inside & one.looked, ~one.inside & one.looked
    cells = np.where(outcomes.flipped, NEGATIVE_FLIP, BOTH_RIGHT).astype(np.int8)
    inside, rest = outcomes.part(here), outcomes.part(elsewhere)
    rest_rate = float(np.average(rest.flipped, weights=rest.mass))
    tally = Tally.of(cells[here], inside.weights, inside.groups)
    rate = intervals.rate(tally, (NEGATIVE_FLIP,), confidence=confidence)
    return DiscoveredSlice(
        conditions=one.conjunction.conditions,
        besides=one.besides,
        samples=int(here.sum()),
        flips=int(inside.flipped.sum()),
        rate=rate,
        rest_rate=rest_rate,
        lift=rate.value / rest_rate if rest_rate > 0 else math.inf,
        p_value=one.p_value,
        adjusted_p_value=one.adjusted_p_value,
        found_samples=int((one.inside & one.found).sum()),
        found_flips=int((one.inside & one.found & outcomes.flipped).sum()),
    )
