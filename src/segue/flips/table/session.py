"""A DuckDB connection that keeps to its limits, shows progress, can be interrupted, and cleans up after itself."""

from __future__ import annotations

import re
import shutil
import tempfile
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from segue.errors import InputError
from segue.flips.table.engine import Answer, ResourceError, Resources, UnreadableError
from segue.flips.table.leftovers import clear_leftovers, mark

if TYPE_CHECKING:
    import duckdb

POLL_SECONDS = 0.05


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
        # Only errors of memory and of files may speak of the disk: others quote names and values of the user's.
        spilled = isinstance(error, duckdb.OutOfMemoryException) and "max_temp_directory_size" in said
        if spilled or (isinstance(error, duckdb.IOException) and re.search(r": No space left on device\b", said)):
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
        if isinstance(error, (duckdb.ConversionException, duckdb.OutOfRangeException)):
            return InputError(
                f"a value does not fit the type that it is read as ({said_of(error)}); classes and whole numbers must "
                f"fit into 64 bits: write larger ones as strings"
            )
        return error


@contextmanager
def duckdb_session(resources: Resources) -> Generator[DuckDBSession]:
    """Open a session whose spilled data are removed at the end, or by the next session if it is killed.

    Args:
        resources: The limits.

    Yields:
        The session.

    Raises:
        InputError: If the folder for temporary data can't be used.
    """
    where = resources.temp_directory
    try:
        folder = Path(tempfile.mkdtemp(prefix=f"segue{mark()}", dir=where))
        clear_leftovers(folder.parent, "segue.by-*")
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
