"""Counting: one pass over the joined tables, and what it says as sums per cell, slice and group."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segue.flips.counts import N_CELLS, Tally
from segue.flips.slices import SliceTally
from segue.flips.table.engine import Engine
from segue.flips.table.slicing import Slicing
from segue.flips.table.state import CELL_BASE

MOST_CUBE_ROWS = 1_000_000
"""More combinations of slice values than this are counted column by column instead."""


@dataclass(frozen=True)
class Frame:
    """Grouped sums: one row per combination of state, value and group that occurs.

    Attributes:
        state: State of the rows, ``(rows,)``.
        count: How many samples, ``(rows,)``.
        value: Their value in the frame's slice column; ``None`` for the total.
        group: Their group; ``None`` where there are no groups.
        weight: Sum of their weights and of the squares, ``(2, rows)``; ``None`` where unweighted.
    """

    state: NDArray[np.int64]
    count: NDArray[np.int64]
    value: NDArray[Any] | None = None
    group: NDArray[Any] | None = None
    weight: NDArray[np.float64] | None = None

    @property
    def cell(self) -> NDArray[np.int64]:
        """Cell of the rows, ``(rows,)``; numbers from ``N_CELLS`` on are samples that do not count."""
        return self.state % CELL_BASE

    def tally(self, among: NDArray[np.bool_], seed: int) -> Tally:
        """Return the sums over some rows.

        Args:
            among: The rows, ``(rows,)``; those of dropped samples are left out.
            seed: Seed of the cluster bootstrap.
        """
        here = among & (self.cell < N_CELLS)
        cell = self.cell[here]
        counts = np.bincount(cell, weights=self.count[here], minlength=N_CELLS).round().astype(np.int64)
        sums: NDArray[np.float64] | None = None
        squares: NDArray[np.float64] | None = None
        groups: NDArray[np.float64] | None = None
        if self.weight is not None:
            sums, squares = (
                np.bincount(cell, weights=part[here], minlength=N_CELLS).astype(np.float64) for part in self.weight
            )
        if self.group is not None:
            names, number = np.unique(self.group[here].astype(np.str_), return_inverse=True)
            mass = self.count[here] if self.weight is None else self.weight[0][here]
            flat = np.bincount(number * N_CELLS + cell, weights=mass, minlength=len(names) * N_CELLS)
            groups = flat.reshape(len(names), N_CELLS).astype(np.float64)
        return Tally(counts, sums, squares, groups, seed)


@dataclass(frozen=True)
class Counted:
    """What the pass over the data found.

    Attributes:
        total: Sums over all rows.
        slices: Sums per value of each slice column.
        negative: A relation with ``id``, ``label`` and ``other`` (the new answer) of all negative flips, where counting
            left one behind.
    """

    total: Frame
    slices: Mapping[str, Frame]
    negative: str | None = None

    def states(self) -> dict[int, int]:
        """Return how many rows are in each state."""
        found: dict[int, int] = {}
        for state, count in zip(self.total.state.tolist(), self.total.count.tolist(), strict=True):
            found[state] = found.get(state, 0) + count
        return found

    def tally(self, seed: int) -> Tally:
        """Return the sums over all samples that count."""
        return self.total.tally(np.ones(len(self.total.state), dtype=bool), seed)

    def slice_tallies(self, slicings: Sequence[Slicing], seed: int) -> list[SliceTally]:
        """Return the sums of each slice."""
        found = []
        for slicing in slicings:
            frame = self.slices[slicing.key]
            assert frame.value is not None
            counted = frame.cell < N_CELLS
            names, code = slicing.categories(frame.value, np.where(counted, frame.count, 0))
            found += [
                SliceTally(slicing.name, name, tally)
                for number, name in enumerate(names)
                if (tally := frame.tally(code == number, seed)).counts.any()
            ]
        return found


def count(
    engine: Engine,
    relation: str,
    state: str,
    slicings: Sequence[Slicing],
    *,
    weight: str | None = None,
    task: str = "counting",
) -> Counted | None:
    """Count the samples in every state and combination of slice values, and sum up slices from there.

    Args:
        engine: Where the relations are.
        relation: What to read.
        state: The SQL of a row's state.
        slicings: The slice columns.
        weight: The SQL of a row's weight.
        task: What progress calls it.

    Returns:
        The sums; ``None`` where there are too many combinations of slice values.
    """
    if N_CELLS * math.prod(slicing.expected for slicing in slicings) > MOST_CUBE_ROWS:
        return None
    keys = {"state": state, **{slicing.key: slicing.sql for slicing in slicings}}
    answer = engine.table(_grouped(relation, keys, weight) + f" LIMIT {MOST_CUBE_ROWS + 1}", task)
    if len(answer["n"]) > MOST_CUBE_ROWS:
        return None
    return Counted(_frame(answer), {slicing.key: _frame(answer, slicing.key) for slicing in slicings})


def count_by_column(
    engine: Engine,
    relation: str,
    state: str,
    slicings: Sequence[Slicing],
    *,
    weight: str | None = None,
    group: str | None = None,
) -> Counted:
    """Count the samples in every state, slice and group, column by column (``GROUPING SETS``), still in one pass.

    Args:
        engine: Where the relations are.
        relation: What to read.
        state: The SQL of a row's state.
        slicings: The slice columns.
        weight: The SQL of a row's weight.
        group: The SQL of a row's group.

    Returns:
        The sums.
    """
    keys = {"state": state, **{slicing.key: slicing.sql for slicing in slicings}}
    if group is not None:
        keys["grp"] = group
    base = ["state"] if group is None else ["state", "grp"]
    sets = [base, *([*base, slicing.key] for slicing in slicings)]
    answer = engine.table(_grouped(relation, keys, weight, sets), "counting")
    everything = np.ones(len(answer["n"]), dtype=bool)
    parts = {}
    for slicing in slicings:
        apart = answer[f"all_{slicing.key}"] == 0
        parts[slicing.key] = _frame(_rows(answer, apart), slicing.key)
        everything &= ~apart
    return Counted(_frame(_rows(answer, everything)), parts)


def _grouped(
    relation: str, keys: Mapping[str, str], weight: str | None, sets: Sequence[Sequence[str]] | None = None
) -> str:
    """Return a query that groups by named expressions: by all of them, or by each of several sets of them."""
    inner = [f"{sql} AS v_{name}" for name, sql in keys.items()]
    chosen = [f"v_{name} AS {name}" for name in keys]
    chosen.append("count(*) AS n")
    if weight is not None:
        inner.append(f"{weight} AS wt")
        chosen += ["sum(wt) AS w", "sum(wt * wt) AS ww"]
    by = ", ".join(f"v_{name}" for name in keys)
    if sets is not None:
        chosen += [f"GROUPING(v_{name}) AS all_{name}" for name in keys if name not in {"state", "grp"}]
        by = "GROUPING SETS (" + ", ".join(f"({', '.join(f'v_{name}' for name in part)})" for part in sets) + ")"
    return f"SELECT {', '.join(chosen)} FROM (SELECT {', '.join(inner)} FROM {relation}) AS r GROUP BY {by}"


def _rows(answer: Mapping[str, NDArray[Any]], which: Any) -> dict[str, NDArray[Any]]:
    return {name: column[which] for name, column in answer.items()}


def _frame(answer: Mapping[str, NDArray[Any]], key: str | None = None) -> Frame:
    weight = None
    if "w" in answer:
        weight = np.stack([answer[name].astype(np.float64) for name in ("w", "ww")])
        weight = np.nan_to_num(weight)  # sums over rows without any weight, which never count
    return Frame(
        answer["state"].astype(np.int64),
        answer["n"].astype(np.int64),
        None if key is None else answer[key],
        answer.get("grp"),
        weight,
    )
