"""The folder of a training: whose it is, and what is said about it."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from segue.cli.update_file import UpdateFile
from segue.errors import InputError


def output_folder(name: str) -> Path:
    """Return the folder that ``--out`` names, if it is new or a training's.

    Args:
        name: What was typed.

    Returns:
        The folder; it need not exist.

    Raises:
        InputError: If it is a file, can't be read, or holds other files.
    """
    folder = Path(name).expanduser()
    if folder.exists() and not folder.is_dir():
        raise InputError(f"--out: {name!r} is a file; name a folder")
    try:
        held = {entry.name for entry in folder.iterdir()} if folder.exists() else set()
    except OSError as error:
        raise InputError(f"--out: {name!r} can't be read ({error.strerror}); name another folder") from error
    if held - {"update.part"} and "update.json" not in held:
        raise InputError(
            f"--out: {name!r} holds other files than those of segue train; name a new folder, so that nothing is lost"
        )
    return folder


def look_back(file: UpdateFile, folder: Path, out: str) -> None:
    """Keep the user's file with the first run; note where it was changed since, and that a pick will be replaced.

    Args:
        file: The user's file.
        folder: The training's folder.
        out: The folder as it was typed.
    """
    copy = folder / "update.py"
    if not copy.exists():
        copy.write_text(file.text, encoding="utf-8")
    elif copy.read_text(encoding="utf-8") != file.text:
        say(
            f"Note: {file.path.name} has changed since the first run in {out}; trainings that are over are not "
            f"repeated. To train all anew, name another --out."
        )
    if (folder / "outcome.json").exists():
        say(f"The pick of an earlier call in {out} will be replaced; its trainings are kept and used again.")


@contextmanager
def told_when_interrupted(out: str) -> Generator[None]:
    """Say how to go on where Ctrl-C is pressed.

    Args:
        out: The folder as it was typed.

    Yields:
        Nothing.

    Raises:
        KeyboardInterrupt: If Ctrl-C was pressed.
    """
    try:
        yield
    except KeyboardInterrupt:
        say(f"What is trained so far is kept in {out}; the same command goes on from there.")
        raise


def say(words: object) -> None:
    """Print progress on standard error.

    Args:
        words: What is said.
    """
    from segue.cli.console import progress

    progress().print(str(words), soft_wrap=True)
