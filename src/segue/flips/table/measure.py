"""From tables on any engine to a report: lay out, count, check, and put together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from segue.errors import InputError
from segue.flips.assemble import assemble
from segue.flips.checks import proportion
from segue.flips.counts import Tally
from segue.flips.result import FlipReport
from segue.flips.slices import SliceTally
from segue.flips.table import checks, classes, flips
from segue.flips.table.counting import Counted, count, count_by_column
from segue.flips.table.discovering import discover_in
from segue.flips.table.engine import Engine
from segue.flips.table.layout import Layout, lay_out
from segue.flips.table.request import Request
from segue.flips.table.slicing import Slicing, known_slicing, plan_slices
from segue.flips.table.state import Judgement, class_targets, judge_answers, state_of

KNOWN = "label known to old"

Shortcut = Callable[[Layout, Sequence[Slicing], int], Counted | None]
"""A faster way to count, from the layout, the slices and the number of rows; ``None`` where it does not apply."""


@dataclass(frozen=True)
class Pass:
    """What one pass over the data found, before any rate is computed."""

    layout: Layout
    state: str
    tally: Tally
    slices: tuple[SliceTally, ...]
    notes: tuple[str, ...]
    negative: str | None = None


def measure(
    engine: Engine,
    request: Request,
    *,
    joined: bool,
    confidence: float = 0.95,
    discover_slices: bool = False,
    names: tuple[str, str] = ("old", "new"),
    limit: int = 1000,
    seed: int = 0,
    shortcut: Shortcut | None = None,
) -> tuple[FlipReport, Layout, str]:
    """Compare answers.

    Args:
        engine: Where the tables are.
        request: The columns, and how to treat what is not as it should be.
        joined: Whether there are two tables.
        confidence: Nominal coverage of the intervals.
        discover_slices: Whether to look for conjunctions in which flips concentrate.
        names: What the old and the new model are called.
        limit: How many flipped samples to fetch at most.
        seed: Seed of the cluster bootstrap and of the discovery.
        shortcut: A faster way to count, if the engine has one.

    Returns:
        The report; and where the columns are and the SQL of a row's state, for whoever needs the flipped rows.

    Raises:
        InputError: If anything is wrong with the data or the request.
    """
    proportion(confidence, "confidence")
    if limit < 0:
        raise InputError(f"flips is {limit}; pass how many flipped samples to fetch, 0 for none")
    layout = lay_out(engine, request, joined=joined)
    found = count_all(engine, layout, judge_answers(layout), seed, shortcut)
    counts = found.tally.as_counts()
    classes.refuse_strangers(engine, layout, counts)
    discovery, notes = None, list(found.notes)
    if discover_slices:
        discovery, more = discover_in(engine, layout, found.state, counts.samples, seed)
        notes += more
    report = assemble(
        found.tally,
        flip_matrix=flips.flip_matrix(engine, layout, found.state, found.negative),
        flips=flips.flipped_samples(engine, layout, found.state, counts, limit, found.negative),
        confidence=confidence,
        slices=found.slices,
        discovery=discovery,
        names=names,
        notes=notes,
    )
    return report, layout, found.state


def count_all(
    engine: Engine, layout: Layout, judgement: Judgement, seed: int, shortcut: Shortcut | None = None
) -> Pass:
    """Count all samples and refuse what is not as it should be.

    Args:
        engine: Where the relations are.
        layout: Where the columns are.
        judgement: Who is right.
        seed: Seed of the cluster bootstrap.
        shortcut: A faster way to count, if the engine has one.

    Returns:
        The sums.

    Raises:
        InputError: If anything is wrong with the data.
    """
    rows = checks.row_counts(engine, layout)
    if layout.ids is not None:
        checks.refuse_obvious_duplicates(engine, layout)
    notes: list[str] = []
    slicings = plan_slices(engine, layout)
    targets = class_targets(layout)
    known: Slicing | None = None
    if targets is not None and (note := classes.check_class_map(engine, layout, targets)) is not None:
        notes.append(note)
        known = known_slicing(layout, targets, KNOWN, f"s{len(slicings)}")
        slicings = (known, *slicings)
    state = state_of(layout, judgement)
    counted = None
    if shortcut is not None and len(set(rows.values())) == 1:
        counted = shortcut(layout, slicings, rows["old"])
    weight = None if layout.weight is None else layout.weight.sql
    if counted is None and layout.group is None:
        counted = count(engine, layout.relation, state, slicings, weight=weight)
        if counted is None:
            slicings = (*((known,) if known else ()), *plan_slices(engine, layout, exact=True))
    if counted is None:
        group = None if layout.group is None else layout.group.sql
        counted = count_by_column(engine, layout.relation, state, slicings, weight=weight, group=group)
    notes = [*checks.refuse_bad_rows(engine, layout, counted.states(), rows), *notes]
    tally = counted.tally(seed)
    checks.refuse_degenerate(layout, tally)
    return Pass(layout, state, tally, tuple(counted.slice_tallies(slicings, seed)), tuple(notes), counted.negative)
