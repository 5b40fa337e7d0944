"""Write a file so that a killed process leaves the former one whole."""

from __future__ import annotations

import glob
import os
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from segue.errors import InputError
from segue.flips.table.leftovers import clear_leftovers, mark


@contextmanager
def replacing(path: str | os.PathLike[str], name: str = "path") -> Generator[IO[bytes]]:
    """Open a file beside ``path`` that takes its place when it is complete and on disk.

    Args:
        path: The file to write.
        name: What the caller calls it.

    Yields:
        The file to write to.

    Raises:
        InputError: If it can't be written there.
    """
    target = Path(path)
    refuse_folder(path, name)
    try:
        clear_leftovers(target.absolute().parent, f".{glob.escape(target.name)}.by-*.part")
        handle, beside = tempfile.mkstemp(
            prefix=f".{target.name}{mark()}", suffix=".part", dir=target.absolute().parent
        )
    except OSError as error:
        raise InputError(f"{name}: {str(path)!r} can't be written ({error.strerror}); name another file") from error
    try:
        with os.fdopen(handle, "wb") as file:
            os.fchmod(file.fileno(), target.stat().st_mode & 0o777 if target.exists() else 0o666 & ~_umask())
            yield file
            file.flush()
            os.fsync(file.fileno())
        Path(beside).replace(target)
    except BaseException as error:
        Path(beside).unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise InputError(f"{name}: {str(path)!r} can't be written ({error.strerror}); name another file") from error
        raise


def refuse_folder(path: str | os.PathLike[str], name: str) -> None:
    """Refuse a folder where a file is to be written.

    Args:
        path: What was named.
        name: What the caller calls it.

    Raises:
        InputError: If it is a folder.
    """
    if Path(path).is_dir():
        raise InputError(f"{name}: {str(path)!r} is a folder; name a file")


def _umask() -> int:
    present = os.umask(0)
    os.umask(present)
    return present
