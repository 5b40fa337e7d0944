"""Compare two models' answers in tables that need not fit into memory."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from segue.flips.result import FlipReport
from segue.flips.table import flips as flipped
from segue.flips.table.engine import Resources
from segue.flips.table.measure import measure
from segue.flips.table.opening import opened
from segue.flips.table.request import (
    Duplicates,
    LabelsDisagree,
    Missing,
    Nulls,
    Request,
    Treatment,
    answer_columns,
    pair,
    several,
)
from segue.flips.table.sources import Table


def compare_tables(
    old: Table,
    new: Table | None = None,
    *,
    id: str | tuple[str, str] | None = None,  # ruff: ignore[builtin-argument-shadowing] the column's usual name
    label: str | tuple[str, str] = "label",
    prediction: str | tuple[str, str] = "prediction",
    slices: Sequence[str] = (),
    weights: str | None = None,
    groups: str | None = None,
    class_map: Mapping[Any, Any] | None = None,
    columns: Sequence[str] = (),
    missing: Missing = "refuse",
    nulls: Nulls = "refuse",
    duplicates: Duplicates = "refuse",
    labels_disagree: LabelsDisagree = "refuse",
    flips: int = 1000,
    flips_to: str | os.PathLike[str] | None = None,
    confidence: float = 0.95,
    discover_slices: bool = False,
    names: tuple[str, str] = ("old", "new"),
    seed: int = 0,
    resources: Resources | None = None,
) -> FlipReport:
    """Measure sample by sample what an update breaks and mends, from tables that need not fit into memory.

    Args:
        old: The old model's predictions: a path, glob, folder or list of paths of Parquet, CSV, JSON lines or Arrow
            files, or a pandas, polars or pyarrow table; or a database's table, as an Ibis table or as a URL such as
            ``postgres://host/database#table``, which is compared where it is (extra ``warehouse``).
        new: The new model's, in any of these forms; ``None`` if ``old`` holds the predictions of both.
        id: Column with the samples' ids, or its names in the old and the new table. One table may do without.
        label: Column with the truth, or its names in the old and the new table. One of the two tables may lack it;
            where both have it they must agree.
        prediction: Column with the answers, or its names for the old and the new model.
        slices: Columns to break the rates down by, of the old table or, if it lacks them, of the new one.
        weights: Column with sample weights.
        groups: Column with the patient or customer that a sample comes from.
        class_map: What each old class is called now, where the class sets differ.
        columns: Further columns to show with flipped samples: texts, pictures or their paths. Floating-point columns
            of both tables, such as the models' confidences, are shown for both as ``old_NAME`` and ``new_NAME``.
        missing: What to do with samples that one table lacks: ``"refuse"`` or ``"drop"``.
        nulls: What to do with missing answers or labels: ``"refuse"``, count missing answers as ``"wrong"``, or
            ``"drop"``.
        duplicates: What to do with several rows of one id: ``"refuse"``, or ``"merge"`` those that are the same.
        labels_disagree: Which labels to take where the tables disagree: ``"refuse"``, ``"old"`` or ``"new"``.
        flips: How many flipped samples the report holds at most, negative flips first; counts are always of all.
        flips_to: A Parquet or CSV file to which all flipped samples are written.
        confidence: Coverage of the intervals.
        discover_slices: Also look for conjunctions of conditions on the slice columns in which flips concentrate; on a
            million samples chosen at random where there are more.
        names: What the old and the new model are called in reports.
        seed: Seed of the cluster bootstrap and of the discovery.
        resources: Memory, threads, temporary folder, and a callback for progress.

    Returns:
        The report; what was left out on the user's wish is told in its notes.

    Raises:
        InputError: If anything is wrong with the data or the request; the sentence says what, how many and which.
        ResourceError: If memory or disk do not suffice.

    Example:
        >>> import pyarrow as pa
        >>> old = pa.table({"id": [1, 2, 3, 4], "label": [0, 1, 1, 0], "prediction": [0, 1, 0, 0]})
        >>> new = pa.table({"id": [4, 3, 2, 1], "prediction": [0, 1, 1, 1]})
        >>> report = compare_tables(old, new, id="id")
        >>> report.negative_flips, report.positive_flips, report.flips.to_dict()["id"]
        (1, 1, [1, 3])
    """
    request = Request(
        id=None if id is None else pair(id, "id"),
        answers=answer_columns(prediction, "prediction", joined=new is not None),
        label=pair(label, "label"),
        slices=several(slices, "slices"),
        weights=weights,
        groups=groups,
        columns=several(columns, "columns"),
        class_map=class_map,
        treatment=Treatment(missing, nulls, duplicates, labels_disagree),
    )
    if flips_to is not None:
        flipped.check_target(flips_to)
    with opened(old, new, resources) as (engine, shortcut):
        if flips_to is not None:
            flipped.keep_inputs(flips_to, engine.files)
        report, layout, state = measure(
            engine,
            request,
            joined=new is not None,
            confidence=confidence,
            discover_slices=discover_slices,
            names=names,
            limit=flips,
            seed=seed,
            shortcut=shortcut,
        )
        if flips_to is not None:
            flipped.write_flips(engine, layout, state, flips_to)
    return report
