"""Where the data live and the counting runs: what the comparison asks of any engine, and DuckDB as one.

The comparison speaks to an engine in one SQL (DuckDB's dialect, kept to what other databases know too) about two
relations with fixed column names: ``old_side`` and ``new_side``. An engine says which columns its sources have, makes
these relations, and answers queries with columns of values.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from numpy.typing import NDArray

from segue.errors import InputError, SegueError
from segue.flips.table.kinds import Column, Form

if TYPE_CHECKING:
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

    @property
    def files(self) -> Sequence[str]:
        """The paths of all files that are read."""
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
