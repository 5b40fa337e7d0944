"""Where output goes: text for people on standard output, what a file or a machine reads where it was asked for."""

from __future__ import annotations

import glob
import re
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
        inputs: What is read, and so must not be written over: files, folders, globs and databases' URLs.

    Raises:
        InputError: If a path lies in no folder, is a folder, may not be written, would replace an input or another
            output, or if ``--json`` names no JSON file.
    """
    taken = {key: "an input" for path in inputs for file in _files(path) for key in _names(file)}
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
        user = next((taken[key] for key in _names(target) if key in taken), None)
        if user is not None:
            raise InputError(f"{option}: {path!r} is {user} as well; name another file")
        taken |= dict.fromkeys(_names(target), f"the file of {option}")
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


def _files(text: str) -> list[Path]:
    path = Path(text).expanduser()
    try:
        if path.is_file():
            return [path]
        if path.is_dir():
            return list(path.iterdir())
        if "://" in text:  # the database may be a file: duckdb://predictions.duckdb#table
            return [Path(re.split(r"[?#]", text.partition("://")[2], maxsplit=1)[0])]
        return [path, *map(Path, glob.iglob(str(path), recursive=True, include_hidden=True))]  # ruff: ignore[glob] - Path.glob takes no absolute pattern
    except OSError:  # whoever reads it says what is wrong with it
        return []


def _names(path: Path) -> list[Path | tuple[int, int]]:
    # A file has several names where there are links: symbolic ones are followed, hard ones share their inode.
    try:
        found = path.stat()
    except OSError:
        return [path.resolve()]
    same: list[Path | tuple[int, int]] = [path.resolve()]
    return [*same, (found.st_dev, found.st_ino)] if path.is_file() else same
