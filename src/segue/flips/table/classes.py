"""The classes of labels and answers: two vocabularies, and class maps that leave something out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from segue.errors import InputError
from segue.flips.counts import Counts
from segue.flips.table.engine import Engine
from segue.flips.table.layout import Layout

_ENOUGH_TO_TELL = 20


def refuse_strangers(engine: Engine, layout: Layout, counts: Counts) -> None:
    """Refuse answers that share no class with the labels: two vocabularies, not a very bad model.

    Args:
        engine: Where the relations are.
        layout: Where the columns are.
        counts: How many answers are right.

    Raises:
        InputError: If no answer of a model is ever a label.
    """
    label = layout.labels[0]
    if counts.samples < _ENOUGH_TO_TELL:
        return
    for place, right in ((layout.old, counts.right_old), (layout.new, counts.right_new)):
        if right or (place is layout.old and layout.request.class_map is not None):
            continue
        used, asked = (
            values_of(engine, f"SELECT DISTINCT {one.key} AS x FROM {one.side}_side WHERE {one.key} IS NOT NULL")
            for one in (place, label)
        )
        if min(len(used), len(asked)) > 1 and not set(used) & set(asked):
            told = (", ".join(map(str, sorted(values, key=str)[:3])) for values in (used, asked))
            raise InputError(
                f"{layout.told(place)}: no answer ({next(told)}, ...) is ever a label ({next(told)}, ...); the classes "
                f"have other names: pass class_map or rename them"
            )


def check_class_map(engine: Engine, layout: Layout, targets: Mapping[Any, list[Any]]) -> str | None:
    """Refuse a class map that leaves out an old answer or leads nowhere.

    Args:
        engine: Where the relations are.
        layout: Where the columns are.
        targets: What each old class may be called now.

    Returns:
        A note on labels that the old model does not know, if there are any.

    Raises:
        InputError: If an old answer is missing from the map, or no old class maps to a label.
    """
    old, label = layout.old, layout.labels[0]
    used = values_of(engine, f"SELECT DISTINCT {old.key} AS x FROM {old.side}_side WHERE {old.key} IS NOT NULL")
    unmapped = sorted((value for value in used if value not in targets), key=str)
    if unmapped:
        raise InputError(
            f"class_map lacks {len(unmapped)} of the old model's answers ({', '.join(map(repr, unmapped[:5]))}"
            f"{', ...' if len(unmapped) > 5 else ''}); map every old class to a new one, or to [] if it is gone"
        )
    answer = engine.table(
        f"SELECT {label.key} AS x, count(*) AS n FROM {label.side}_side WHERE {label.key} IS NOT NULL GROUP BY 1", ""
    )
    labels = dict(zip(answer["x"].tolist(), answer["n"].tolist(), strict=True))
    reachable = {target for several in targets.values() for target in several}
    if not reachable & set(labels):
        raise InputError(
            f"class_map leads to {', '.join(map(repr, sorted(reachable, key=str)[:5]))}, none of which is a label; "
            f"map old classes to the classes that the labels use"
        )
    grown = sorted((value for value in labels if value not in reachable), key=str)
    if not grown:
        return None
    samples = sum(int(labels[value]) for value in grown)
    told = f"{', '.join(map(str, grown[:5]))}{', ...' if len(grown) > 5 else ''}"
    return (
        f"{samples:,} {'sample has' if samples == 1 else 'samples have'} a label that the old model does not know "
        f"({told}): it can't be right on those, so they can't be negative flips; rates among known classes stand in "
        f"the slice 'label known to old'"
    )


def values_of(engine: Engine, query: str) -> list[Any]:
    """Return the values that a query of one column, ``x``, finds.

    Args:
        engine: Where to ask.
        query: The query.

    Returns:
        The values.
    """
    found: list[Any] = engine.table(query, "")["x"].tolist()
    return found
