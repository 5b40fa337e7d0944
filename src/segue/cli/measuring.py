"""From the options that were typed to a report."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segue.cli.tables import Tables
from segue.errors import InputError

if TYPE_CHECKING:
    from segue.flips.graded import GradedReport
    from segue.flips.result import FlipReport
    from segue.flips.samples import FlippedSamples
    from segue.flips.table import Progress, Resources


def measured(
    tables: Tables, confidence: float, more_slices: Sequence[str] = (), progress: Progress | None = None
) -> FlipReport | GradedReport:
    """Compare the tables.

    Args:
        tables: What was typed.
        confidence: Coverage of the intervals.
        more_slices: Slice columns beside those that were typed.
        progress: Called with the running step and its share done.

    Returns:
        The report.

    Raises:
        InputError: If anything is wrong with the options or the data.
    """
    from segue.flips.table import compare_score_tables, compare_tables

    shared = _shared_confidences(tables)
    confidences = [name for name in (tables.old_confidence, tables.new_confidence) if name is not None]
    asked: dict[str, Any] = {
        **_columns(tables),
        "slices": list(dict.fromkeys([*(tables.slice or ()), *more_slices])),
        "weights": tables.weight,
        "groups": tables.group,
        "columns": list(dict.fromkeys([*confidences, *(tables.column or ())])),
        "flips": tables.flips,
        "flips_to": tables.flips_to,
        "confidence": confidence,
        "discover_slices": tables.discover,
        "names": model_names(tables),
        "resources": _resources(tables, progress),
    }
    report: FlipReport | GradedReport
    if tables.graded:
        score = asked.pop("prediction")
        report = compare_score_tables(tables.old, tables.new, score=score, tolerance=tables.tolerance or 0.0, **asked)
    else:
        report = compare_tables(tables.old, tables.new, **asked, **_labels(tables))
    return dataclasses.replace(report, flips=_with_confidences(report.flips, tables, shared))


def outcomes(tables: Tables, protected: Sequence[str], progress: Progress | None = None) -> dict[str, str]:
    """Say what became of protected samples.

    Args:
        tables: What was typed.
        protected: The samples' ids.
        progress: Called with the running step and its share done.

    Returns:
        ``"negative"``, ``"positive"`` or ``"none"`` by id, for those that were compared.
    """
    from segue.flips.table.watched import watch_tables

    asked: dict[str, Any] = {**_columns(tables), "resources": _resources(tables, progress)}
    if tables.graded:
        asked |= {"label": None, "tolerance": tables.tolerance or 0.0}
    else:
        asked |= _labels(tables)
    return watch_tables(tables.old, tables.new, protected, **asked)


def refuse_contradictions(tables: Tables) -> None:
    """Refuse options that do not go together, before anything is read.

    Args:
        tables: What was typed.

    Raises:
        InputError: If options contradict each other.
    """
    if tables.new is not None and tables.id is None:
        raise InputError("OLD and NEW are joined on the samples' ids; name the column with --id")
    if tables.new is not None and same_file(tables.old, tables.new):
        answers = _answers(tables)
        if answers[0] == answers[1]:
            raise InputError(
                f"OLD and NEW are the same file, {tables.old!r}; pass two files, or one file with --old-prediction and "
                f"--new-prediction"
            )
    if tables.threads is not None and tables.threads < 1:
        raise InputError(f"--threads is {tables.threads}; pass 1 or more")
    if tables.discover and not tables.slice:
        raise InputError("--discover looks for conditions on slice columns; name some with --slice")
    if tables.tolerance is not None and not tables.graded:
        raise InputError("--tolerance is for graded scores; name their column with --score")
    if tables.graded and tables.class_map is not None:
        raise InputError("--class-map is for classes, not for graded scores; leave one of the two out")
    if tables.new is None:
        old, new = _answers(tables)
        if old == new:
            from segue.flips.warehouse import hidden

            kind = "score" if tables.graded else "prediction"
            raise InputError(
                f"there is one table, {hidden(tables.old)!r}; name NEW as well, or the two columns with --old-{kind} "
                f"and --new-{kind}"
            )
        for option, value in (("--new-id", tables.new_id), ("--new-label", tables.new_label)):
            if value is not None:
                raise InputError(f"{option} is for two tables, and there is one; leave it out or name NEW")
        if tables.old_confidence is not None and tables.old_confidence == tables.new_confidence:
            raise InputError(
                f"there is one table, and --old-confidence and --new-confidence both name its column "
                f"{tables.old_confidence!r}; name each model's own column, or leave one of the two out"
            )


def model_names(tables: Tables) -> tuple[str, str]:
    """Return what the models are called: as typed, or after their files or columns.

    Args:
        tables: What was typed.

    Returns:
        Two different names.
    """
    found = _answers(tables) if tables.new is None else (_name(tables.old), _name(tables.new))
    if found[0] == found[1] or any("*" in name or not name for name in found):
        found = "old", "new"
    return tables.old_name or found[0], tables.new_name or found[1]


def _columns(tables: Tables) -> dict[str, Any]:
    return {
        "id": None if tables.id is None else (tables.id, tables.new_id or tables.id),
        "prediction": _answers(tables),
        "missing": tables.missing,
        "nulls": tables.nulls,
        "duplicates": tables.duplicates,
    }


def _labels(tables: Tables) -> dict[str, Any]:
    from segue.cli.class_map import read_class_map

    return {
        "label": (tables.label, tables.new_label or tables.label),
        "class_map": None if tables.class_map is None else read_class_map(tables.class_map),
        "labels_disagree": tables.labels_disagree,
    }


def _resources(tables: Tables, progress: Progress | None) -> Resources:
    from segue.flips.table import Resources

    return Resources(
        memory=tables.memory_limit, threads=tables.threads, temp_directory=tables.temp_directory, progress=progress
    )


def _answers(tables: Tables) -> tuple[str, str]:
    if tables.graded:
        both = tables.score or "score"
        return tables.old_score or both, tables.new_score or both
    return tables.old_prediction or tables.prediction, tables.new_prediction or tables.prediction


def _name(source: str) -> str:
    if "://" in source:  # a database's URL ends in #schema.table
        return source.partition("#")[2].rpartition(".")[2]
    return Path(source).stem


def _shared_confidences(tables: Tables) -> set[str]:
    # Returns the columns that both tables have, and refuses a confidence that only the other model's table has.
    from segue.flips.table.opening import opened

    asked = [(side, name) for side, name in _confidences(tables).items() if name is not None]
    if tables.new is None or not asked:
        return set()
    with opened(tables.old, tables.new, _resources(tables, None)) as (engine, _):
        known = {side: set(engine.names(side)) for side in ("old", "new")}
        told = {side: engine.describe(side) for side in ("old", "new")}
    for side, name in asked:
        other = "new" if side == "old" else "old"
        if name in known[other] - known[side]:
            raise InputError(
                f"--{side}-confidence: {told[side]} has no column {name!r}, only {told[other]} has; name a column of "
                f"{told[side]}, or leave --{side}-confidence out"
            )
    return known["old"] & known["new"]


def _with_confidences(flips: FlippedSamples, tables: Tables, shared: set[str]) -> FlippedSamples:
    # Columns of both tables come as old_NAME and new_NAME; the report looks for old_confidence and new_confidence.
    renamed = {}
    for side, name in _confidences(tables).items():
        if name is not None and f"{side}_{name}" in flips.columns and name in shared:
            renamed[f"{side}_{name}"] = f"{side}_confidence"
        elif name is not None and name in flips.columns:
            if side == "new" and name in shared:  # of columns that are not floating-point, OLD's is shown
                raise InputError(
                    f"--new-confidence: column {name!r} is in OLD and in NEW and does not hold numbers with a decimal "
                    f"point, so it is not taken for each model's own; write it as numbers such as 0.93"
                )
            renamed[name] = f"{side}_confidence"
    columns = {renamed.get(name, name): values for name, values in flips.columns.items()}
    return dataclasses.replace(flips, columns=columns)


def _confidences(tables: Tables) -> dict[str, str | None]:
    return {"old": tables.old_confidence, "new": tables.new_confidence}


def same_file(one: str, other: str) -> bool:
    """Tell whether two paths name one file that is there.

    Args:
        one: A path.
        other: Another.

    Returns:
        Whether they do, links included.
    """
    return os.path.exists(one) and os.path.exists(other) and Path(one).samefile(other)  # ruff: ignore[os-path-exists] - Path.exists raises where a name is too long
