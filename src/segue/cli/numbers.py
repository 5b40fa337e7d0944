"""Numbers as people type them: what is none is refused in words that name it."""

from __future__ import annotations

import math

import typer


def number(text: str) -> float:
    """Read a number.

    Args:
        text: What was typed.

    Returns:
        The number.

    Raises:
        BadParameter: If it is none, or not finite.

    Example:
        >>> number("0.01")
        0.01
    """
    try:
        value = float(text)
    except ValueError:
        hint = "; write 1% as 0.01" if text.strip().endswith("%") else ""
        raise typer.BadParameter(f"{text!r} is not a number{hint}") from None
    if not math.isfinite(value):
        raise typer.BadParameter(f"{text!r} is not a finite number")
    return value


def whole(text: str) -> int:
    """Read a whole number; thousands may be set off by underscores.

    Args:
        text: What was typed.

    Returns:
        The number.

    Raises:
        BadParameter: If it is none.

    Example:
        >>> whole("10_000")
        10000
    """
    try:
        return int(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a whole number") from None
