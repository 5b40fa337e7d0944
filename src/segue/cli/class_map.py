"""The file that says what each old class is called now."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

from segue.errors import InputError
from segue.flips.table.request import WrittenMap


def read_class_map(path: str) -> WrittenMap:
    """Read a class map.

    Args:
        path: A TOML or JSON file that is one table from old class to new class or list of new classes.

    Returns:
        The map; its keys are text, whatever the type of the classes.

    Raises:
        InputError: If the file can't be read, or holds something else.
    """
    file = Path(path)
    if file.suffix.lower() not in {".toml", ".json"}:
        raise InputError(f"--class-map is {path!r}; name a file that ends in .toml or .json")
    try:
        text = file.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise InputError(f"--class-map: there is no file {path!r}; check the path") from error
    except OSError as error:
        raise InputError(f"--class-map: {path!r} can't be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise InputError(f"--class-map: {path!r} is not UTF-8 text; save it as UTF-8") from error
    try:
        found = tomllib.loads(text) if file.suffix.lower() == ".toml" else json.loads(text)
    except ValueError as error:
        form = file.suffix[1:].upper()
        raise InputError(f"--class-map: {path!r} is no valid {form} ({str(error).splitlines()[0]})") from error
    if not isinstance(found, dict) or not all(_is_class(part) for part in found.values()):
        raise InputError(
            f'--class-map: {path!r} must be one table from old class to new class or list of them, such as "pet" = '
            f'["cat", "dog"]'
        )
    return WrittenMap(found)


def _is_class(value: Any) -> bool:
    if isinstance(value, list):
        return all(isinstance(part, (str, int)) and not isinstance(part, bool) for part in value)
    return isinstance(value, (str, int)) and not isinstance(value, bool)
