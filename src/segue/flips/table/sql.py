"""Names and values as SQL writes them."""

from __future__ import annotations

from typing import Any


def quoted(name: str) -> str:
    """Return a name as SQL writes it, whatever is in it."""
    return '"' + name.replace('"', '""') + '"'


def literal(value: Any) -> str:
    """Return a number or a string as SQL writes it."""
    if isinstance(value, bool):
        return str(int(value))
    return repr(value) if isinstance(value, (int, float)) else "'" + str(value).replace("'", "''") + "'"
