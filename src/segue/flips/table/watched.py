"""What became of certain samples, such as the protected ones of a gate, in tables of any size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from segue.errors import InputError
from segue.flips.counts import NEGATIVE_FLIP, POSITIVE_FLIP
from segue.flips.table.engine import Engine, Resources
from segue.flips.table.layout import lay_out
from segue.flips.table.opening import opened
from segue.flips.table.request import Duplicates, LabelsDisagree, Missing, Nulls, Request, Treatment, pair
from segue.flips.table.sources import Table
from segue.flips.table.sql import literal
from segue.flips.table.state import CELL_BASE, DROPPED, judge_answers, judge_scores, state_of

FLIPS = {NEGATIVE_FLIP: "negative", POSITIVE_FLIP: "positive"}


def watch_tables(
    old: Table,
    new: Table | None,
    watched: Sequence[str],
    *,
    id: str | tuple[str, str] | None = None,  # ruff: ignore[builtin-argument-shadowing] the column's usual name
    label: str | tuple[str, str] | None = "label",
    prediction: str | tuple[str, str] = "prediction",
    tolerance: float | None = None,
    class_map: Mapping[Any, Any] | None = None,
    missing: Missing = "refuse",
    nulls: Nulls = "refuse",
    duplicates: Duplicates = "refuse",
    labels_disagree: LabelsDisagree = "refuse",
    resources: Resources | None = None,
) -> dict[str, str]:
    """Say what became of certain samples; the tables are not checked again.

    Args:
        old: The old model's table, as for :func:`segue.flips.compare_tables`.
        new: The new model's.
        watched: The ids of the samples, as strings.
        id: Column with the ids.
        label: Column with the truth; ``None`` where scores are compared.
        prediction: Column with the answers or scores.
        tolerance: Where scores are compared, the drop that is no flip.
        class_map: What each old class is called now.
        missing: As in the comparison.
        nulls: As in the comparison.
        duplicates: As in the comparison.
        labels_disagree: As in the comparison.
        resources: Memory, threads, temporary folder.

    Returns:
        ``"negative"``, ``"positive"`` or ``"none"`` by id; samples that were not compared are left out.

    Raises:
        InputError: If the tables have no ids, or a column is missing.

    Example:
        >>> import pyarrow as pa
        >>> old = pa.table({"id": [1, 2, 3], "label": [0, 1, 1], "prediction": [0, 1, 0]})
        >>> new = pa.table({"id": [1, 2, 3], "prediction": [0, 0, 1]})
        >>> sorted(watch_tables(old, new, ["1", "2", "9"], id="id").items())
        [('1', 'none'), ('2', 'negative')]
    """
    if id is None:
        raise InputError("protected samples are looked up by their ids; name the column with id=")
    request = Request(
        id=pair(id, "id"),
        answers=pair(prediction, "prediction"),
        label=None if label is None else pair(label, "label"),
        class_map=class_map,
        treatment=Treatment(missing, nulls, duplicates, labels_disagree),
    )
    with opened(old, new, resources) as (engine, _):
        return watch(engine, request, watched, joined=new is not None, tolerance=tolerance)


def watch(
    engine: Engine, request: Request, watched: Sequence[str], *, joined: bool, tolerance: float | None = None
) -> dict[str, str]:
    """Say what became of certain samples on any engine.

    Args:
        engine: Where the tables are.
        request: The columns; with ids.
        watched: The ids of the samples, as strings.
        joined: Whether there are two tables.
        tolerance: Where scores are compared, the drop that is no flip.

    Returns:
        ``"negative"``, ``"positive"`` or ``"none"`` by id; samples that were not compared are left out.

    Raises:
        InputError: If a column is missing, or there are no ids.
    """
    layout = lay_out(engine, request, joined=joined)
    if layout.ids is None:
        raise InputError("protected samples are looked up by their ids; name the column with id=")
    judgement = judge_answers(layout) if tolerance is None else judge_scores(layout, tolerance)
    name = f"CAST({layout.ids.sql} AS VARCHAR)"
    answer = engine.table(
        f"SELECT {name} AS id, {state_of(layout, judgement)} AS state FROM {layout.matched} "
        f"WHERE {name} IN ({', '.join(map(literal, watched))})",
        "protected samples",
    )
    cells = {
        str(key): int(state) % CELL_BASE
        for key, state in zip(answer["id"].tolist(), answer["state"].tolist(), strict=True)
    }
    return {key: FLIPS.get(cell, "none") for key, cell in cells.items() if cell != DROPPED}
