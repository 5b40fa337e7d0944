"""Which slices the value in a policy names."""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal

Value = str | int | float
"""As it was typed: ``"07"`` is a text, ``7`` a number, ``true`` a truth value."""

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)


def named(wanted: Value, values: Iterable[str]) -> set[str]:
    """Return the slices that a policy's value names.

    Args:
        wanted: The policy's value.
        values: The values of the slice column.

    Returns:
        The value as it is written, where the column has it; otherwise those that are the same number or truth value.

    Example:
        >>> sorted(named("7", ["07", "7"])), sorted(named("7", ["07"])), sorted(named(7, ["7.0", "8.0"]))
        (['7'], [], ['7.0'])
    """
    known = set(values)
    return {str(wanted)} if str(wanted) in known else {value for value in known if same_value(wanted, value)}


def same_value(wanted: Value, found: str) -> bool:
    """Return whether two values are the same: as they are written, as truth values, or as numbers typed as numbers.

    Args:
        wanted: The policy's value.
        found: The slice's.

    Returns:
        Whether they are the same.

    Example:
        >>> same_value("DE", "DE"), same_value("True", "true"), same_value(2, "2.0"), same_value("de", "DE")
        (True, True, True, False)
        >>> same_value("7", "07"), same_value(1000, "1_000"), same_value(True, "1")
        (False, False, False)
    """
    typed = str(wanted)
    if typed == found:
        return True
    if {typed.lower(), found.lower()} <= {"true", "false"}:
        return typed.lower() == found.lower()
    if isinstance(wanted, (str, bool)) or _NUMBER.fullmatch(found) is None:
        return False
    return Decimal(typed) == Decimal(found)
