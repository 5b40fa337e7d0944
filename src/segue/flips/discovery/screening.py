"""From a search of one part of the samples to slices that were tested on the other part."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segue.flips.discovery.conditions import Conjunction
from segue.flips.discovery.confirmation import Outcomes, excess_p_value, group_correlation, weighted_holm
from segue.flips.discovery.cuts import MOST_CATEGORIES, CodedColumn, code_column
from segue.flips.discovery.features import Feature
from segue.flips.discovery.subgroups import Found, Limits, Parts, Search

ALIKE = 0.6
"""Of two candidates that share more than this much of their union, only the better one is tested."""
MOST_SURE = 8
"""How many slices are set aside at most to search among the other samples."""
BEYOND_DOUBT = 15.0
"""Log likelihood ratio, less the price of the conditions, that luck does not reach in a search of thousands."""
OF_ITS_OWN = 0.05
"""Level of the test that a slice has an excess which better slices do not explain."""


@dataclass(frozen=True, eq=False)
class Tested:
    """A slice that was found on one part and tested on the other.

    Attributes:
        conjunction: Its conditions.
        inside: Whether each sample, of both parts, lies in it, ``(n,)``.
        found: The part on which it was found, ``(n,)``.
        looked: The samples on which it was tested, ``(n,)``: of the other part, those not in ``besides``.
        besides: The slices whose samples were set aside before it was found.
        p_value: Of the test.
        adjusted_p_value: The same, adjusted for all slices tested.
        evidence: Log likelihood ratio where it was found, less the price of its conditions, and minus the logarithm of
            the p-value where it was tested.
    """

    conjunction: Conjunction
    inside: NDArray[np.bool_]
    found: NDArray[np.bool_]
    looked: NDArray[np.bool_]
    besides: tuple[Conjunction, ...]
    p_value: float
    adjusted_p_value: float
    evidence: float


def search_and_test(
    features: Sequence[Feature], outcomes: Outcomes, found: NDArray[np.bool_], limits: Limits, most: int
) -> tuple[list[Tested], list[str]]:
    """Search one part, and test what was found on the other.

    Args:
        features: The columns.
        outcomes: The samples.
        found: The part to search, ``(n,)``.
        limits: What may be reported.
        most: How many slices are tested at most.

    Returns:
        The slices tested, with their p-values adjusted for both directions; and what could not be searched.
    """
    coded, notes = _code(features, found, limits.fewest)
    chosen, left_out = choose(coded, outcomes, found, limits, most)
    if left_out:
        notes.append(f"{left_out:,} pairs of columns, those with the least to show alone, were not searched together")
    masks = [_mask(one.parts, coded, len(found)) for one, _ in chosen]
    names = [Conjunction(tuple(coded[n].condition(low, high) for n, low, high in one.parts)) for one, _ in chosen]
    looked = []
    for _, aside in chosen:
        outside = ~found
        for before in range(aside):
            outside = outside & ~masks[before]
        looked.append(outside)
    p_values = [excess_p_value(mask[rows], outcomes.part(rows)) for mask, rows in zip(masks, looked, strict=True)]
    # Twice, since each part's slices have half of the error to spend.
    adjusted = np.minimum(2 * weighted_holm(p_values, [1 / rank**2 for rank in range(1, len(chosen) + 1)]), 1.0)
    tested = [
        Tested(
            conjunction=names[index],
            inside=masks[index],
            found=found,
            looked=looked[index],
            besides=tuple(names[:aside]),
            p_value=p_values[index],
            adjusted_p_value=float(adjusted[index]),
            evidence=-one.rank - math.log(max(p_values[index], 1e-300)),
        )
        for index, (one, aside) in enumerate(chosen)
    ]
    return tested, notes


def _mask(parts: Parts, coded: Sequence[CodedColumn], samples: int) -> NDArray[np.bool_]:
    inside = np.ones(samples, dtype=bool)
    for number, low, high in parts:
        inside &= (coded[number].codes >= low) & (coded[number].codes <= high)
    return inside


def choose(
    coded: Sequence[CodedColumn], outcomes: Outcomes, found: NDArray[np.bool_], limits: Limits, most: int
) -> tuple[list[tuple[Found, int]], int]:
    """Search one part and choose the slices to test: the best ones that are not much alike.

    A slice with very many flips hides all others: whatever overlaps it has many flips too. So while the best slice is
    beyond doubt it is chosen, its samples are set aside, and the search is repeated on the others.

    Args:
        coded: The coded columns.
        outcomes: The samples.
        found: The part to search, ``(n,)``.
        limits: What may be chosen.
        most: How many slices to choose at most.

    Returns:
        The slices, best first, each with the number of those before it whose samples were set aside when it was found;
        and the number of pairs of columns that were not searched.
    """
    worth = _worth(outcomes, found)
    rows = np.flatnonzero(found)
    sure: list[tuple[Found, int]] = []
    while True:
        search = Search(coded, rows, outcomes.flipped, worth, limits)
        ranked, left_out = search.run() if search.flips > 0 else ([], 0)
        if len(sure) == min(MOST_SURE, most - 1) or not ranked or ranked[0].rank > -BEYOND_DOUBT:
            break
        sure.append((ranked[0], len(sure)))
        rows = np.delete(rows, search.inside(ranked[0].parts))
    chosen: list[Found] = []
    masks: list[NDArray[np.bool_]] = []
    for one in ranked:
        if len(sure) + len(chosen) == most:
            break
        here = np.zeros(len(rows), dtype=bool)
        here[search.inside(one.parts)] = True
        if all((here & other).sum() <= ALIKE * (here | other).sum() for other in masks):
            chosen.append(one)
            masks.append(here)
    return [*sure, *((one, len(sure)) for one in chosen)], left_out


def unexplained(passed: Sequence[Tested], outcomes: Outcomes) -> list[Tested]:
    """Leave out slices whose excess is that of better ones: outside these they have none where they were tested.

    Args:
        passed: The confirmed slices, the best first.
        outcomes: The samples.

    Returns:
        The slices to tell.
    """
    told: list[Tested] = []
    outside = np.ones(len(outcomes.flipped), dtype=bool)
    for one in passed:
        looked = outside & one.looked
        if not told or excess_p_value(one.inside[looked], outcomes.part(looked)) <= OF_ITS_OWN:
            told.append(one)
            outside &= ~one.inside
    return told


def _code(features: Sequence[Feature], found: NDArray[np.bool_], fewest: int) -> tuple[list[CodedColumn], list[str]]:
    coded, notes = [], []
    for feature in features:
        if _counts_rows(feature):
            notes.append(f"column {feature.name!r} numbers the samples one by one and was not searched")
            continue
        column = code_column(feature, found, fewest)
        coded.append(column)
        if column.left_out:
            notes.append(
                f"column {feature.name!r} has very many values; only the {MOST_CATEGORIES} most frequent were searched"
            )
        if not len(column.ranges):
            why = "has one value only"
            if feature.missing.all():
                why = "has no value at all"
            elif len(feature.labels) > 1:
                why = f"has no value with {fewest:,} samples in each part"
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
