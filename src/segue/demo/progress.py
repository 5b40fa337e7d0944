"""How far a long step is, on stderr: a bar in a terminal, now and then a line in a log."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, MofNCompleteColumn, ProgressColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bars

Advance = Callable[[int], None]

BYTES = "bytes"
LINE_EVERY_SECONDS = 2.0


class Progress:
    """Shows the steps of a run, one at a time.

    Args:
        console: Where to; a console on stderr if none is given.
    """

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(stderr=True)

    @contextmanager
    def step(self, name: str, total: int, unit: str) -> Generator[Advance, None, None]:
        """Show one step.

        Args:
            name: What is being done.
            total: Of how many units the step consists.
            unit: What is counted, in the plural; ``bytes`` are shown as megabytes.

        Yields:
            A function to call with the number of units done since the last call.
        """
        shown = self._bar if self.console.is_interactive else self._lines
        with shown(name, total, unit) as advance:
            yield advance

    @contextmanager
    def _bar(self, name: str, total: int, unit: str) -> Generator[Advance, None, None]:
        count: tuple[ProgressColumn, ...] = (MofNCompleteColumn(), TextColumn(unit))
        columns = (
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            *((DownloadColumn(),) if unit == BYTES else count),
            TimeRemainingColumn(compact=True),
        )
        with Bars(*columns, console=self.console, transient=True) as bars:
            task = bars.add_task(name, total=total)
            yield lambda done: bars.advance(task, done)

    @contextmanager
    def _lines(self, name: str, total: int, unit: str) -> Generator[Advance, None, None]:
        started = told_at = time.monotonic()
        done, quarter = 0, 0

        def advance(count: int) -> None:
            nonlocal done, quarter, told_at
            done += count
            reached, now = min(4 * done // total, 4), time.monotonic()
            if reached > quarter and now - told_at >= LINE_EVERY_SECONDS:
                quarter, told_at = reached, now
                far = f"{done / 1e6:.1f} of {total / 1e6:.1f} MB" if unit == BYTES else f"{done:,} of {total:,} {unit}"
                told = f"{name}: {far}, {now - started:.0f} s"
                self.console.print(told, highlight=False, markup=False, soft_wrap=True)

        yield advance
