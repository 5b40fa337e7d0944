"""Files that speak of the same items: which row of each is which item, and what its columns say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segue.cli.embeddings.matching import refuse_other_count, refuse_repeated, rows_of, some
from segue.cli.embeddings.source import Source
from segue.cli.embeddings.values import as_text, numbers_in
from segue.errors import InputError
from segue.flips.checks import counted

ALSO = {"id": "ids", "embedding": "embeddings", "label": "labels"}
MOST_NAMES = 8


@dataclass(frozen=True)
class Names:
    """What columns are called, where that was typed.

    Attributes:
        id: The ids; ``id`` or ``ids`` by default, where there are any.
        embedding: The embeddings; ``embedding`` or ``embeddings`` by default.
        label: The labels; ``label`` or ``labels`` by default, where there are any.
        group: What groups the items, where that is wanted.
        slices: Columns to break rates down by.
    """

    id: str | None = None
    embedding: str | None = None
    label: str | None = None
    group: str | None = None
    slices: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Part:
    """A file, and which of its rows are the items.

    Attributes:
        source: The file.
        ids: The items' ids as the file has them, ``(n,)``; ``None`` where it has none.
        rows: The items' rows, ``(n,)``; ``None`` for all in their order.
        count: How many rows the file has.
    """

    source: Source
    ids: NDArray[np.str_] | None
    rows: NDArray[np.int64] | None
    count: int

    def of(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return the items' values.

        Args:
            values: One for each row of the file.
        """
        return values if self.rows is None else values[self.rows]


def embedded_part(source: Source, count: int, names: Names, first: Part | None) -> Part:
    """Match a file of embeddings with the first one.

    Args:
        source: The file.
        count: How many embeddings it has.
        names: What columns are called.
        first: The first file; ``None`` where this is it.

    Returns:
        The file with its rows.

    Raises:
        InputError: If it holds other items.
    """
    ids = _ids(source, names, count)
    if first is None:
        return Part(source, ids, None, count)
    one = first.source.told
    _refuse_one_without_ids((one, first.ids), (source.told, ids))
    if first.ids is None or ids is None:
        todo = "embed the same items with both models, in the same order, or give both files ids"
        refuse_other_count([(one, first.count), (source.told, count)], todo)
        return Part(source, None, None, count)
    rows = rows_of(first.ids, ids, (one, source.told), all_of_other=True)
    return Part(source, first.ids, None if np.array_equal(rows, np.arange(count)) else rows, count)


def table_part(source: Source, names: Names, first: Part) -> Part:
    """Match a file of labels and other columns with the embeddings.

    Args:
        source: The file.
        names: What columns are called.
        first: The first file of embeddings. Where it has no ids, rows are matched one by one.

    Returns:
        The file with its rows.

    Raises:
        InputError: If items are missing in it.
    """
    ids = _ids(source, names, None)
    if first.ids is None:
        count = len(source.column(source.names[0] if source.names else "label"))
        todo = "write one row for each embedding, in their order"
        refuse_other_count([(first.source.told, first.count), (source.told, count)], todo)
        return Part(source, ids, None, count)
    _refuse_one_without_ids((first.source.told, first.ids), (source.told, ids))
    if ids is None:
        return Part(source, None, None, first.count)
    rows = rows_of(first.ids, ids, (first.source.told, source.told), all_of_other=False)
    return Part(source, first.ids, rows, len(ids))


def column_of(parts: Sequence[Part], role: str, typed: str | None) -> NDArray[Any] | None:
    """Return a column of the items, from whichever files have it; those that do must agree.

    Args:
        parts: The files.
        role: ``"label"``, ``"group"`` or ``"slice"``.
        typed: The column's name, if one was typed.

    Returns:
        One value per item, ``(n,)``; ``None`` where no file has the column and none was typed.

    Raises:
        InputError: If the files disagree, a value is missing, or no file has a column that was typed.
    """
    found: tuple[NDArray[Any], str] | None = None
    for part in parts:
        source = part.source
        name = name_in(source, role, typed)
        if name is None:
            continue
        raw = source.column(name)
        where = _where(source, name)
        _refuse_other_length(where, part.count, raw)
        values = part.of(raw)
        values = as_text(values, where, role) if role != "slice" else values if source.typed else numbers_in(values)
        if found is None:
            found = values, where
        else:
            _refuse_disagreement(found, (values, where), parts[0].ids)
    if found is None and typed is not None:
        raise InputError(no_column(parts[-1].source, typed, f"--{role}"))
    return None if found is None else found[0]


def name_in(source: Source, role: str, typed: str | None) -> str | None:
    """Return what a file calls a column.

    Args:
        source: The file.
        role: ``"id"``, ``"embedding"``, ``"label"``, ``"group"`` or ``"slice"``.
        typed: Its name, if one was typed.

    Returns:
        The name; ``None`` where the file has no such column. A nameless array is embeddings where it is a matrix, and
        labels otherwise.
    """
    if not source.names:
        return role if role == ("embedding" if source.vectors("").ndim > 1 else "label") else None
    return next((name for name in ((typed,) if typed else (role, ALSO.get(role))) if name in source.names), None)


def usual_name(source: Source, role: str) -> str:
    """Return what a file of this kind calls a column by default.

    Args:
        source: The file.
        role: ``"id"``, ``"embedding"`` or ``"label"``.

    Returns:
        The name: one value is a column's, several are an array's.
    """
    return ALSO[role] if source.holds == "array" else role


def no_column(source: Source, name: str, option: str) -> str:
    """Return the sentence for a column that is not there.

    Args:
        source: The file.
        name: The column.
        option: The option that names such columns.

    Returns:
        The sentence.
    """
    if not source.names:
        return (
            f"{source.told} is one array without names, and has no column {name!r}; name it in a file with columns, "
            f"such as --labels items.csv, or leave {option} out"
        )
    there = ", ".join(map(repr, source.names[:MOST_NAMES])) + (", ..." if len(source.names) > MOST_NAMES else "")
    return f"{source.told} has no {source.holds} {name!r}; there are {there}: name one with {option}"


def _ids(source: Source, names: Names, count: int | None) -> NDArray[np.str_] | None:
    name = name_in(source, "id", names.id)
    if name is None:
        return None
    ids = as_text(source.column(name), _where(source, name), "id")
    if count is not None:
        _refuse_other_length(_where(source, name), count, ids)
    refuse_repeated(ids, source.told)
    return ids


def _where(source: Source, name: str) -> str:
    return f"{source.told}: {source.holds} {name!r}" if source.names else source.told


def _refuse_other_length(where: str, count: int, values: NDArray[Any]) -> None:
    if len(values) != count:
        held = f"{counted(len(values), 'value')} for {counted(count, 'embedding')}"
        raise InputError(f"{where} has {held}; write one for each")


def _refuse_one_without_ids(*files: tuple[str, NDArray[np.str_] | None]) -> None:
    has = [told for told, ids in files if ids is not None]
    has_not = [told for told, ids in files if ids is None]
    if has and has_not:
        raise InputError(
            f"{has[0]} has ids and {has_not[0]} has none, so that rows can't be matched; give both, or neither"
        )


def _refuse_disagreement(
    one: tuple[NDArray[Any], str], other: tuple[NDArray[Any], str], ids: NDArray[np.str_] | None
) -> None:
    apart = np.flatnonzero(one[0].astype(np.str_) != other[0].astype(np.str_))
    if len(apart):
        first = f"first in row {apart[0]}" if ids is None else some(ids[apart])
        raise InputError(
            f"{one[1]} and {other[1]} disagree on {len(apart):,} of the items ({first}); correct one of them"
        )
