"""From what the user passes to the engine that reads it."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from segue.flips.table.engine import Engine, Resources
from segue.flips.table.measure import Shortcut
from segue.flips.table.session import duckdb_session
from segue.flips.table.shortcut import count_wrong_only
from segue.flips.table.sources import DuckDBSources, Table, files_of


@contextmanager
def opened(old: Table, new: Table | None, resources: Resources | None) -> Generator[tuple[Engine, Shortcut | None]]:
    """Open two tables, or one: files and data frames with DuckDB, a database's tables where they are.

    Args:
        old: The old model's table.
        new: The new model's, if it is another one.
        resources: What may be used of the machine.

    Yields:
        The engine, and its shortcut for counting if it has one.

    Raises:
        InputError: If a table can't be read.
        ResourceError: If memory or disk do not suffice.
    """
    from segue.flips import warehouse

    allowed = resources or Resources()
    if any(warehouse.is_expression(source) or warehouse.is_url(source) for source in (old, new)):
        yield warehouse.IbisSources(old, new, allowed.progress), None
        return
    with duckdb_session(allowed) as session:
        engine = DuckDBSources(session, old, new)
        yield engine, lambda layout, slicings, rows: count_wrong_only(engine, layout, slicings, rows)


def input_files(old: Table, new: Table | None = None) -> list[str]:
    """Return the paths of the files that two tables, or one, are read from, so that nothing is written over them.

    Args:
        old: The old model's table.
        new: The new model's, if it is another one.

    Returns:
        The paths; none for data frames and databases' tables.

    Raises:
        InputError: If there is no such file.
    """
    from segue.flips import warehouse

    given = {"old": old} if new is None else {"old": old, "new": new}
    named = {side: source for side, source in given.items() if not warehouse.is_url(source)}
    with duckdb_session(Resources()) as session:
        return [file for side, source in named.items() for file in files_of(session, source, side)]
