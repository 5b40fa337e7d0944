"""Compare two models' scores of the same samples."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segue.errors import InputError
from segue.flips.checks import (
    as_array,
    group_numbers,
    proportion,
    refuse_missing,
    same_index,
    same_length,
    sample_weights,
    slice_columns,
    unique_ids,
)
from segue.flips.counts import BOTH_RIGHT, NEGATIVE_FLIP, POSITIVE_FLIP, Tally
from segue.flips.discovery import discover
from segue.flips.graded import Change, GradedReport, ScoreSums, assemble_scores, graded_cells, score_span
from segue.flips.samples import FlippedSamples
from segue.flips.slices import slice_tallies


def compare_scores(
    old: ArrayLike,
    new: ArrayLike,
    *,
    tolerance: float = 0.0,
    ids: ArrayLike | None = None,
    slices: Mapping[str, ArrayLike] | Any | None = None,
    weights: ArrayLike | None = None,
    groups: ArrayLike | None = None,
    confidence: float = 0.95,
    discover_slices: bool = False,
    names: tuple[str, str] = ("old", "new"),
    seed: int = 0,
) -> GradedReport:
    """Measure sample by sample which scores an update lowers and raises.

    Args:
        old: The old model's score of each sample, ``(n,)``; higher is better; pass/fail may be booleans.
        new: The new model's, ``(n,)``.
        tolerance: A drop is a negative flip when it is larger than this, in the scores' own unit.
        ids: Names of the samples, ``(n,)``, each once; their positions by default.
        slices: Columns to break the rates down by, ``(n,)`` each: a mapping or a data frame.
        weights: Sample weights, ``(n,)``.
        groups: Which prompt family, patient or customer each sample comes from, ``(n,)``.
        confidence: Coverage of the intervals.
        discover_slices: Also look for conjunctions of conditions in which losses concentrate.
        names: What the old and the new model are called in reports.
        seed: Seed of the cluster bootstrap and of the discovery's split.

    Returns:
        The report.

    Raises:
        InputError: If anything passed is not as described; the sentence says what and where.

    Example:
        >>> report = compare_scores(old=[0.9, 0.5, 0.7, 1.0], new=[0.6, 0.9, 0.7, 0.95], tolerance=0.1)
        >>> report.negative_flips, report.positive_flips, round(report.mean_regression.value, 3)
        (1, 1, 0.3)
    """
    proportion(confidence, "confidence")
    same_index({"old": old, "new": new, "weights": weights, "groups": groups, "slices": slices})
    if not (np.isfinite(tolerance) and tolerance >= 0):
        raise InputError(f"tolerance is {tolerance}; pass a finite number of zero or more, in the unit of the scores")
    first, second = _scores(old, "old"), _scores(new, "new")
    samples = same_length({"old": first, "new": second})
    columns = slice_columns(slices, samples)
    if discover_slices and not columns:
        raise InputError("discover_slices needs columns to look in; pass slices={name: values}")
    weight, group = sample_weights(weights, samples), group_numbers(groups, samples)
    names_of_samples = np.arange(samples) if ids is None else unique_ids(ids, samples)
    difference = second - first
    cells = graded_cells(difference, tolerance)
    here = np.flatnonzero(cells != BOTH_RIGHT)
    flips = {
        "id": names_of_samples[here],
        "flip": np.where(cells[here] == NEGATIVE_FLIP, "negative", "positive"),
        "old": first[here],
        "new": second[here],
    }
    flips |= {name: column[here] for name, column in columns.items() if name not in flips}

    def sums(values: NDArray[np.float64], among: NDArray[np.bool_] | None = None) -> ScoreSums:
        chosen = slice(None) if among is None else among
        return ScoreSums.of(
            values[chosen],
            None if weight is None else weight[chosen],
            None if group is None else group[chosen],
        )

    return assemble_scores(
        Tally.of(cells, weight, group, seed),
        old=sums(first),
        new=sums(second),
        change=Change.of(
            difference,
            score_span(min(first.min(), second.min()), max(first.max(), second.max())),
            weights=weight,
            groups=group,
            seed=seed,
        ),
        gain=sums(difference, cells == POSITIVE_FLIP),
        regression=sums(-difference, cells == NEGATIVE_FLIP),
        tolerance=tolerance,
        flips=FlippedSamples(flips, int((cells == NEGATIVE_FLIP).sum()), int((cells == POSITIVE_FLIP).sum())),
        confidence=confidence,
        slices=slice_tallies(columns, cells, weight, group, seed),
        discovery=discover(columns, cells == NEGATIVE_FLIP, weights=weight, groups=group, seed=seed)
        if discover_slices
        else None,
        names=names,
    )


def _scores(values: Any, name: str) -> NDArray[np.float64]:
    array = as_array(values, name)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1 or array.dtype.kind not in "biufO":
        raise InputError(
            f"{name} has shape {array.shape} and type {array.dtype}; pass one score per sample, shape (n,)"
        )
    if array.dtype.kind == "O":
        refuse_missing(np.array([value is None for value in array.tolist()]), name)
    try:
        scores = array.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"{name} holds values that are no numbers ({error}); pass one score per sample") from error
    refuse_missing(np.isnan(scores), name)
    if np.isinf(scores).any():
        raise InputError(f"{name} has {int(np.isinf(scores).sum()):,} infinite scores; pass finite ones")
    return scores
