"""Compare predictions where they live: tables of a PostgreSQL, Spark, DuckDB or other engine, through Ibis.

Only sums, and the flipped samples that are asked for, leave the engine. The questions are the same SQL that DuckDB
answers on files (:mod:`segue.flips.table`), put into the engine's dialect by sqlglot, on which Ibis itself stands; so
there is one way to count, one set of checks, and one set of sentences. Ibis adds what differs between engines beyond
the dialect: connections, types, and the forms in which columns are read.
"""

from __future__ import annotations

import functools
import re
import sys
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import numpy as np
from numpy.typing import NDArray

from segue.errors import InputError, SegueError, require
from segue.flips.result import FlipReport
from segue.flips.table.engine import Answer, Progress, Projection
from segue.flips.table.kinds import Column, Form, Kind
from segue.flips.table.layout import Layout
from segue.flips.table.renamed import let_ibis_speak_to_duckdb
from segue.flips.table.writing import write_batches

if TYPE_CHECKING:
    import ibis.expr.types as ir

EXTRA = "warehouse"
FILES = {"http", "https", "ftp", "s3", "gs", "gcs", "az", "abfs", "hf", "hdfs", "file"}
"""Schemes of URLs that name files, not databases."""
ROWS_PER_BATCH = 100_000
_SECRET = re.compile(
    r"([?&;][^=&;]*(?:pass|pwd|secret|token|credential|_?api_?key|access_?key)[^=&;]*=).*?(?=&|#[^#&]*$|$)", re.I
)


class WarehouseError(SegueError):
    """The engine where the tables live refused or broke off; the sentence has its own words."""


def compare_expressions(old: ir.Table, new: ir.Table | None = None, **options: Any) -> FlipReport:
    """Measure what an update breaks and mends where the predictions live.

    Args:
        old: The old model's predictions, an Ibis table: a table of a connection, or any query on such tables.
        new: The new model's, on the same connection; ``None`` if ``old`` holds the predictions of both.
        **options: As for :func:`segue.flips.compare_tables`.

    Returns:
        The report, with the same numbers as from files.

    Raises:
        InputError: If anything is wrong with the data or the request; the sentence says what, how many and which.
        WarehouseError: If the engine fails.

    Example:
        >>> import ibis
        >>> old = ibis.memtable({"id": [1, 2, 3, 4], "label": [0, 1, 1, 0], "prediction": [0, 1, 0, 0]})
        >>> new = ibis.memtable({"id": [4, 3, 2, 1], "prediction": [0, 1, 1, 1]})
        >>> report = compare_expressions(old, new, id="id")
        >>> report.negative_flips, report.positive_flips
        (1, 1)
    """
    from segue.flips.table import compare_tables

    for side, table in (("old", old), ("new", new)):
        if table is not None and not is_expression(table):
            raise InputError(f"{side} is of type {type(table).__name__!r}; pass an Ibis table")
    return compare_tables(old, new, **options)


def is_expression(source: Any) -> bool:
    """Return whether a source is an Ibis table, without importing Ibis for others."""
    return type(source).__module__.split(".")[0] == "ibis"


def is_url(source: Any) -> bool:
    """Return whether a source is the URL of a database's table, such as ``postgres://host/database#table``."""
    return isinstance(source, str) and "://" in source and not Path(source).exists()


def open_source(text: str) -> ir.Table:
    """Open the table that a URL names: the database's URL as Ibis takes it, then ``#table`` or ``#schema.table``.

    Args:
        text: Such as ``postgres://user@host/database#schema.table`` or ``duckdb://file.duckdb#table``.

    Returns:
        The Ibis table; tables of one database share a connection.

    Raises:
        InputError: If the URL names no table, or the database or table can't be opened.
        SegueError: If Ibis is not installed.
    """
    address, _, name = text.partition("#")
    told = hidden(text)
    if urlsplit(text).scheme in FILES:
        raise InputError(
            f"{told} is a file elsewhere, which is not read over the network; copy it here and pass its path"
        )
    if not name:
        raise InputError(
            f"{told} names no table; write the table's name after the database's URL: {hidden(address)}#table"
        )
    schema, _, table = name.rpartition(".")
    try:
        connection = _connected(address)
        opened: ir.Table = connection.table(table, database=schema or None)
    except SegueError:
        raise
    except Exception as error:  # every engine has its own classes of errors
        raise InputError(
            f"{told} can't be opened ({_first_line(error, address)}); check the URL and the table's name"
        ) from error
    return opened


def hidden(text: str) -> str:
    """Return a URL without its password, for messages: neither before the host nor in the query.

    A password may hold characters that should have been escaped. In doubt more is hidden than had to be.

    Example:
        >>> hidden("postgres://me:secret@host/db#t")
        'postgres://me@host/db#t'
        >>> hidden("postgres://me:p@ss/w@host/db?password=secret&sslmode=require#t")
        'postgres://me@host/db?password=***&sslmode=require#t'
    """
    scheme, mark, rest = text.partition("://")
    if not mark:
        return text
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    if ":" in authority:
        before = re.split(r"[?#]", rest, maxsplit=1)[0]
        if "@" not in before and not authority.rpartition(":")[2].isdigit():
            before = rest  # no port follows the colon, so a password does, and it holds a question mark or a hash
        credentials, at, _ = before.rpartition("@")
        if at and ":" in credentials:
            rest = credentials.partition(":")[0] + rest[len(credentials) :]
    return scheme + mark + _SECRET.sub(r"\1***", rest)


class IbisSources:
    """The sources of a comparison on an engine that Ibis speaks to.

    Args:
        old: The old model's table: an Ibis table or a URL.
        new: The new model's, if it is another one.
        progress: Called with the name of each step and its share done.

    Raises:
        InputError: If one of them lives elsewhere than the other.
    """

    def __init__(self, old: Any, new: Any | None, progress: Progress | None = None) -> None:
        require("ibis", EXTRA, "comparing tables where they live")
        given = {"old": old} if new is None else {"old": old, "new": new}
        self._tables: dict[str, ir.Table] = {}
        self._names: dict[str, str] = {}
        for side, source in given.items():
            if not is_expression(source) and not is_url(source):
                other = "new" if side == "old" else "old"
                raise InputError(
                    f"{other} is a database's table and {side} is not; load both into one place, or export both "
                    f"to files"
                )
            self._tables[side] = open_source(source) if is_url(source) else source
            self._names[side] = source.partition("#")[2] if is_url(source) else _told(source, side)
        if len(set(self._names.values())) < len(self._names):
            self._names = {side: f"{name} ({side})" for side, name in self._names.items()}
        connections = [table.get_backend() for table in self._tables.values()]
        if any(connection is not connections[0] for connection in connections):
            raise InputError(
                "old and new live in two databases; pass tables of one connection, or export both to files"
            )
        self._connection = connections[0]
        if self._connection.name == "duckdb":
            let_ibis_speak_to_duckdb()
        self._relations: dict[str, ir.Table] = {}
        self._progress = progress

    def describe(self, side: str) -> str:
        """Return what the user calls a side's source."""
        return self._names[side]

    @property
    def files(self) -> Sequence[str]:
        """The paths of all files that are read: none."""
        return ()

    def names(self, side: str) -> Sequence[str]:
        """Return the names of the columns of a side's source."""
        return list(self._tables[side].columns)

    def read(self, side: str, wanted: Sequence[str], dates: Sequence[str]) -> Mapping[str, Column]:
        """Return the wanted columns of a side's source by name."""
        schema = self._tables[side].schema()
        return {name: Column(name, _kind(schema[name]), str(schema[name]).removeprefix("!")) for name in wanted}

    def project(self, side: str, columns: Projection, *, distinct: bool) -> None:
        """Make the relation ``old_side`` or ``new_side``."""
        table = self._tables[side]
        chosen = table.select(**{key: _formed(table[name], form) for key, (name, form) in columns.items()})
        self._relations[side] = chosen.distinct() if distinct else chosen
        with _explained():
            chosen.limit(0).to_pyarrow()  # lets Ibis load what lives in this process only (memtables)

    def some_rows(self, layout: Layout, share: float, seed: int) -> str:
        """Return a condition that holds for about a share of the rows; engines can't repeat the choice."""
        return f"random() < {share!r}"

    def table(self, sql: str, task: str) -> Answer:
        """Return the columns that a query finds."""
        with _explained():
            found = self._asked(sql, task).to_pyarrow()
        if task and self._progress is not None:
            self._progress(task, 1.0)
        return {name: _plain(column) for name, column in zip(_selected(sql), found.columns, strict=True)}

    def save(self, sql: str, path: str, *, parquet: bool) -> None:
        """Write what a query finds to a Parquet or CSV file."""
        with _explained():
            batches = self._asked(sql, "writing").to_pyarrow_batches(chunk_size=ROWS_PER_BATCH)
            write_batches(batches, _selected(sql), path, parquet=parquet)

    def _asked(self, sql: str, task: str) -> ir.Table:
        from sqlglot import parse_one

        if task and self._progress is not None:
            self._progress(task, 0.0)
        query: Any = parse_one(sql, read="duckdb")
        dialect = self._connection.dialect
        for side, relation in self._relations.items():
            if f"{side}_side" in sql:
                rows = parse_one(self._connection.compile(relation), read=dialect)
                query = query.with_(f"{side}_side", as_=rows, copy=False)
        return self._connection.sql(query.sql(dialect=dialect))


@functools.cache
def _connected(address: str) -> Any:
    ibis = require("ibis", EXTRA, "comparing tables where they live")
    if address.startswith("duckdb"):
        let_ibis_speak_to_duckdb()
    return ibis.connect(address)


@contextmanager
def _explained() -> Generator[None]:
    try:
        yield
    except (SegueError, MemoryError):
        raise
    except Exception as error:  # every engine has its own classes of errors
        raise WarehouseError(
            f"the database broke off ({_first_line(error)}); check the connection and the rights, then run it again"
        ) from error


def _first_line(error: BaseException, address: str = "") -> str:
    said = str(error).strip().splitlines()
    told = said[0] if said else type(error).__name__
    return told.replace(address, hidden(address)) if address else told


def _told(table: ir.Table, side: str) -> str:
    name = getattr(table.op(), "name", None)
    return str(name) if name and not str(name).startswith("ibis_") else f"the {side} table"


def _selected(sql: str) -> list[str]:
    # By position, since some engines change the case of names.
    from sqlglot import parse_one

    query: Any = parse_one(sql, read="duckdb")
    return list(query.named_selects)


def _kind(dtype: Any) -> Kind:
    if dtype.is_decimal():
        return Kind.INTEGER if dtype.scale == 0 else Kind.FLOAT
    if dtype.is_date() or dtype.is_timestamp():
        return Kind.TIME
    kinds = {
        "is_integer": Kind.INTEGER,
        "is_string": Kind.TEXT,
        "is_boolean": Kind.BOOLEAN,
        "is_floating": Kind.FLOAT,
        "is_null": Kind.NOTHING,
    }
    return next((kind for question, kind in kinds.items() if getattr(dtype, question)()), Kind.OTHER)


def _formed(column: Any, form: Form) -> Any:
    if form is Form.INTEGER:
        return column.cast("int64")
    if form is Form.TEXT:
        return column.cast("string")
    if form is Form.SECONDS:
        return column.cast("timestamp").epoch_seconds()
    if form in {Form.NUMBER, Form.FINITE}:
        number = column.cast("int64").cast("float64") if column.type().is_boolean() else column.cast("float64")
        if not column.type().is_floating():
            return number
        # Compared with the largest number, since Ibis's isinf() finds nothing on Spark.
        wrong = number.isnan() if form is Form.NUMBER else number.isnan() | (number.abs() > sys.float_info.max)
        return wrong.ifelse(None, number)
    return column


def _plain(column: Any) -> NDArray[Any]:
    """Return an Arrow column as an array; objects with ``None`` where values are missing or have no numpy type."""
    kind = str(column.type)
    if kind.startswith("decimal"):  # how some engines add up integers
        column = column.cast("int64") if column.type.scale == 0 else column.cast("float64")
    if column.null_count or not kind.startswith(("int", "uint", "float", "double", "bool", "decimal", "timestamp")):
        values = np.empty(len(column), dtype=object)
        values[:] = column.to_pylist()
        return values
    return np.asarray(column.to_numpy())
