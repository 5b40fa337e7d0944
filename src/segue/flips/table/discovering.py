"""Discovery of slices in tables: on all samples where they fit into memory, on a random part of them otherwise."""

from __future__ import annotations

import numpy as np

from segue.errors import InputError
from segue.flips.checks import counted
from segue.flips.counts import N_CELLS, NEGATIVE_FLIP
from segue.flips.discovery import discover
from segue.flips.discovery.discovered import Discovery
from segue.flips.table.engine import Engine
from segue.flips.table.layout import Layout
from segue.flips.table.state import CELL_BASE

MOST_SAMPLES = 1_000_000


def discover_in(
    engine: Engine, layout: Layout, state: str, samples: int, seed: int
) -> tuple[Discovery, tuple[str, ...]]:
    """Look for conjunctions of conditions on the slice columns in which negative flips concentrate.

    Args:
        engine: Where the relations are.
        layout: Where the columns are.
        state: The SQL of a row's state.
        samples: How many samples there are.
        seed: Seed of the split, and of the choice of samples where there are more than a million.

    Returns:
        What was found, and a note if only a part of the samples was searched.

    Raises:
        InputError: If there are no slice columns.
    """
    if not layout.slices_shown:
        raise InputError("discovery looks for conditions on the slice columns, and there are none; name some in slices")
    share = min(1.0, MOST_SAMPLES / samples)
    chosen = {f"f{number}": place.sql for number, place in enumerate(layout.slices_shown)}
    chosen["state"] = state
    if layout.weight is not None:
        chosen["w"] = layout.weight.sql
    if layout.group is not None:
        chosen["grp"] = layout.group.sql
    if layout.ids is not None:
        chosen["id"] = layout.ids.sql
    where = "" if share == 1 else f" WHERE {engine.some_rows(layout, share, seed)}"
    order = "" if layout.ids is None else " ORDER BY id"  # the split must not depend on the order of the rows
    inner = ", ".join(f"{sql} AS {name}" for name, sql in chosen.items())
    answer = engine.table(
        f"SELECT {', '.join(chosen)} FROM (SELECT {inner} FROM {layout.matched}{where}) AS r "
        f"WHERE state % {CELL_BASE} < {N_CELLS}{order}",
        "looking for slices",
    )
    groups = None
    if layout.group is not None:
        groups = np.unique(answer["grp"].astype(np.str_), return_inverse=True)[1]
    discovery = discover(
        {place.name: answer[f"f{number}"] for number, place in enumerate(layout.slices_shown)},
        answer["state"].astype(np.int64) % CELL_BASE == NEGATIVE_FLIP,
        weights=answer["w"].astype(np.float64) if layout.weight is not None else None,
        groups=groups,
        seed=seed,
    )
    if share == 1:
        return discovery, ()
    return discovery, (f"slices were looked for in {counted(len(answer['state']), 'sample')} chosen at random",)
