"""Counting without joining all rows, where cheap questions prove that nothing is wrong with them.

When both files hold labels and the ids are whole numbers from a range not much wider than the number of rows, three
questions to each file on its own settle every check: no value is missing; a bit set with one bit per possible id has
as many bits as the file has rows, so the ids are unique; and two checksums of (id, label) over all rows, the exclusive
or and the sum of 64-bit hashes, are the same for both files, so that the ids are the same and every label agrees.
DuckDB combines the hashes of two values by an exclusive or, which cancels over the rows and would not see which label
belongs to which id; hashing the combination once more binds the two. Other files then pass by an accident of less than
one in 2**63; the hash is no cryptographic one, and files made to deceive might pass.

The rows that the new model got right then need not be looked up: it is right wherever it is not wrong. Joining only its
wrong answers to the old file is faster than the plain join, and takes a fraction of its memory. Where the proof fails,
the full join counts, and says what is wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from segue.flips.counts import (
    BOTH_RIGHT,
    BOTH_WRONG_DIFFER,
    BOTH_WRONG_SAME,
    NEGATIVE_FLIP,
    POSITIVE_FLIP,
)
from segue.flips.table.counting import Counted, Frame, count
from segue.flips.table.kinds import Kind
from segue.flips.table.layout import Layout
from segue.flips.table.session import DuckDBSession
from segue.flips.table.slicing import Slicing
from segue.flips.table.sources import DuckDBSources

WIDEST = 16
"""The range of ids may be this many times as wide as the number of rows."""
MOST_BITS = 1_000_000_000
LARGEST_SIGNED = 2**63 - 1


def count_wrong_only(engine: DuckDBSources, layout: Layout, slicings: Sequence[Slicing], rows: int) -> Counted | None:
    """Count the cells by joining only the new model's wrong answers.

    Args:
        engine: Where the relations are.
        layout: Where the columns are.
        slicings: The slice columns.
        rows: Number of rows of each relation.

    Returns:
        The sums; ``None`` where the question can't be settled this way.
    """
    if not _applies(layout, slicings) or not _proven(engine.session, layout, rows):
        return None
    before = count(
        engine,
        "old_side AS o",
        f"CASE WHEN o.answer = o.label THEN {BOTH_RIGHT} ELSE {POSITIVE_FLIP} END",
        slicings,
        task="counting the old model's answers",
    )
    if before is None:
        return None
    kept = "".join(f", {slicing.sql} AS {slicing.key}" for slicing in slicings)
    engine.session.execute(
        f"CREATE OR REPLACE TEMP TABLE new_wrong AS SELECT o.id, o.label, o.answer, n.answer AS other{kept} "
        f"FROM old_side AS o JOIN (SELECT id, answer FROM new_side WHERE answer <> label) AS n ON o.id = n.id",
        "looking up the new model's errors",
    )
    wrong = count(
        engine,
        "new_wrong AS o",
        f"CASE WHEN o.answer = o.label THEN {NEGATIVE_FLIP} WHEN o.answer = o.other THEN {BOTH_WRONG_SAME} "
        f"ELSE {BOTH_WRONG_DIFFER} END",
        [replace(slicing, sql=f"o.{slicing.key}") for slicing in slicings],
        task="counting the new model's errors",
    )
    if wrong is None:
        return None
    return Counted(
        _subtracted(before.total, wrong.total),
        {key: _subtracted(frame, wrong.slices[key]) for key, frame in before.slices.items()},
        negative="(SELECT id, label, other FROM new_wrong WHERE answer = label)",
    )


def _applies(layout: Layout, slicings: Sequence[Slicing]) -> bool:
    return (
        layout.joined
        and layout.labels_twice
        and layout.ids is not None
        and layout.ids.kind is Kind.INTEGER
        and layout.weight is None
        and layout.group is None
        and layout.request.class_map is None
        and all(slicing.sql.startswith("o.") or " o." in slicing.sql for slicing in slicings)
    )


def _proven(session: DuckDBSession, layout: Layout, rows: int) -> bool:
    """Return whether both tables are sound and hold the same ids with the same labels."""
    ((low, high),) = session.rows("SELECT min(id), max(id) FROM old_side")
    if low is None or high > LARGEST_SIGNED or high - low + 1 > min(WIDEST * rows, MOST_BITS):
        return False
    if session.rows(f"SELECT min(id) < {low} OR max(id) > {high} OR min(id) IS NULL FROM new_side") != [(False,)]:
        return False
    label = "CAST(label AS BIGINT)" if layout.labels[0].kind is not Kind.TEXT else "label"
    bound = f"hash(hash(CAST(id AS BIGINT), {label}))"
    found = [
        session.rows(
            f"SELECT count(*), count(label), count(answer), "
            f"bit_count(bitstring_agg(CAST(id AS BIGINT), CAST({low} AS BIGINT), CAST({high} AS BIGINT))), "
            f"bit_xor({bound}), sum(CAST({bound} AS HUGEINT)) FROM {side}_side",
            f"checking {side}",
        )[0]
        for side in ("old", "new")
    ]
    (*counts, old_xor, old_sum), (*other, new_xor, new_sum) = found
    return set(counts) == set(other) == {rows} and (old_xor, old_sum) == (new_xor, new_sum)


def _subtracted(before: Frame, wrong: Frame) -> Frame:
    """Return sums in which the rows that the new model got wrong no longer count as right."""
    taken = np.where(wrong.state == NEGATIVE_FLIP, BOTH_RIGHT, POSITIVE_FLIP)
    value = None
    if before.value is not None and wrong.value is not None:
        value = np.concatenate([before.value, wrong.value, wrong.value])
    return Frame(
        np.concatenate([before.state, wrong.state, taken]),
        np.concatenate([before.count, wrong.count, -wrong.count]),
        value,
    )
