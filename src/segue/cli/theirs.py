"""Errors of the user's own code, told as such."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Generator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from types import TracebackType

from segue.cli.outputs.visible import visible
from segue.errors import InputError, SegueError


@contextmanager
def told_as_theirs(path: Path, what: str = "", *, every: bool = False) -> Generator[None]:
    """Tell errors of the user's code as such, with their traceback, and keep what it prints off standard output.

    Args:
        path: The user's file.
        what: What of it runs.
        every: Whether every error is the user's; otherwise those in whose traceback stands the user's code.

    Yields:
        Nothing.

    Raises:
        InputError: In place of an error of the user's code.
        SystemExit: If code that is not the user's ends the process; so with any other error of such code.
    """
    try:
        with redirect_stdout(sys.stderr):
            yield
    except (Exception, SystemExit) as error:
        first = _first_of_theirs(error.__traceback__, path)
        if isinstance(error, SegueError) or (first is None and not every):
            raise
        print(_traceback(error, first), end="", file=sys.stderr)
        line = error.lineno if isinstance(error, SyntaxError) else _line(error, path)
        where = f" in line {line}" if line and not what else ""
        said = visible(f"{type(error).__name__}: {error}", most=300)
        raise InputError(
            f"{path.name}{': ' + what if what else ''} fails{where} ({said}); mend it, and type the same command again"
        ) from error


def _is_theirs(name: str, path: Path) -> bool:
    place = Path(name)
    return place == path or (path.parent in place.parents and "site-packages" not in place.parts)


def _first_of_theirs(trace: TracebackType | None, path: Path) -> TracebackType | None:
    while trace is not None and not _is_theirs(trace.tb_frame.f_code.co_filename, path):
        trace = trace.tb_next
    return trace


def _line(error: BaseException, path: Path) -> int | None:
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    return lines[-1] if lines else None


def _traceback(error: BaseException, first: TracebackType | None) -> str:
    begin = None if isinstance(error, SyntaxError) and first is None else first or error.__traceback__
    return "".join(traceback.format_exception(type(error), error, begin))
