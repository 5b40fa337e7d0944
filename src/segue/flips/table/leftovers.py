"""What a killed run leaves behind, and how the next one knows that it may be removed."""

from __future__ import annotations

import os
import platform
import re
import shutil
from pathlib import Path

_MARK = re.compile(r"\.by-(?P<machine>[\w.-]*)-(?P<process>\d+)\.")


def mark() -> str:
    """Return a part of a name that says which process, on which machine, writes there: ``.by-host-123.``."""
    return f".by-{_machine()}-{os.getpid()}."


def clear_leftovers(folder: Path, pattern: str) -> None:
    """Remove the marked files and folders of processes of this machine that are no more.

    Args:
        folder: Where they are.
        pattern: A glob that they match.
    """
    for path in folder.glob(pattern):
        found = _MARK.search(path.name)
        if found is None or found["machine"] != _machine() or _alive(int(found["process"])):
            continue
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def _machine() -> str:
    return re.sub(r"[^\w.-]", "_", platform.node())


def _alive(process: int) -> bool:
    if os.name != "posix":  # elsewhere there is no harmless question
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # somebody else's
        return True
    return True
