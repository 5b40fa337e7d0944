"""The questions asked of the data, and the sentences that refuse what is not as it should be.

Counting answers most questions on the way (:mod:`segue.flips.table.state`); only where an answer is bad are examples
looked up, so that sound data cost nothing here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from segue.errors import InputError
from segue.flips.checks import counted
from segue.flips.counts import N_CELLS, Tally
from segue.flips.table.classes import values_of
from segue.flips.table.engine import Engine
from segue.flips.table.layout import Layout, Placed
from segue.flips.table.slicing import SAMPLE_ROWS
from segue.flips.table.state import (
    BAD_WEIGHT,
    CELL_BASE,
    FLAWED,
    LABELS_DISAGREE,
    NO_GROUP,
    NO_ID,
    NO_LABEL,
    NO_NEW_ANSWER,
    NO_OLD_ANSWER,
    ONLY_NEW,
    ONLY_OLD,
)

_EXAMPLES = 3


def row_counts(engine: Engine, layout: Layout) -> dict[str, int]:
    """Return how many rows each relation has.

    Args:
        engine: Where the relations are.
        layout: Where the columns are.

    Returns:
        The number of rows of ``"old"`` and, if there are two tables, ``"new"``.

    Raises:
        InputError: If a relation is empty.
    """
    sides = ("old", "new") if layout.joined else ("old",)
    rows = {side: int(engine.table(f"SELECT count(*) AS n FROM {side}_side", "")["n"][0]) for side in sides}
    for side, count in rows.items():
        if count == 0:
            raise InputError(f"{layout.sources[side]} has no rows; there is nothing to compare")
    return rows


def refuse_obvious_duplicates(engine: Engine, layout: Layout) -> None:
    """Refuse ids that repeat among the first rows, before a join multiplies them.

    Args:
        engine: Where the relations are.
        layout: Where the columns are.

    Raises:
        InputError: If they do; the sentence counts all of them.
    """
    for side in ("old", "new") if layout.joined else ("old",):
        rows = f"(SELECT id FROM {side}_side LIMIT {SAMPLE_ROWS}) AS few"
        if layout.request.treatment.duplicates == "merge":
            rows = f"{side}_side"
        answer = engine.table(f"SELECT count(id) AS n, count(DISTINCT id) AS k FROM {rows}", "")
        if int(answer["n"][0]) != int(answer["k"][0]):
            raise InputError(_duplicates(engine, layout, side))


def refuse_bad_rows(engine: Engine, layout: Layout, states: Mapping[int, int], rows: Mapping[str, int]) -> list[str]:
    """Refuse what the user did not say how to treat.

    Args:
        engine: Where the relations are.
        layout: Where the columns are.
        states: How many joined rows are in each state.
        rows: How many rows each relation has.

    Returns:
        Notes on what was left out or settled on the user's wish.

    Raises:
        InputError: If anything is wrong; the sentence says what, how many and which.
    """
    seen = _Seen(states)
    ids = _refuse_ids(engine, layout, seen, rows) if layout.ids is not None else []
    notes = [*ids, *_refuse_values(engine, layout, seen)]
    if not any(count for state, count in states.items() if state % CELL_BASE < N_CELLS):
        what = " and ".join(layout.sources.values())
        raise InputError(
            f"{what}: no sample is left to compare"
            + (f" ({'; '.join(notes)})" if notes else "")
            + (", since the ids of the two have nothing in common; check the id column" if layout.joined else "")
        )
    return notes


def refuse_degenerate(layout: Layout, tally: Tally) -> None:
    """Refuse weights that are all zero and groups of which there is only one.

    Args:
        layout: Where the columns are.
        tally: The sums over all samples.

    Raises:
        InputError: If so.
    """
    if layout.weight is not None and not tally.sums.any():
        raise InputError(f"{layout.told(layout.weight)} has only weights of zero; at least one sample must count")
    if layout.group is not None and tally.groups is not None and len(tally.groups) < 2:
        raise InputError(
            f"{layout.told(layout.group)} holds a single group; intervals between groups need at least two"
        )


@dataclass(frozen=True)
class _Seen:
    """How many rows have an issue."""

    states: Mapping[int, int]

    def issue(self, issue: int) -> int:
        return sum(count for state, count in self.states.items() if state // CELL_BASE == issue)

    def flaw(self, bits: int) -> int:
        """Return how many samples have any of some flaws."""
        return sum(
            count
            for state, count in self.states.items()
            if state // CELL_BASE >= FLAWED and (state // CELL_BASE - FLAWED) & bits
        )

    @property
    def paired(self) -> int:
        """Joined rows that have a partner in both tables."""
        return sum(self.states.values()) - sum(map(self.issue, (NO_ID, ONLY_OLD, ONLY_NEW)))


def _refuse_ids(engine: Engine, layout: Layout, seen: _Seen, rows: Mapping[str, int]) -> list[str]:
    drop = layout.request.treatment.missing == "drop"
    notes = []
    without = dict.fromkeys(rows, 0)
    if seen.issue(NO_ID):
        for side in rows:
            answer = engine.table(f"SELECT count(*) AS n FROM {side}_side WHERE id IS NULL", "checking ids")
            without[side] = int(answer["n"][0])
            if without[side]:
                told = f"{layout.sources[side]}: {counted(without[side], 'row')} without an id"
                if not (drop and layout.joined):
                    raise InputError(
                        f"{told} (column {_id_name(layout, side)!r}); give every sample an id"
                        + (", or leave them out with missing='drop'" if layout.joined else "")
                    )
                notes.append(f"{told} left out, as asked")
    lone = {"old": seen.issue(ONLY_OLD), "new": seen.issue(ONLY_NEW)}
    for side, count in rows.items():
        # If every id is unique, each row with an id is joined exactly once. Conversely, p rows of an id in the one
        # table and q in the other make p * q joined rows, and sums of p * q = p and of p * q = q hold only for p = q
        # = 1 wherever both occur: so equal numbers prove the ids unique, apart from ids that have no partner anyway.
        joined = seen.paired + (lone[side] if layout.joined else 0)
        repeated = joined != count - without[side] if layout.joined else _repeated(engine, side)
        if repeated:
            raise InputError(_duplicates(engine, layout, side))
    if not layout.joined:
        return notes
    for side, other in (("old", "new"), ("new", "old")):
        if lone[side]:
            examples = _examples(
                engine,
                f"SELECT a.id AS x FROM {side}_side AS a LEFT JOIN {other}_side AS b ON a.id = b.id "
                f"WHERE b.id IS NULL AND a.id IS NOT NULL",
            )
            told = f"{layout.sources[other]} lacks {lone[side]:,} of the ids in {layout.sources[side]} ({examples})"
            if not drop:
                raise InputError(f"{told}; complete it, or compare what both have with missing='drop'")
            notes.append(f"{told}: left out, as asked")
    return notes


def _refuse_values(engine: Engine, layout: Layout, seen: _Seen) -> list[str]:
    treatment = layout.request.treatment
    notes: list[str] = []
    by_group = [(place, "group", NO_GROUP) for place in (layout.group,) if place is not None]
    answers = "finite score" if layout.request.label is None else "answer"
    missing: list[tuple[Placed, str, int]] = [
        *((place, "label", NO_LABEL) for place in layout.labels_needed),
        (layout.old, answers, NO_OLD_ANSWER),
        (layout.new, answers, NO_NEW_ANSWER),
        *by_group,
    ]
    for place, what, bit in missing:
        if not seen.flaw(bit):
            continue
        count = _count(engine, layout, f"{place.sql} IS NULL")
        if not count:  # the other table's labels have the missing values
            continue
        settled = {"label": ("drop",), answers: ("drop", "wrong") if answers == "answer" else ("drop",), "group": ()}
        told = f"{layout.told(place)} has no {what} for {counted(count, 'sample')}"
        if treatment.nulls not in settled[what]:
            examples = _examples_where(engine, layout, f"{place.sql} IS NULL")
            ways = {"label": "; label them", answers: "; add them", "group": "; give every sample a group"}[what]
            if what != "group":
                ways += ", or leave these samples out with nulls='drop'"
            if what == "answer":
                ways += ", or count them as wrong answers with nulls='wrong'"
            raise InputError(f"{told}{examples}{ways}")
        notes.append(f"{told}: {'counted as wrong' if treatment.nulls == 'wrong' else 'left out'}, as asked")
    if layout.labels_twice and seen.flaw(LABELS_DISAGREE):
        notes += _disagreeing(engine, layout)
    if layout.weight is not None and seen.flaw(BAD_WEIGHT):
        weight = layout.weight.sql
        bad = f"COALESCE({weight} < 0, TRUE)"
        raise InputError(
            f"{layout.told(layout.weight)} has {_count(engine, layout, bad):,} weights that are negative, missing or "
            f"infinite{_examples_where(engine, layout, bad)}; give every sample a finite weight of zero or more"
        )
    return notes


def _disagreeing(engine: Engine, layout: Layout) -> list[str]:
    first, second = layout.labels
    differ = f"{first.sql} <> {second.sql}"
    count = _count(engine, layout, differ)
    if not count:
        return []
    treatment = layout.request.treatment.labels_disagree
    told = f"the labels of {layout.sources['old']} and {layout.sources['new']} disagree on {counted(count, 'sample')}"
    if treatment != "refuse":
        return [f"{told}: those of {layout.sources[treatment]} were taken, as asked"]
    answer = engine.table(
        f"SELECT o.id AS x, {first.sql} AS a, {second.sql} AS b FROM {layout.matched} WHERE {differ} "
        f"ORDER BY o.id LIMIT {_EXAMPLES}",
        "",
    )
    examples = ", ".join(
        f"id {key!r}: {one!r} and {other!r}"
        for key, one, other in zip(answer["x"].tolist(), answer["a"].tolist(), answer["b"].tolist(), strict=True)
    )
    raise InputError(
        f"{told} ({examples}{', ...' if count > _EXAMPLES else ''}); correct one of them, or take one file's labels "
        f"with labels_disagree='old' or 'new'"
    )


def _repeated(engine: Engine, side: str) -> bool:
    answer = engine.table(f"SELECT count(id) AS n, count(DISTINCT id) AS k FROM {side}_side", "checking ids")
    return int(answer["n"][0]) != int(answer["k"][0])


def _duplicates(engine: Engine, layout: Layout, side: str) -> str:
    repeated = f"SELECT id AS x, count(*) AS n FROM {side}_side WHERE id IS NOT NULL GROUP BY id HAVING count(*) > 1"
    totals = engine.table(f"SELECT count(*) AS k FROM ({repeated}) AS r", "checking ids")
    count = int(totals["k"][0])
    merged = layout.request.treatment.duplicates == "merge"
    rows = "different rows" if merged else "more than one row"
    advice = "keep one row for each id" + (
        "" if merged else ", or count rows that are the same in every column once with duplicates='merge'"
    )
    name = _id_name(layout, side)
    if count == 0:
        # Only ids of the other table repeat; its own turn names them.
        other = "new" if side == "old" else "old"
        return _duplicates(engine, layout, other)
    plural = "id has" if count == 1 else "ids have"
    told = f"{layout.sources[side]}: {count:,} {plural} {rows} in column {name!r}"
    return f"{told} ({_examples(engine, repeated)}); {advice}"


def _id_name(layout: Layout, side: str) -> str:
    assert layout.request.id is not None
    return layout.request.id[0 if side == "old" else 1]


def _count(engine: Engine, layout: Layout, condition: str) -> int:
    return int(engine.table(f"SELECT count(*) AS n FROM {layout.matched} WHERE {condition}", "checking")["n"][0])


def _examples_where(engine: Engine, layout: Layout, condition: str) -> str:
    if layout.ids is None:
        return ""
    return f" ({_examples(engine, f'SELECT o.id AS x FROM {layout.matched} WHERE {condition}')})"


def _examples(engine: Engine, query: str) -> str:
    found = values_of(engine, f"SELECT x FROM ({query}) AS e ORDER BY x LIMIT {_EXAMPLES + 1}")
    told = ", ".join(repr(value) for value in found[:_EXAMPLES])
    return f"id {told}" + (", ..." if len(found) > _EXAMPLES else "")
