"""The flipped rows themselves: what they turned into, some of them to look at, all of them to a file."""

from __future__ import annotations

import glob
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from segue.errors import InputError
from segue.flips.checks import MISSING
from segue.flips.counts import NEGATIVE_FLIP, POSITIVE_FLIP, Counts
from segue.flips.samples import FlipMatrix, FlippedSamples
from segue.flips.table.engine import Answer, Engine, ResourceError
from segue.flips.table.layout import Layout
from segue.flips.table.leftovers import clear_leftovers, mark
from segue.flips.table.sources import CSV, FORMATS, PARQUET
from segue.flips.table.sql import quoted
from segue.flips.table.state import CELL_BASE


def flip_matrix(engine: Engine, layout: Layout, state: str, negative: str | None = None) -> FlipMatrix:
    """Count what the broken answers became.

    Args:
        engine: Where the relations are.
        layout: Where the columns are.
        state: The SQL of a row's state.
        negative: A relation with ``label`` and ``other`` of all negative flips, where there is one.

    Returns:
        The pairs of label and new answer that occur, most frequent first.
    """
    pairs = f"SELECT label, other AS answer FROM {negative} AS flips"
    if negative is None:
        pairs = (
            f"SELECT {layout.label} AS label, {layout.new.sql} AS answer FROM {layout.matched} "
            f"WHERE {_flipped(layout, state, NEGATIVE_FLIP)}"
        )
    answer = engine.table(
        f"SELECT label, answer, count(*) AS n FROM ({pairs}) AS pairs GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2",
        "flip matrix",
    )
    answers = answer["answer"]
    if answers.dtype == object:
        answers = np.array([MISSING if value is None else value for value in answers.tolist()])
        answers = answers.astype(np.str_)
    labels = answer["label"]
    return FlipMatrix(
        labels.astype(np.str_) if labels.dtype == object else labels, answers, answer["n"].astype(np.int64)
    )


def flipped_samples(
    engine: Engine, layout: Layout, state: str, counts: Counts, limit: int, negative: str | None = None
) -> FlippedSamples:
    """Fetch flipped rows, negative flips first, each kind in the order of the ids.

    Args:
        engine: Where the relations are.
        layout: Where the columns are.
        state: The SQL of a row's state.
        counts: How many flips there are.
        limit: How many rows to fetch at most.
        negative: A relation with the ``id`` of all negative flips, where there is one.

    Returns:
        The rows, and how many there are in all.
    """
    parts: list[Answer] = []
    left = limit
    for cell, total in ((NEGATIVE_FLIP, counts.negative_flips), (POSITIVE_FLIP, counts.positive_flips)):
        if left > 0 and (total or not parts):
            rows = _rows(layout, state, cell)
            if negative is not None and cell == NEGATIVE_FLIP and left < total:
                # Both tables are cut at the last id that is wanted, so that hardly anything is left to join.
                first = f"SELECT id FROM {negative} AS flips ORDER BY id LIMIT {left}"
                last = int(engine.table(f"SELECT max(id) AS id FROM ({first}) AS first", "")["id"][0])
                rows += f" AND o.id <= {last} AND n.id <= {last}"
            parts.append(engine.table(f"{rows}{_ordered(layout)} LIMIT {left}", "flipped samples"))
            left -= len(parts[-1]["flip"])
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]} if parts else {}
    return FlippedSamples(columns, counts.negative_flips, counts.positive_flips)


def write_flips(engine: Engine, layout: Layout, state: str, path: str | os.PathLike[str]) -> None:
    """Write all flipped rows to a Parquet or CSV file.

    The file is written beside its place under another name and moved there when it is whole, so that an interrupted
    run leaves no half a file.

    Args:
        engine: Where the relations are.
        layout: Where the columns are.
        state: The SQL of a row's state.
        path: The file; its ending chooses the format.

    Raises:
        InputError: If the ending is another one, the folder can't be written to, or the file is one of those read.
        ResourceError: If the disk is full.
    """
    check_target(path)
    keep_inputs(path, engine.files)
    target = Path(path)
    form = FORMATS[target.suffix.lower()]
    clear_leftovers(target.parent, f".{glob.escape(target.name)}.by-*.part")
    beside = target.with_name(f".{target.name}{mark()}part")
    rows = " UNION ALL ".join(_rows(layout, state, cell) for cell in (NEGATIVE_FLIP, POSITIVE_FLIP))
    try:
        engine.save(rows, str(beside), parquet=form == PARQUET)
        beside.replace(target)
    except ResourceError:
        raise
    except OSError as error:
        raise InputError(f"flips_to: {str(path)!r} can't be written ({error.strerror})") from error
    finally:
        beside.unlink(missing_ok=True)


def check_target(path: str | os.PathLike[str]) -> None:
    """Refuse a file for flipped rows that can't be written, before anything is counted.

    Args:
        path: The file.

    Raises:
        InputError: If its ending is neither .parquet nor .csv, or its folder does not exist or can't be written to.
    """
    target = Path(path)
    if FORMATS.get(target.suffix.lower()) not in {PARQUET, CSV}:
        raise InputError(f"flips_to is {str(path)!r}; name a file that ends in .parquet or .csv")
    folder = target.absolute().parent
    if not folder.is_dir():
        raise InputError(f"flips_to is {str(path)!r}, but there is no folder {str(folder)!r}; make it first")
    if target.is_dir() or not os.access(folder, os.W_OK):
        raise InputError(f"flips_to is {str(path)!r}, which can't be written to; name another file")


def keep_inputs(path: str | os.PathLike[str], inputs: Sequence[str], what: str = "flips_to") -> None:
    """Refuse to write over a file that is read.

    Args:
        path: The file to write.
        inputs: The files that are read.
        what: What the argument is called.

    Raises:
        InputError: If they are the same file, under whatever name.
    """
    target = Path(path)
    for file in inputs if target.exists() else ():
        if target.samefile(file):
            raise InputError(
                f"{what} is {str(path)!r}, one of the files that are compared, which would be lost; name another file"
            )


def _rows(layout: Layout, state: str, cell: int) -> str:
    kind = "negative" if cell == NEGATIVE_FLIP else "positive"
    columns = {} if layout.ids is None else {"id": layout.ids.sql}
    columns["flip"] = f"'{kind}'"
    if layout.labels:
        columns["label"] = layout.label
    columns |= {"old": layout.old.sql, "new": layout.new.sql}
    for place in (*layout.shown, *layout.slices_shown):
        columns.setdefault(place.name, place.sql)
    chosen = ", ".join(f"{sql} AS {quoted(name)}" for name, sql in columns.items())
    return f"SELECT {chosen} FROM {layout.matched} WHERE {_flipped(layout, state, cell)}"


def _ordered(layout: Layout) -> str:
    return "" if layout.ids is None else f" ORDER BY {layout.ids.sql}"


def _flipped(layout: Layout, state: str, cell: int) -> str:
    """Return when a row is a flip, with conditions on single tables written out, so that rows are left out early."""
    early = ""
    treatment = layout.request.treatment
    if layout.labels_twice and treatment.labels_disagree == "refuse" and treatment.nulls == "refuse":
        # Counting has proven that labels agree and nothing is missing, so each model can be judged in its own table.
        first, second = layout.labels
        new = f"{layout.new.sql} <> {second.sql}" if cell == NEGATIVE_FLIP else f"{layout.new.sql} = {second.sql}"
        early = f"{new} AND "
        if layout.request.class_map is None:
            old = f"{layout.old.sql} = {first.sql}" if cell == NEGATIVE_FLIP else f"{layout.old.sql} <> {first.sql}"
            return f"{old} AND {new}"
    return f"{early}({state}) % {CELL_BASE} = {cell}"
