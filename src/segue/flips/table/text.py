"""The types of columns that were read as text, found from all their values."""

from __future__ import annotations

from collections.abc import Sequence

from segue.flips.table.kinds import Column, Kind
from segue.flips.table.session import DuckDBSession
from segue.flips.table.sql import quoted


def types_of_text(session: DuckDBSession, table: str, names: Sequence[str], dates: Sequence[str]) -> dict[str, Column]:
    """Return the types of columns that were read as text, from all values; only ``dates`` may become dates."""
    asked = []
    for position, name in enumerate(names):
        column = quoted(name)
        whole = f"TRY_CAST({column} AS BIGINT)"
        tests = {
            "i": f"{whole} IS NOT NULL AND CAST({whole} AS VARCHAR) = {column}",
            "f": f"TRY_CAST({column} AS DOUBLE) IS NOT NULL AND NOT regexp_matches({column}, '^[+-]?0[0-9]')",
            "t": f"TRY_CAST({column} AS TIMESTAMP) IS NOT NULL",
        }
        asked += [
            f"coalesce(bool_and({test}) FILTER (WHERE {column} IS NOT NULL), false) AS {kind}{position}"
            for kind, test in tests.items()
        ]
    found = session.table(f"SELECT {', '.join(asked)} FROM {table}", "reading types")
    typed = {}
    for position, name in enumerate(names):
        kind, type_name = Kind.TEXT, "VARCHAR"
        if found[f"i{position}"][0]:
            kind, type_name = Kind.INTEGER, "BIGINT"
        elif found[f"f{position}"][0]:
            kind, type_name = Kind.FLOAT, "DOUBLE"
        elif name in dates and found[f"t{position}"][0]:
            kind, type_name = Kind.TIME, "TIMESTAMP"
        typed[name] = Column(name, kind, type_name)
    return typed


def read_as(name: str, column: Column) -> str:
    """Return the SQL that reads a column of text as its type."""
    return quoted(name) if column.kind is Kind.TEXT else f"CAST({quoted(name)} AS {column.type}) AS {quoted(name)}"
