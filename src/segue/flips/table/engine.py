"""Where the data live and the counting runs: what the comparison asks of any engine, and DuckDB as one.

The comparison speaks to an engine in one SQL (DuckDB's dialect, kept to what other databases know too) about two
relations with fixed column names: ``old_side`` and ``new_side``. An engine says which columns its sources have, makes
these relations, and answers queries with columns of values.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
import threading
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from segue.errors import InputError, SegueError
from segue.flips.table.kinds import Column, Form

if TYPE_CHECKING:
    import duckdb

    from segue.flips.table.layout import Layout

Answer = dict[str, NDArray[Any]]
Projection = Mapping[str, tuple[str, Form]]
Progress = Callable[[str, float], None]

POLL_SECONDS = 0.05


class ResourceError(SegueError):
    """The machine's memory or disk did not suffice; the sentence says which and how to give more."""


class UnreadableError(InputError):
    """A file is not what its head or its name says."""


class Engine(Protocol):
    """What a comparison needs of the place where the data live."""

    def describe(self, side: str) -> str:
        """Return what the user calls the source of ``"old"`` or ``"new"``."""
        ...

    def names(self, side: str) -> Sequence[str]:
        """Return the names of the columns of a side's source."""
        ...

    def read(self, side: str, wanted: Sequence[str], dates: Sequence[str]) -> Mapping[str, Column]:
        """Return the wanted columns of a side's source by name.

        Args:
            side: ``"old"`` or ``"new"``.
            wanted: Names of columns; each exists.
            dates: Those that may be dates where the source is text.
        """
        ...

    def project(self, side: str, columns: Projection, *, distinct: bool) -> None:
        """Make the relation ``old_side`` or ``new_side``.

        Args:
            side: ``"old"`` or ``"new"``.
            columns: The relation's columns: the source's column and the form in which it is read.
            distinct: Whether identical rows count once.
        """
        ...

    def some_rows(self, layout: Layout, share: float, seed: int) -> str:
        """Return a condition that holds for about a share of the joined rows, chosen at random.

        Args:
            layout: Where the columns are.
            share: The share.
            seed: Seed of the choice, where the engine can repeat it.
        """
        ...

    def save(self, sql: str, path: str, *, parquet: bool) -> None:
        """Write what a query finds to a file.

        Args:
            sql: The query, in DuckDB's dialect.
            path: The file.
            parquet: Whether to write Parquet; CSV otherwise.
        """
        ...

    def table(self, sql: str, task: str) -> Answer:
        """Run a query and return its columns; missing values are ``None`` in arrays of objects.

        Args:
            sql: The query, in DuckDB's dialect.
            task: What it is for, in a word or two, for progress.
        """
        ...


@dataclass(frozen=True, slots=True)
class Resources:
    """What a comparison of tables may use of the machine.

    Attributes:
        memory: Memory that DuckDB may use, such as ``"1GB"``; beyond it, it spills to disk. The whole process takes
            some 0.2 GB more.
        threads: Number of threads; all cores by default.
        temp_directory: Where a folder for spilled data is made and removed again; the system's by default.
        disk: Disk space that spilled data may take, such as ``"50GB"``; all that is free by default.
        progress: Called with the name of the running step and its share done, 0 to 1, about every 50 ms.
    """

    memory: str = "1GB"
    threads: int | None = None
    temp_directory: str | os.PathLike[str] | None = None
    disk: str | None = None
    progress: Progress | None = None


class DuckDBSession:
    """A DuckDB connection with limits: runs queries so that they show progress and Ctrl-C ends them.

    Args:
        resources: The limits.
        folder: Where spilled data go.

    Raises:
        InputError: If a limit can't be understood.
    """

    def __init__(self, resources: Resources, folder: Path) -> None:
        import duckdb

        self.folder = folder
        self.resources = resources
        self.connection: duckdb.DuckDBPyConnection = duckdb.connect()
        settings: dict[str, Any] = {
            "memory_limit": resources.memory,
            "temp_directory": str(folder),
            "preserve_insertion_order": False,
            "enable_progress_bar": True,
            "enable_progress_bar_print": False,
        }
        if resources.threads is not None:
            settings["threads"] = resources.threads
        if resources.disk is not None:
            settings["max_temp_directory_size"] = resources.disk
        for name, value in settings.items():
            try:
                self.connection.execute(f"SET {name} = ?", [value])
            except duckdb.Error as error:
                told = {"memory_limit": "memory", "max_temp_directory_size": "disk"}.get(name, name)
                raise InputError(
                    f"{told} is {value!r}, which DuckDB does not understand ({_first_line(error)}); "
                    f"pass a size such as '1GB'" + (" or a number of threads" if told == "threads" else "")
                ) from error

    def execute(self, sql: str, task: str = "") -> None:
        """Run a statement whose answer is not needed."""
        self._run(sql, task, lambda: None)

    def table(self, sql: str, task: str = "") -> Answer:
        """Return the columns that a query finds."""
        answer: dict[str, Any] = self._run(sql, task, self.connection.fetchnumpy)
        return {name: _plain(column) for name, column in answer.items()}

    def rows(self, sql: str, task: str = "") -> list[tuple[Any, ...]]:
        """Return the rows that a query finds."""
        found: list[tuple[Any, ...]] = self._run(sql, task, self.connection.fetchall)
        return found

    def close(self) -> None:
        """Close the connection."""
        self.connection.close()

    def _run(self, sql: str, task: str, fetch: Callable[[], Any]) -> Any:
        # The query runs in a thread of its own: the main thread stays free for Ctrl-C and for showing progress.
        outcome: list[Any] = []
        failure: list[BaseException] = []

        def work() -> None:
            try:
                self.connection.execute(sql)
                outcome.append(fetch())
            except BaseException as error:
                failure.append(error)

        worker = threading.Thread(target=work, name="segue-query")
        worker.start()
        try:
            while worker.is_alive():
                worker.join(POLL_SECONDS)
                if task and self.resources.progress is not None:
                    share = self.connection.query_progress() / 100
                    self.resources.progress(task, min(max(share, 0.0), 1.0))
        except BaseException:
            self.connection.interrupt()
            worker.join()
            raise
        if failure:
            explained = self._explained(failure[0])
            raise explained from (None if explained is failure[0] else failure[0])
        if task and self.resources.progress is not None:
            self.resources.progress(task, 1.0)
        return outcome[0]

    def _explained(self, error: BaseException) -> BaseException:
        import duckdb

        said = str(error)
        if "max_temp_directory_size" in said or "No space left on device" in said:
            return ResourceError(
                f"the disk is full: the data do not fit into the {self.resources.memory} of memory that may be used, "
                f"and there is no room for the rest in {self.folder.parent}; free some space, name another folder "
                f"with temp_directory=, or allow more memory"
            )
        if isinstance(error, duckdb.OutOfMemoryException):
            return ResourceError(
                f"{self.resources.memory} of memory did not suffice ({_first_line(error)}); allow more with memory="
            )
        unreadable = (duckdb.InvalidInputException, duckdb.IOException, duckdb.SerializationException)
        if isinstance(error, unreadable):  # the head of a file was sound, and what follows is not
            return UnreadableError(
                f"a file can't be read to its end ({said_of(error)}); check that it is whole and of its format"
            )
        return error


@contextmanager
def duckdb_session(resources: Resources) -> Generator[DuckDBSession]:
    """Open a session whose spilled data are removed at the end, however it ends.

    Args:
        resources: The limits.

    Yields:
        The session.

    Raises:
        InputError: If the folder for temporary data can't be used.
    """
    where = resources.temp_directory
    try:
        folder = Path(tempfile.mkdtemp(prefix="segue-", dir=where))
    except OSError as error:
        raise InputError(f"temp_directory {str(where)!r} can't be written to ({error.strerror})") from error
    session = DuckDBSession(resources, folder)
    try:
        yield session
    finally:
        session.close()
        shutil.rmtree(folder, ignore_errors=True)


def said_of(error: BaseException) -> str:
    """Return what DuckDB says is wrong with a file, in a few words.

    Args:
        error: What it raised.

    Returns:
        Its first line without the kind of the error, or words for what DuckDB says at length.
    """
    said = str(error)
    if (line := re.search(r"CSV Error on Line: (\d+)", said)) is not None:
        file = re.search(r"^\s*file = (.+)$", said, flags=re.MULTILINE)
        columns = re.search(r"Expected Number of Columns: (\d+) Found: (\d+)", said)
        what = "it is not as the lines before it"
        if "not utf-8 encoded" in said:
            what = "it is not UTF-8 text"
        elif columns is not None:
            what = f"{columns[2]} values in place of {columns[1]}"
        return f"line {line[1]} of {Path(file[1]).name if file else 'it'}: {what}"
    if "Error when sniffing file" in said:
        return "its rows differ in their number of columns, a quote is left open, or it is not UTF-8 text"
    first = _first_line(error)
    return (first.partition(" Error: ")[2] or first).rstrip(" .")


def _plain(column: Any) -> NDArray[Any]:
    """Return a masked or pandas column as a plain array with ``None`` where a value is missing."""
    if isinstance(column, np.ma.MaskedArray):
        if not np.ma.is_masked(column):
            return np.asarray(column.data)
        values = column.data.astype(object)
        values[np.ma.getmaskarray(column)] = None
        return values
    if hasattr(column, "categories"):
        return np.asarray(column.astype(object), dtype=object)
    return np.asarray(column)


def _first_line(error: BaseException) -> str:
    return str(error).strip().splitlines()[0]
