"""Where output goes: text for people on standard output, what a file or a machine reads where it was asked for."""

from __future__ import annotations

import sys
from pathlib import Path

from rich.console import Console

from segue.cli.arguments import STANDARD_OUTPUT
from segue.errors import InputError

PIPED_WIDTH = 160


def out() -> Console:
    """Return the console for people: coloured in a terminal (unless NO_COLOR is set), plain when piped."""
    width = None if sys.stdout.isatty() else PIPED_WIDTH
    return Console(highlight=False, markup=False, emoji=False, width=width, soft_wrap=not sys.stdout.isatty())


def progress() -> Console:
    """Return the console for progress, which never mixes with results."""
    return Console(stderr=True, highlight=False, markup=False, emoji=False)


def check_outputs(outputs: dict[str, str | None], inputs: list[str]) -> None:
    """Refuse outputs that can't be written, before anything long is computed.

    Args:
        outputs: Paths by the option that named them; ``None`` for options not given.
        inputs: What is read, and so must not be written over.

    Raises:
        InputError: If a path lies in no folder, is a folder, may not be written, would replace an input or another
            output, or if ``--json`` names no JSON file.
    """
    taken = {_resolved(path): "an input" for path in inputs}
    for option, path in outputs.items():
        if path is None or path == STANDARD_OUTPUT:
            continue
        target = Path(path)
        if option == "--json" and target.suffix.lower() != ".json" and not path.startswith("/dev/"):
            raise InputError(
                f"--json is {path!r}; name a file that ends in .json, or leave the name out for standard output"
            )
        if not target.parent.is_dir():
            raise InputError(f"{option}: there is no folder {str(target.parent)!r} to write {target.name!r} to")
        if target.is_dir():
            raise InputError(f"{option}: {path!r} is a folder; name a file")
        if (user := taken.get(_resolved(path))) is not None:
            raise InputError(f"{option}: {path!r} is {user} as well; name another file")
        taken[_resolved(path)] = f"the file of {option}"
        try:
            existed = target.exists()
            with target.open("ab"):
                pass
            if not existed:
                target.unlink()
        except OSError as error:
            raise InputError(f"{option}: {path!r} can't be written ({error.strerror}); name another file") from error


def write(text: str, path: str, option: str) -> None:
    """Write text to a file, or to standard output for ``-``.

    Args:
        text: The text.
        path: Where to.
        option: The option that named the path.

    Raises:
        InputError: If the file can't be written.
    """
    if path == STANDARD_OUTPUT:
        sys.stdout.write(text)
        return
    try:
        Path(path).write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(f"{option}: {path!r} can't be written ({error.strerror}); name another file") from error


def _resolved(path: str) -> Path:
    return Path(path).resolve()
