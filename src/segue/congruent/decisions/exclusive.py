"""One process at a time changes a file; another waits for it, and is told by whom it is held."""

from __future__ import annotations

import glob
import os
import platform
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from segue.congruent.decisions.replacing import refuse_folder
from segue.errors import InputError
from segue.flips.table.leftovers import clear_leftovers, mark

WAIT = 10.0

Version = tuple[int, int, int, int]


@contextmanager
def exclusive(path: str | os.PathLike[str], wait: float = WAIT, name: str = "path") -> Generator[None]:
    """Keep all others from changing a file that read and change it in the same way.

    The lock is ``.NAME.lock`` beside the file. The system gives it back when the process ends, however it ends. The
    same thread may ask for it again while it has it.

    Args:
        path: The file, which need not be there yet.
        wait: How many seconds to wait for another.
        name: What the caller calls the path.

    Yields:
        Nothing.

    Raises:
        InputError: If another process has it all the while, or nothing can be written beside the file.
    """
    from filelock import FileLock, Timeout

    target = place_of(path)
    refuse_folder(path, name)
    if not target.parent.is_dir():  # which the lock would make
        raise InputError(f"{name}: {str(path)!r} can't be written (No such file or directory); name another file")
    lock = FileLock(target.with_name(f".{target.name}.lock"), is_singleton=True)
    had_it = lock.is_locked
    try:
        lock.acquire(timeout=wait)
    except Timeout as error:
        raise InputError(
            f"{target.name} is being changed by {_holder(target)}, and still was after {wait:g} seconds; try again "
            f"when that has ended"
        ) from error
    except OSError as error:
        raise InputError(f"{name}: {str(path)!r} can't be written ({error.strerror}); name another file") from error
    note = target.with_name(f".{target.name}{mark()}user")
    try:
        with suppress(OSError):  # a note alone: that it can't be written is no reason to stop
            clear_leftovers(target.parent, _notes(target))
            note.write_text(_me(), encoding="utf-8")
        yield
    finally:
        if not had_it:
            note.unlink(missing_ok=True)
        lock.release()


def place_of(path: str | os.PathLike[str]) -> Path:
    """Return the file by one name, whatever folder its path begins at."""
    target = Path(path)
    return target.absolute().parent.resolve() / target.name


def version_of(path: str | os.PathLike[str]) -> Version | None:
    """Return what tells a file's content from its content before and after it was replaced; ``None`` without a file."""
    try:
        found = Path(path).stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def _notes(target: Path) -> str:
    return f".{glob.escape(target.name)}.by-*.user"


def _me() -> str:
    return f"process {os.getpid()} on {platform.node()} (since {time.strftime('%Y-%m-%d %H:%M:%S')})"


def _holder(target: Path) -> str:
    clear_leftovers(target.parent, _notes(target))
    for note in target.parent.glob(_notes(target)):
        with suppress(OSError):
            return note.read_text(encoding="utf-8")
    return "another process"
