"""One number per joined row that says everything: its cell, and what is wrong with it.

A row's *state* is ``8 * issue + cell``. The issue is 0 for a sound sample. ``NO_ID``, ``ONLY_OLD`` and ``ONLY_NEW``
are rows without a partner; from ``FLAWED`` on, the issue is ``FLAWED`` plus the bits of all that is wrong. The cell is
``DROPPED`` where the sample can't be counted under the user's treatment of such rows. So a single ``GROUP BY`` over
the full outer join counts the cells and answers every question about the input at once.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from segue.errors import InputError
from segue.flips.counts import BOTH_RIGHT, BOTH_WRONG_DIFFER, BOTH_WRONG_SAME, NEGATIVE_FLIP, POSITIVE_FLIP
from segue.flips.table.kinds import Kind
from segue.flips.table.layout import Layout, Placed
from segue.flips.table.request import WrittenMap
from segue.flips.table.sql import literal

CELL_BASE = 8
DROPPED = 7
NO_ID, ONLY_OLD, ONLY_NEW, FLAWED = 1, 2, 3, 4
NO_LABEL, NO_OLD_ANSWER, NO_NEW_ANSWER, LABELS_DISAGREE, BAD_WEIGHT, NO_GROUP = 1, 2, 4, 8, 16, 32


@dataclass(frozen=True)
class Judgement:
    """Who is right in a row, as SQL that is true, or false or null where not.

    Attributes:
        old_right: Whether the old answer is right.
        new_right: Whether the new answer is right.
        same: Whether both answers are the same.
    """

    old_right: str
    new_right: str
    same: str

    @property
    def cell(self) -> str:
        """The cell of a row."""
        return (
            f"CASE WHEN {self.old_right} THEN CASE WHEN {self.new_right} THEN {BOTH_RIGHT} ELSE {NEGATIVE_FLIP} END "
            f"WHEN {self.new_right} THEN {POSITIVE_FLIP} WHEN {self.same} THEN {BOTH_WRONG_SAME} "
            f"ELSE {BOTH_WRONG_DIFFER} END"
        )


def judge_answers(layout: Layout) -> Judgement:
    """Return when an answer is right: when it is the label, for old answers under the class map if there is one."""
    label, old, new = layout.label, layout.old.sql, layout.new.sql
    targets = class_targets(layout)
    same = f"({_mapped(old, new, targets)} OR ({old} IS NULL AND {new} IS NULL))"
    if layout.request.treatment.nulls != "wrong":
        same = _mapped(old, new, targets)
    return Judgement(_mapped(old, label, targets), f"{new} = {label}", same)


def judge_scores(layout: Layout, tolerance: float) -> Judgement:
    """Return when a score counts as lost or won: when it changes by more than the tolerance, beyond rounding."""
    tolerance = float(tolerance)  # NumPy's numbers name their type where SQL wants digits
    limit = repr(tolerance * (1 + 1e-9) + (1e-12 if tolerance else 0.0))
    change = f"({layout.new.sql} - {layout.old.sql})"
    # Lost: right before, wrong now. Won: the reverse. Neither is told as "both right".
    return Judgement(f"NOT ({change} > {limit})", f"NOT ({change} < -{limit})", "FALSE")


def state_of(layout: Layout, judgement: Judgement) -> str:
    """Return the SQL of a row's state.

    Args:
        layout: Where the columns are.
        judgement: Who is right.

    Returns:
        An expression over the joined relations.
    """
    sound = _all([*_questions(layout, sound=True).values()])
    flaws = " + ".join(f"CASE WHEN {broken} THEN {bit} ELSE 0 END" for bit, broken in _questions(layout).items())
    pairing = ""
    if layout.joined:
        pairing = (
            f"WHEN o.id IS NULL AND n.id IS NULL THEN {NO_ID * CELL_BASE + DROPPED} "
            f"WHEN n.id IS NULL THEN {ONLY_OLD * CELL_BASE + DROPPED} "
            f"WHEN o.id IS NULL THEN {ONLY_NEW * CELL_BASE + DROPPED} "
        )
    elif layout.ids is not None:
        pairing = f"WHEN o.id IS NULL THEN {NO_ID * CELL_BASE + DROPPED} "
        sound = _all([f"{layout.ids.sql} IS NOT NULL", sound])
    cell = _cell_of_flawed(layout, judgement)
    return f"CASE WHEN {sound} THEN {judgement.cell} {pairing}ELSE {CELL_BASE} * ({FLAWED} + {flaws}) + {cell} END"


def class_targets(layout: Layout) -> dict[Any, list[Any]] | None:
    """Return what each old class may be called now, in the types of the columns, or ``None`` without a class map.

    Args:
        layout: Where the columns are; its request holds the class map.

    Returns:
        A list of new classes for every old class.

    Raises:
        InputError: If the map is empty, or a class is not of the columns' type.
    """
    asked = layout.request.class_map
    if asked is None:
        return None
    if not isinstance(asked, Mapping) or not asked:
        raise InputError("class_map must be a mapping {old class: new class or list of new classes} and not empty")
    targets = {}
    for key, value in asked.items():
        if isinstance(value, np.ndarray):
            value = np.atleast_1d(value).tolist()
        several = value if isinstance(value, (list, tuple, set, frozenset)) else [value]
        targets[_typed(key, layout.old, layout)] = [_typed(target, layout.labels[0], layout) for target in several]
    return targets


def _questions(layout: Layout, *, sound: bool = False) -> dict[int, str]:
    """Return by bit the SQL that finds what is wrong; or, for each bit, the SQL that holds of sound rows.

    The second is not simply the negation of the first: it must be null or false where a row has no partner.
    """
    found: dict[int, tuple[str, str]] = {}
    if layout.labels_twice:
        first, second = (place.sql for place in layout.labels)
        found[LABELS_DISAGREE] = (f"{first} IS DISTINCT FROM {second}", f"{first} = {second}")
    if layout.labels:
        needed = [place.sql for place in layout.labels_needed]
        found[NO_LABEL] = (
            " OR ".join(f"{label} IS NULL" for label in needed),
            "" if layout.labels_twice else f"{needed[0]} IS NOT NULL",
        )
    found[NO_OLD_ANSWER] = (f"{layout.old.sql} IS NULL", f"{layout.old.sql} IS NOT NULL")
    found[NO_NEW_ANSWER] = (f"{layout.new.sql} IS NULL", f"{layout.new.sql} IS NOT NULL")
    if layout.weight is not None:
        found[BAD_WEIGHT] = (f"COALESCE({layout.weight.sql} < 0, TRUE)", f"{layout.weight.sql} >= 0")
    if layout.group is not None:
        found[NO_GROUP] = (f"{layout.group.sql} IS NULL", f"{layout.group.sql} IS NOT NULL")
    return {bit: (good if sound else bad) for bit, (bad, good) in found.items()}


def _cell_of_flawed(layout: Layout, judgement: Judgement) -> str:
    # Whichever table lacks the label: a sample that is told as left out must not count.
    fatal = [f"{place.sql} IS NULL" for place in layout.labels_needed] if layout.labels else []
    if layout.request.treatment.nulls != "wrong" or not layout.labels:
        fatal += [f"{layout.old.sql} IS NULL", f"{layout.new.sql} IS NULL"]
    return f"CASE WHEN {' OR '.join(fatal)} THEN {DROPPED} ELSE {judgement.cell} END"


def _mapped(old: str, other: str, targets: Mapping[Any, Sequence[Any]] | None) -> str:
    """Return when an old answer agrees with a new class; classes that keep their name cost no comparison each."""
    if targets is None:
        return f"{old} = {other}"
    changed = {key: values for key, values in targets.items() if list(values) != [key]}
    if not changed:
        return f"{old} = {other}"
    cases = " ".join(
        f"WHEN {literal(key)} THEN {f'{other} IN ({_list(values)})' if values else 'FALSE'}"
        for key, values in changed.items()
    )
    kept = f"{old} = {other}" if len(changed) < len(targets) else "FALSE"
    return f"CASE {old} {cases} ELSE {kept} END"


def _list(values: Iterable[Any]) -> str:
    return ", ".join(map(literal, values))


def _all(conditions: Iterable[str]) -> str:
    return " AND ".join(condition for condition in conditions if condition)


def _typed(value: Any, place: Placed, layout: Layout) -> Any:
    # Only what a file says may be of the other type: its keys are text, whatever the classes are.
    written = isinstance(layout.request.class_map, WrittenMap)
    if place.kind is Kind.TEXT:
        if isinstance(value, str) or written:
            return str(value)
    else:
        whole = isinstance(value, (int, np.integer, np.bool_))
        whole = whole or (isinstance(value, (float, np.floating)) and float(value).is_integer())
        if whole or (written and isinstance(value, str) and re.fullmatch(r"-?\d+", value)):
            return int(value)
    raise InputError(
        f"class_map holds {value!r}, but {layout.told(place)} holds {place.kind.value}; write the classes as there"
    )
