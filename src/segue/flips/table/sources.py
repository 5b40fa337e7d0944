"""What the user passes as a table: files, globs, lists of files and data frames, opened with DuckDB.

Parquet files and Arrow data are scanned where they are. Text (CSV, JSON lines) is read once into a table in the
session's temporary folder, since a comparison asks several questions of each column. The values of CSV columns get
their type from all rows, not from the first few: integers only where writing them back gives the same text, so that
the ids ``007`` and ``7`` stay two ids.
"""

from __future__ import annotations

import glob
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from segue.errors import InputError, require
from segue.flips.table.engine import Answer, Projection
from segue.flips.table.kinds import Column, Form, Kind, kind_of_duckdb
from segue.flips.table.layout import Layout
from segue.flips.table.session import DuckDBSession, said_of
from segue.flips.table.sql import literal, quoted
from segue.flips.table.text import read_as, types_of_text

Table = Any
"""A path, a glob, a list of paths, or a pandas, polars or pyarrow table."""

PARQUET, CSV, JSON, ARROW = "Parquet", "CSV", "JSON lines", "Arrow"
LONGEST_NAME = 255
FORMATS = {
    ".parquet": PARQUET,
    ".pq": PARQUET,
    ".csv": CSV,
    ".tsv": CSV,
    ".csv.gz": CSV,
    ".tsv.gz": CSV,
    ".csv.zst": CSV,
    ".jsonl": JSON,
    ".ndjson": JSON,
    ".json": JSON,
    ".jsonl.gz": JSON,
    ".ndjson.gz": JSON,
    ".json.gz": JSON,
    ".arrow": ARROW,
    ".feather": ARROW,
    ".ipc": ARROW,
    ".arrows": ARROW,
}


class DuckDBSources:
    """The sources of a comparison in a DuckDB session: an engine.

    Args:
        session: Where to open them.
        old: The old model's table, or the one table that holds both predictions.
        new: The new model's table, if it is another one.

    Raises:
        InputError: If a source can't be read.
    """

    def __init__(self, session: DuckDBSession, old: Table, new: Table | None) -> None:
        self.session = session
        self._old, self._new = old, new
        self._names = {"old": _told(old, "old"), "new": _told(new, "new")}
        self._relations = {"old": _Relation.open(session, old, "old")}
        self._files = self._relations["old"].files
        if new is not None:
            self._relations["new"] = _Relation.open(session, new, "new")
            self._files += self._relations["new"].files
            if self._names["old"] == self._names["new"]:
                self._names = {side: f"{name} ({side})" for side, name in self._names.items()}

    def describe(self, side: str) -> str:
        """Return what the user calls a side's source."""
        return self._names[side]

    @property
    def files(self) -> Sequence[str]:
        """The paths of all files that are read."""
        return self._files

    def names(self, side: str) -> Sequence[str]:
        """Return the names of the columns of a side's source."""
        return list(self._relations[side].columns)

    def read(self, side: str, wanted: Sequence[str], dates: Sequence[str]) -> Mapping[str, Column]:
        """Return the kinds of the wanted columns; text is read into a table first."""
        self._relations[side] = self._relations[side].keeping(self.session, side, wanted, dates)
        return self._relations[side].columns

    def project(self, side: str, columns: Projection, *, distinct: bool) -> None:
        """Make the relation ``old_side`` or ``new_side``."""
        relation = self._relations[side]
        chosen = ", ".join(
            f"{_formed(relation.columns[source], form)} AS {quoted(key)}" for key, (source, form) in columns.items()
        )
        self.session.execute(
            f"CREATE OR REPLACE TEMP VIEW {side}_side AS "
            f"SELECT {'DISTINCT ' if distinct else ''}{chosen} FROM {relation.sql}"
        )

    def some_rows(self, layout: Layout, share: float, seed: int) -> str:
        """Return a condition that holds for about a share of the rows: the same ones each time, where they have ids."""
        if layout.ids is None:
            return f"random() < {share!r}"
        ids = ("o.id", "n.id") if layout.joined else ("o.id",)
        return " AND ".join(f"hash({key}, {seed}) < {int(share * 2**64)}" for key in ids)

    def save(self, sql: str, path: str, *, parquet: bool) -> None:
        """Write what a query finds to a Parquet or CSV file."""
        options = "FORMAT parquet, COMPRESSION zstd" if parquet else "FORMAT csv, HEADER"
        self.session.execute(f"COPY ({sql}) TO {literal(path)} ({options})", "writing flipped samples")

    def table(self, sql: str, task: str) -> Answer:
        """Return the columns that a query finds."""
        return self.session.table(sql, task)


class _Relation:
    """One source: the SQL that reads it, its columns, whether it must be read into a table first, and its files."""

    def __init__(self, sql: str, columns: Mapping[str, Column], form: str, files: Sequence[str] = ()) -> None:
        self.sql = sql
        self.columns = columns
        self.form = form
        self.files = tuple(files)

    @classmethod
    def open(cls, session: DuckDBSession, source: Table, side: str) -> _Relation:
        if _names_files(source):
            return _open_files(session, source, side)
        return _open_frame(session, source, side)

    def keeping(self, session: DuckDBSession, side: str, wanted: Sequence[str], dates: Sequence[str]) -> _Relation:
        """Return the relation itself, or for text a table with the wanted columns, read once and typed."""
        if self.form not in {CSV, JSON}:
            return self
        names = list(dict.fromkeys(wanted))
        table = f"spilled.{side}_rows"
        session.execute(f"ATTACH IF NOT EXISTS {literal(str(session.folder / 'rows.duckdb'))} AS spilled")
        session.execute(
            f"CREATE OR REPLACE TABLE {table} AS SELECT {', '.join(map(quoted, names))} FROM {self.sql}",
            f"reading {side}",
        )
        if self.form == JSON:
            return _Relation(table, {name: self.columns[name] for name in names}, PARQUET)
        typed = types_of_text(session, table, names, dates)
        chosen = ", ".join(read_as(name, typed[name]) for name in names)
        return _Relation(f"(SELECT {chosen} FROM {table})", typed, PARQUET)


def _told(source: Any, side: str) -> str:
    if isinstance(source, (str, os.PathLike)):
        return Path(source).name
    if isinstance(source, Sequence) and source and isinstance(source[0], (str, os.PathLike)):
        return Path(source[0]).name + (f" and {len(source) - 1} more" if len(source) > 1 else "")
    return f"the {side} table"


def _formed(column: Column, form: Form) -> str:
    name = quoted(column.name)
    if form is Form.INTEGER:
        return f"CAST({name} AS BIGINT)"
    if form is Form.TEXT:
        return f"CAST({name} AS VARCHAR)"
    if form is Form.NUMBER:
        number = f"CAST({name} AS DOUBLE)"
        return f"CASE WHEN isnan({number}) THEN NULL ELSE {number} END" if column.kind is Kind.FLOAT else number
    if form is Form.FINITE:  # what is infinite is refused as missing is
        number = f"CAST({name} AS DOUBLE)"
        return f"CASE WHEN isfinite({number}) THEN {number} END" if column.kind is Kind.FLOAT else number
    if form is Form.SECONDS:
        instant = name if "TIME ZONE" in column.type.upper() else f"CAST({name} AS TIMESTAMP)"
        return f"CAST(floor(epoch({instant})) AS BIGINT)"
    return name


def _open_files(session: DuckDBSession, source: Any, side: str) -> _Relation:
    files = files_of(session, source, side)
    forms = {_format(file) for file in files}
    if len(forms) > 1:
        raise InputError(
            f"{side} mixes {' and '.join(sorted(forms))} files; pass files of one format, or convert them first"
        )
    form = forms.pop()
    empty = [Path(file).name for file in files if Path(file).stat().st_size == 0]
    if empty:
        raise InputError(f"{empty[0]} is an empty file; check that it was written to its end")
    if form == ARROW:
        return _open_arrow(session, files, side)
    # These are the files themselves: the readers would take brackets and stars in a name for a pattern once more.
    listed = "[" + ", ".join(literal(glob.escape(file)) for file in files) + "]"
    reader = {
        PARQUET: f"read_parquet({listed}, union_by_name = true)" if len(files) > 1 else f"read_parquet({listed})",
        CSV: f"read_csv({listed}, all_varchar = true, header = true, union_by_name = true)",
        JSON: f"read_json({listed}, format = 'auto', sample_size = -1, union_by_name = true)",
    }[form]
    import duckdb

    try:
        columns = _described(session, reader)
        separators = [mark for name in columns for mark in name if mark in ",;\t|"] if len(columns) == 1 else []
        if form == CSV and separators:
            # Rows of different length make DuckDB take each for a single value; told the separator, it says which.
            reader = reader.removesuffix(")") + f", delim = {literal(separators[0])})"
            columns = _described(session, reader)
        return _Relation(reader, columns, form, files)
    except (duckdb.Error, InputError) as error:
        said = said_of(error.__cause__ or error)
        names = Path(files[0]).name if len(files) == 1 else f"{Path(files[0]).name} and {len(files) - 1} more"
        raise InputError(f"{names} can't be read as {form} ({said}); check that it is whole and of this format") from (
            error
        )


def files_of(session: DuckDBSession, source: Any, side: str) -> list[str]:
    """Return the paths of the files that a source names.

    Args:
        session: Where patterns are looked up.
        source: A path, glob, folder or list of them; other sources have no files.
        side: What messages call it.

    Returns:
        The paths.

    Raises:
        InputError: If there is no such file.
    """
    if not _names_files(source):
        return []
    parts = [source] if isinstance(source, (str, os.PathLike)) else list(source)
    return [found for part in parts for found in _matching(session, os.fspath(part), side)]


def _names_files(source: Any) -> bool:
    return isinstance(source, (str, os.PathLike)) or (
        isinstance(source, Sequence) and bool(source) and all(isinstance(part, (str, os.PathLike)) for part in source)
    )


def _matching(session: DuckDBSession, text: str, side: str) -> list[str]:
    path = Path(text).expanduser()
    if len(path.name) > LONGEST_NAME:
        raise InputError(
            f"{side} is a name of {len(path.name)} characters, longer than a file's can be; check the path"
        )
    if path.is_file():
        return [str(path)]
    if path.is_dir():
        found = sorted(str(inside) for inside in path.iterdir() if inside.is_file() and _known(inside.name))
        if not found:
            raise InputError(f"{side} is the folder {text!r}, which holds no Parquet, CSV, JSON lines or Arrow file")
        return found
    found = sorted(str(file) for (file,) in session.rows(f"SELECT file FROM glob({literal(str(path))})"))
    if not found:
        if set(text) & set("*?["):
            raise InputError(f"{side}: no file matches {text!r}; check the pattern and the folder")
        raise InputError(f"{side}: there is no file {text!r}; check the path")
    return found


def _known(name: str) -> bool:
    return any(name.lower().endswith(ending) for ending in FORMATS)


def _format(file: str) -> str:
    for ending, form in FORMATS.items():
        if file.lower().endswith(ending):
            return form
    raise InputError(
        f"{Path(file).name} has an ending that says nothing of its format; name it .parquet, .csv, .jsonl or .arrow"
    )


def _open_arrow(session: DuckDBSession, files: Sequence[str], side: str) -> _Relation:
    import pyarrow as pa
    from pyarrow import dataset

    try:
        data = dataset.dataset(list(files), format="ipc")
    except (pa.ArrowInvalid, OSError):
        try:  # the stream form has no index at its end, and is read batch by batch into memory
            data = pa.concat_tables([pa.ipc.open_stream(pa.memory_map(file)).read_all() for file in files])
        except (pa.ArrowInvalid, OSError) as error:
            raise InputError(
                f"{Path(files[0]).name} can't be read as {ARROW} ({str(error).splitlines()[0]}); check that it is whole"
            ) from error
    return _registered(session, data, side, files)


def _open_frame(session: DuckDBSession, source: Any, side: str) -> _Relation:
    package = type(source).__module__.split(".")[0]
    if package == "polars" and hasattr(source, "collect"):
        source = source.collect()
    if package not in {"pandas", "polars", "pyarrow"} or not hasattr(source, "shape"):
        raise InputError(
            f"{side} is of type {type(source).__name__!r}; pass a path, a list of paths, or a pandas, polars or "
            f"pyarrow table"
        )
    if package == "pandas":
        source = require("pyarrow", "frames", "comparing pandas data frames").Table.from_pandas(
            source, preserve_index=False
        )
    elif package == "polars":
        source = source.to_arrow()
    return _registered(session, source, side)


def _registered(session: DuckDBSession, data: Any, side: str, files: Sequence[str] = ()) -> _Relation:
    session.connection.register(f"{side}_source", data)
    return _Relation(f"{side}_source", _described(session, f"{side}_source"), ARROW, files)


def _described(session: DuckDBSession, reader: str) -> dict[str, Column]:
    rows = session.rows(f"DESCRIBE SELECT * FROM {reader}")
    return {str(name): Column(str(name), kind_of_duckdb(str(kind)), str(kind)) for name, kind, *_ in rows}
