"""What kind of values a column holds, whatever the engine calls its type."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """The kinds of values that a comparison tells apart; each value is the word used in messages."""

    INTEGER = "integers"
    TEXT = "strings"
    BOOLEAN = "booleans"
    FLOAT = "floating-point numbers"
    TIME = "dates"
    NOTHING = "only missing values"
    OTHER = "values of another type"


class Form(StrEnum):
    """How a column is read: as it is, or turned into one form on both sides of a comparison."""

    AS_IS = "as is"
    INTEGER = "integer"
    TEXT = "text"
    NUMBER = "number"
    FINITE = "finite number"
    SECONDS = "seconds"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a source: its name, its kind, and the engine's own name of its type."""

    name: str
    kind: Kind
    type: str


_INTEGERS = (
    "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT",
)  # fmt: skip


def kind_of_duckdb(type_name: str) -> Kind:
    """Return the kind of a DuckDB type.

    Args:
        type_name: The type as DuckDB writes it, such as ``DECIMAL(18,0)``.

    Returns:
        The kind; a decimal without decimals is an integer.

    Example:
        >>> kind_of_duckdb("DECIMAL(18,0)"), kind_of_duckdb("ENUM('a', 'b')")
        (<Kind.INTEGER: 'integers'>, <Kind.TEXT: 'strings'>)
    """
    name = type_name.upper()
    if name.strip('"') == "NULL":
        return Kind.NOTHING
    if name.endswith("]"):
        return Kind.OTHER
    if name in _INTEGERS or (name.startswith("DECIMAL") and name.endswith(",0)")):
        return Kind.INTEGER
    if name in {"FLOAT", "DOUBLE"} or name.startswith("DECIMAL"):
        return Kind.FLOAT
    if name == "VARCHAR" or name.startswith("ENUM"):
        return Kind.TEXT
    if name == "BOOLEAN":
        return Kind.BOOLEAN
    if name == "DATE" or name.startswith("TIMESTAMP"):
        return Kind.TIME
    return Kind.OTHER
