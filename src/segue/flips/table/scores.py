"""Compare two models' graded scores in tables that need not fit into memory."""

from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np

from segue.errors import InputError
from segue.flips.checks import proportion
from segue.flips.counts import NEGATIVE_FLIP, POSITIVE_FLIP
from segue.flips.graded import Change, GradedReport, assemble_scores, score_span
from segue.flips.table import flips as flipped
from segue.flips.table.discovering import discover_in
from segue.flips.table.engine import Engine, Resources
from segue.flips.table.layout import Layout, lay_out
from segue.flips.table.measure import count_all
from segue.flips.table.moments import ScoreMoments
from segue.flips.table.opening import opened
from segue.flips.table.request import Duplicates, Missing, Request, Treatment, answer_columns, pair, several
from segue.flips.table.sources import Table
from segue.flips.table.state import judge_scores


def compare_score_tables(
    old: Table,
    new: Table | None = None,
    *,
    id: str | tuple[str, str] | None = None,  # ruff: ignore[builtin-argument-shadowing] the column's usual name
    score: str | tuple[str, str] = "score",
    tolerance: float = 0.0,
    slices: Sequence[str] = (),
    weights: str | None = None,
    groups: str | None = None,
    columns: Sequence[str] = (),
    missing: Missing = "refuse",
    nulls: str = "refuse",
    duplicates: Duplicates = "refuse",
    flips: int = 1000,
    flips_to: str | os.PathLike[str] | None = None,
    confidence: float = 0.95,
    discover_slices: bool = False,
    names: tuple[str, str] = ("old", "new"),
    seed: int = 0,
    resources: Resources | None = None,
) -> GradedReport:
    """Measure sample by sample which scores an update lowers and raises, from tables of any size.

    Args:
        old: The old model's scores: a table as for :func:`segue.flips.compare_tables`.
        new: The new model's; ``None`` if ``old`` holds both.
        id: Column with the samples' ids, or its names in the old and the new table.
        score: Column with the scores, or its names for the old and the new model; higher is better.
        tolerance: A drop is a negative flip when it is larger than this, in the scores' own unit.
        slices: Columns to break the rates down by.
        weights: Column with sample weights.
        groups: Column with the prompt family, patient or customer that a sample comes from.
        columns: Further columns to show with flipped samples.
        missing: What to do with samples that one table lacks: ``"refuse"`` or ``"drop"``.
        nulls: What to do with missing scores: ``"refuse"`` or ``"drop"``.
        duplicates: What to do with several rows of one id: ``"refuse"``, or ``"merge"`` those that are the same.
        flips: How many flipped samples the report holds at most, negative flips first; counts are always of all.
        flips_to: A Parquet or CSV file to which all flipped samples are written.
        confidence: Coverage of the intervals.
        discover_slices: Also look for conjunctions of conditions on the slice columns in which losses concentrate.
        names: What the old and the new model are called in reports.
        seed: Seed of the cluster bootstrap and of the discovery's split.
        resources: Memory, threads, temporary folder, and a callback for progress.

    Returns:
        The report.

    Raises:
        InputError: If anything is wrong with the data or the request; the sentence says what, how many and which.
        ResourceError: If memory or disk do not suffice.

    Example:
        >>> import pyarrow as pa
        >>> old = pa.table({"id": [1, 2, 3], "score": [0.9, 0.5, 0.7]})
        >>> new = pa.table({"id": [3, 2, 1], "score": [0.7, 0.9, 0.6]})
        >>> report = compare_score_tables(old, new, id="id", tolerance=0.1)
        >>> report.negative_flips, report.positive_flips, round(report.mean_regression.value, 3)
        (1, 1, 0.3)
    """
    if nulls not in {"refuse", "drop"}:
        raise InputError(f"nulls is {nulls!r}; pass 'refuse' or 'drop': a missing score is no score")
    request = Request(
        id=None if id is None else pair(id, "id"),
        answers=answer_columns(score, "score", joined=new is not None),
        label=None,
        slices=several(slices, "slices"),
        weights=weights,
        groups=groups,
        columns=several(columns, "columns"),
        treatment=Treatment(missing, "drop" if nulls == "drop" else "refuse", duplicates),
    )
    if flips_to is not None:
        flipped.check_target(flips_to)
    with opened(old, new, resources) as (engine, _):
        if flips_to is not None:
            flipped.keep_inputs(flips_to, engine.files)
        report, layout, state = measure_scores(
            engine,
            request,
            joined=new is not None,
            tolerance=tolerance,
            confidence=confidence,
            discover_slices=discover_slices,
            names=names,
            limit=flips,
            seed=seed,
        )
        if flips_to is not None:
            flipped.write_flips(engine, layout, state, flips_to)
    return report


def measure_scores(
    engine: Engine,
    request: Request,
    *,
    joined: bool,
    tolerance: float = 0.0,
    confidence: float = 0.95,
    discover_slices: bool = False,
    names: tuple[str, str] = ("old", "new"),
    limit: int = 1000,
    seed: int = 0,
) -> tuple[GradedReport, Layout, str]:
    """Compare scores on any engine.

    Args:
        engine: Where the tables are.
        request: The columns, and how to treat what is not as it should be.
        joined: Whether there are two tables.
        tolerance: Changes up to it are no flips.
        confidence: Nominal coverage of the intervals.
        discover_slices: Whether to look for conjunctions in which losses concentrate.
        names: What the old and the new model are called.
        limit: How many flipped samples to fetch at most.
        seed: Seed of the cluster bootstrap and of the discovery's split.

    Returns:
        The report; and where the columns are and the SQL of a row's state.

    Raises:
        InputError: If anything is wrong with the data or the request.
    """
    proportion(confidence, "confidence")
    if not (np.isfinite(tolerance) and tolerance >= 0):
        raise InputError(f"tolerance is {tolerance}; pass a finite number of zero or more, in the unit of the scores")
    if limit < 0:
        raise InputError(f"flips is {limit}; pass how many flipped samples to fetch, 0 for none")
    layout = lay_out(engine, request, joined=joined)
    found = count_all(engine, layout, judge_scores(layout, tolerance), seed)
    moments = ScoreMoments.of(engine, layout, found.state)
    discovery, notes = None, list(found.notes)
    if discover_slices:
        discovery, more = discover_in(engine, layout, found.state, found.tally.as_counts().samples, seed)
        notes += more
    report = assemble_scores(
        found.tally,
        old=moments.sums("old"),
        new=moments.sums("new"),
        change=Change(
            every=moments.sums("change"),
            rises=moments.sums("change", moments.sign == POSITIVE_FLIP),
            drops=moments.sums("change", moments.sign == NEGATIVE_FLIP, flip=True),
            signs=moments.signs(seed),
            span=score_span(moments.low, moments.high),
        ),
        gain=moments.sums("change", moments.cell == POSITIVE_FLIP),
        regression=moments.sums("change", moments.cell == NEGATIVE_FLIP, flip=True),
        tolerance=tolerance,
        flips=flipped.flipped_samples(engine, layout, found.state, found.tally.as_counts(), limit),
        confidence=confidence,
        slices=found.slices,
        discovery=discovery,
        names=names,
        notes=notes,
    )
    return report, layout, found.state
