"""A bar on stderr with the figures that matter while a model trains."""

from __future__ import annotations

import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from segue.training.history import Epoch


@dataclass
class Bar:
    """Progress over the steps of a training.

    Attributes:
        shown: The bar, or ``None`` where it is not wanted.
    """

    shown: Progress | None

    def step(self, done: int, loss: float | None = None) -> None:
        """Show how far the training is.

        Args:
            done: Steps done.
            loss: Mean loss of the epoch so far, where it is known.
        """
        if self.shown is not None:
            task = self.shown.tasks[0]
            self.shown.update(task.id, completed=done)
            if loss is not None:
                self.shown.update(task.id, loss=f"loss {loss:.4f}")

    def epoch(self, epoch: Epoch) -> None:
        """Show what the last epoch came to on validation data.

        Args:
            epoch: The epoch.
        """
        if self.shown is not None:
            self.shown.update(self.shown.tasks[0].id, figures=epoch.figures, refresh=True)


@contextmanager
def bar(name: str, steps: int, wanted: bool) -> Generator[Bar, None, None]:
    """Show a bar on stderr while the block runs, if stderr is a terminal.

    Args:
        name: What is trained.
        steps: Steps in all.
        wanted: Whether it is shown at all.

    Yields:
        The bar.
    """
    console = Console(file=sys.stderr)
    if not (wanted and console.is_terminal):
        yield Bar(None)
        return
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[loss]} {task.fields[figures]}", markup=False),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        progress.add_task(name, total=steps, loss="", figures="")
        yield Bar(progress)
