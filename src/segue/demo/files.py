"""Files that are whole or not there, whatever stops the process that writes them."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

STAGING = ".unfinished-"


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Let a function write a file elsewhere, and move the file to its place in one step.

    A process that dies in between leaves ``path`` as it was.

    Args:
        path: The file that is to appear; its folder is made if need be.
        write: Called with the path to write to, which has the same name, for writers that choose a format by it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with staging(path.parent) as folder:
        write(folder / path.name)
        (folder / path.name).replace(path)


@contextmanager
def staging(folder: Path) -> Generator[Path, None, None]:
    """Give a fresh folder inside ``folder`` (so that a move out of it is one step), gone at the end.

    Args:
        folder: An existing folder.

    Yields:
        The fresh folder.
    """
    fresh = Path(tempfile.mkdtemp(prefix=STAGING, dir=folder))
    try:
        yield fresh
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def sweep(folder: Path) -> int:
    """Remove what killed processes left in ``folder``; not while another process stages files there.

    Args:
        folder: A folder in which files were staged.

    Returns:
        How many leftovers there were.
    """
    leftovers = [path for path in folder.glob(f"{STAGING}*") if path.is_dir()]
    for leftover in leftovers:
        shutil.rmtree(leftover, ignore_errors=True)
    return len(leftovers)


@contextmanager
def alone_in(folder: Path) -> Generator[None, None, None]:
    """Wait until no other process is in this block for the same folder; a process that dies leaves it.

    Where the system has no ``flock`` (Windows) nobody waits: two downloads at once cost time, and nothing else.

    Args:
        folder: The folder, made if need be.

    Yields:
        Nothing.
    """
    folder.mkdir(parents=True, exist_ok=True)
    try:
        import fcntl
    except ImportError:
        yield
        return
    handle = os.open(folder / ".lock", os.O_CREAT | os.O_RDWR, 0o644)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
