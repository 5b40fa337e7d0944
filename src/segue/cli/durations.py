"""Spans of time as people type them: ``90s``, ``10m``, ``1h30m``."""

from __future__ import annotations

import re

from segue.errors import InputError

SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def seconds_of(text: str, option: str) -> float:
    """Read a span of time.

    Args:
        text: What was typed.
        option: The option that it was typed for.

    Returns:
        Seconds.

    Raises:
        InputError: If it is no span of time, or has no unit, or is 0.

    Example:
        >>> seconds_of("90s", "--budget"), seconds_of("1h30m", "--budget"), seconds_of("0.5h", "--budget")
        (90.0, 5400.0, 1800.0)
    """
    parts = re.findall(r"(\d+(?:\.\d+)?)([smhd])", text)
    seconds = sum(float(amount) * SECONDS[unit] for amount, unit in parts)
    if "".join(amount + unit for amount, unit in parts) != text or not seconds:
        raise InputError(f"{option} is {text!r}; write a time such as 90s, 10m or 2h")
    return seconds


def told_seconds(seconds: float) -> str:
    """Return a span of time in words.

    Example:
        >>> told_seconds(90), told_seconds(600), told_seconds(7200)
        ('90 seconds', '10 minutes', '2 hours')
    """
    unit, amount = next(
        ((unit, seconds / size) for unit, size in (("hour", 3600), ("minute", 60)) if seconds >= 2 * size),
        ("second", seconds),
    )
    return f"{amount:.3g} {unit}{'s' * (amount != 1)}"
