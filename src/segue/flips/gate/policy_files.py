"""The files that a policy is made of: TOML, and a list of protected samples."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from segue.errors import InputError
from segue.flips.gate.policy_errors import syntax_sentence


def read_ids(path: Path) -> list[str]:
    """Read the ids of protected samples, one per line.

    Args:
        path: The file; empty lines and lines that begin with ``#`` are skipped.

    Returns:
        The ids.

    Raises:
        InputError: If the file can't be read, or names no sample.
    """
    lines = (line.strip() for line in _read_text(path, "golden").splitlines())
    found = [line for line in lines if line and not line.startswith("#")]
    if not found:
        raise InputError(f"golden: {path} names no sample; write one id per line")
    return found


def read_toml(path: Path) -> dict[str, Any]:
    """Read a policy's keys.

    Args:
        path: The file.

    Returns:
        The keys.

    Raises:
        InputError: If the file can't be read or is no TOML; the sentence names file and line.
    """
    text = _read_text(path, "policy")
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(syntax_sentence(path, text, error)) from error


def _read_text(path: Path, what: str) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise InputError(f"{what}: there is no file {path}; check the path") from error
    except IsADirectoryError as error:
        raise InputError(f"{what}: {path} is a directory, not a file") from error
    except UnicodeDecodeError as error:
        raise InputError(
            f"{what}: {path} is not UTF-8 text (byte {error.start:,} is 0x{error.object[error.start]:02x}); "
            f"save it as UTF-8"
        ) from error
    except OSError as error:
        raise InputError(f"{what}: {path} can't be read: {error.strerror}") from error
