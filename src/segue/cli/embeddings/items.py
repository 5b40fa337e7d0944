"""The same items as several models embedded them, with what else is known of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segue.cli.embeddings.parts import Names, Part, column_of, embedded_part, name_in, no_column, table_part, usual_name
from segue.cli.embeddings.source import opened
from segue.errors import InputError
from segue.retrieval.vectors import as_vectors, known_metric


@dataclass(frozen=True, eq=False)
class Items:
    """The same items in the same order for every model.

    Attributes:
        vectors: Embeddings by role, ``(n, d)`` each.
        told: The files' names by role.
        ids: The items' ids, ``(n,)``; ``None`` where no file has any.
        labels: Their labels as text, ``(n,)``; ``None`` where no file has any.
        groups: Their groups as text, ``(n,)``; ``None`` where none were wanted.
        slices: Their slice columns by name, ``(n,)`` each.
        by_row: Whether rows were matched one by one.
    """

    vectors: Mapping[str, NDArray[Any]]
    told: Mapping[str, str]
    ids: NDArray[np.str_] | None
    labels: NDArray[np.str_] | None
    groups: NDArray[np.str_] | None
    slices: Mapping[str, NDArray[Any]]
    by_row: bool

    def __len__(self) -> int:
        """Return the number of items."""
        return len(next(iter(self.vectors.values())))


def read_items(
    files: Mapping[str, tuple[str, str]],
    table: tuple[str, str] | None,
    names: Names,
    *,
    metric: str,
    shared_table: bool = False,
) -> Items:
    """Read what several models made of the same items.

    Files with ids are matched by them, in any order; files without, row by row. The first file's order is kept. What is
    wrong with an embedding is told by the file and its row in it.

    Args:
        files: Option and path of each file of embeddings, by role.
        table: Option and path of a file with labels and other columns, if there is one. With ids it may hold more
            items than these; where the embeddings have none, it has their rows.
        names: What columns are called.
        metric: What the embeddings are to be compared by.
        shared_table: Whether the table is that of other items, where these may be looked up by their ids if nothing
            else holds their labels.

    Returns:
        The items.

    Raises:
        InputError: If a file can't be read, holds no embeddings, or does not match the others.
    """
    kind = known_metric(metric)
    vectors, told = {}, {}
    parts: list[Part] = []
    read: dict[str, tuple[NDArray[Any], str]] = {}
    for role, (option, path) in files.items():
        if path not in read:
            source = opened(path, option, embeddings=True)
            name = name_in(source, "embedding", names.embedding)
            if name is None and source.names:
                raise InputError(no_column(source, names.embedding or usual_name(source, "embedding"), "--embedding"))
            array = as_vectors(source.vectors(name or ""), source.told, kind).values
            parts.append(embedded_part(source, len(array), names, parts[0] if parts else None))
            read[path] = parts[-1].of(array), source.told
        vectors[role], told[role] = read[path]
    first = parts[0]
    if table is not None and not (shared_table and (first.ids is None or _labelled(parts, names))):
        parts.append(table_part(opened(table[1], table[0], embeddings=False), names, first))
    ids = parts[-1].ids if first.ids is None else first.ids
    if names.id is not None and ids is None:
        raise InputError(no_column(parts[-1].source, names.id, "--id"))
    slices = {name: column_of(parts, "slice", name) for name in names.slices}
    return Items(
        vectors=vectors,
        told=told,
        ids=ids,
        labels=column_of(parts, "label", names.label),
        groups=None if names.group is None else column_of(parts, "group", names.group),
        slices={name: values for name, values in slices.items() if values is not None},
        by_row=first.ids is None,
    )


def _labelled(parts: list[Part], names: Names) -> bool:
    return any(name_in(part.source, "label", names.label) is not None for part in parts)
