"""Files with columns: Parquet and Arrow, whose embeddings are lists of numbers, and CSV for what else is known."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import compute as pc
from pyarrow import csv, ipc
from pyarrow import parquet as pq

from segue.cli.embeddings.source import unreadable
from segue.errors import InputError
from segue.flips.checks import counted

BATCH = 1 << 16
Read = TypeVar("Read")


class Parquet:
    """A Parquet file, read column by column and batch by batch.

    Args:
        file: The file.

    Raises:
        InputError: If it can't be read.
    """

    holds, form, typed = "column", "Parquet", True

    def __init__(self, file: Path) -> None:
        self.told = str(file)
        self._file = file
        held = _tried(self, self._open)
        self.names: Sequence[str] = list(held.schema_arrow.names)
        self._rows = int(held.metadata.num_rows)

    def vectors(self, name: str) -> NDArray[Any]:
        """Return a column of lists as a matrix."""
        return _tried(self, lambda: _matrix(self._batches(name), self._rows, self.told, name))

    def column(self, name: str) -> NDArray[Any]:
        """Return a column of values."""
        return _tried(self, lambda: _values([batch.column(0) for batch in self._batches(name)]))

    def _open(self) -> Any:
        return pq.ParquetFile(self._file, memory_map=True)

    def _batches(self, name: str) -> Iterator[Any]:
        return iter(self._open().iter_batches(BATCH, columns=[name]))


class Arrow:
    """An Arrow file or stream, memory mapped.

    Args:
        file: The file.

    Raises:
        InputError: If it can't be read.
    """

    holds, form, typed = "column", "Arrow", True

    def __init__(self, file: Path) -> None:
        self.told = str(file)
        self._table = _tried(self, lambda: _arrow_table(file))
        self.names: Sequence[str] = list(self._table.column_names)

    def vectors(self, name: str) -> NDArray[Any]:
        """Return a column of lists as a matrix."""
        batches = self._table.select([name]).to_batches()
        return _tried(self, lambda: _matrix(batches, self._table.num_rows, self.told, name))

    def column(self, name: str) -> NDArray[Any]:
        """Return a column of values."""
        return _tried(self, lambda: _values(self._table[name].chunks))


class Text:
    """A CSV or TSV file, all of whose values are text.

    Args:
        file: The file.

    Raises:
        InputError: If it can't be read.
    """

    holds, form, typed = "column", "CSV", False

    def __init__(self, file: Path) -> None:
        self.told = str(file)
        self._file = file
        self._parse = csv.ParseOptions(delimiter="\t" if ".tsv" in file.name.lower() else ",")
        self.names: Sequence[str] = _tried(
            self, lambda: list(csv.open_csv(file, parse_options=self._parse).schema.names)
        )

    def vectors(self, name: str) -> NoReturn:
        """Refuse: text holds no embeddings.

        Args:
            name: The column.

        Raises:
            InputError: Always.
        """
        raise InputError(f"{self.told} holds text; name embeddings that end in .npy, .npz, .parquet or .arrow")

    def column(self, name: str) -> NDArray[Any]:
        """Return a column of values."""
        convert = csv.ConvertOptions(
            column_types={name: pa.string()}, include_columns=[name], strings_can_be_null=True, null_values=[""]
        )
        read = _tried(self, lambda: csv.read_csv(self._file, parse_options=self._parse, convert_options=convert))
        return _values(read[name].chunks)


def _tried(source: Any, read: Callable[[], Read]) -> Read:
    try:
        return read()
    except InputError:
        raise
    except (pa.ArrowException, OSError) as error:
        raise InputError(unreadable(source.told, source.form, error)) from error


def _arrow_table(file: Path) -> Any:
    mapped = pa.memory_map(str(file))
    try:
        return ipc.open_file(mapped).read_all()
    except pa.ArrowInvalid:  # the stream form has no index at its end
        mapped.seek(0)
        return ipc.open_stream(mapped).read_all()


def _matrix(batches: Iterable[Any], rows: int, told: str, name: str) -> NDArray[Any]:
    # A column of lists of equal length, as (rows, d).
    where = f"{told}: column {name!r}"
    matrix: NDArray[Any] | None = None
    start = 0
    for batch in batches:
        lists = batch.column(0)
        lists = lists.storage if isinstance(lists, pa.ExtensionArray) else lists
        kind = lists.type
        numeric = pa.types.is_nested(kind) and hasattr(kind, "value_type") and _is_number(kind.value_type)
        if not numeric:
            raise InputError(f"{where} holds values of type {kind}; write each embedding as a list of numbers")
        if lists.null_count:
            first = start + int(np.flatnonzero(lists.is_null().to_numpy(zero_copy_only=False))[0])
            raise InputError(
                f"{where} has rows without an embedding, first at row {first}; remove these rows or embed them"
            )
        lengths = np.asarray(pc.list_value_length(lists))
        width = int(lengths[0]) if matrix is None and len(lengths) else 0 if matrix is None else matrix.shape[1]
        other = np.flatnonzero(lengths != width)
        if len(other):
            raise InputError(
                f"{where} has embeddings of {width:,} and of {counted(int(lengths[other[0]]), 'number')}, first at row "
                f"{start + other[0]}; write all in the same length"
            )
        numbers = lists.flatten()
        if numbers.null_count:
            missing = np.flatnonzero(numbers.is_null().to_numpy(zero_copy_only=False))
            raise InputError(
                f"{where} has embeddings with missing numbers, first at row {start + missing[0] // width}; remove "
                f"these rows or embed them again"
            )
        block = numbers.to_numpy(zero_copy_only=False).reshape(len(lists), width)
        if matrix is None:
            matrix = np.empty((rows, width), dtype=block.dtype)
        matrix[start : start + len(block)] = block
        start += len(block)
    if matrix is None:
        raise InputError(f"{told} has no rows; check that it was written to its end")
    return matrix


def _is_number(kind: Any) -> bool:
    return bool(pa.types.is_floating(kind) or pa.types.is_integer(kind))


def _values(chunks: list[Any]) -> NDArray[Any]:
    plain = [chunk.dictionary_decode() if pa.types.is_dictionary(chunk.type) else chunk for chunk in chunks]
    parts = [chunk.to_numpy(zero_copy_only=False) for chunk in plain]
    return np.concatenate(parts) if parts else np.empty(0)
