"""Progress of a long comparison, on standard error."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager


@contextmanager
def shown_progress(wanted: bool) -> Generator[Callable[[str, float], None] | None]:
    """Show progress where somebody watches.

    Args:
        wanted: Whether the user wants it.

    Yields:
        What is called with the name of the running step and its share done, or ``None`` where nobody watches.
    """
    if not wanted or not sys.stderr.isatty():
        yield None
        return
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    from segue.cli.console import progress

    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=progress(), transient=True) as bar:
        running = bar.add_task("reading", total=1.0)

        def advance(task: str, share: float) -> None:
            bar.update(running, description=task, completed=share)

        yield advance
