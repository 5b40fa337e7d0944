"""Hyper-parameters that are out of range, each in one sentence."""

from __future__ import annotations

import math
from numbers import Integral, Real
from typing import Any

from segue.errors import InputError


def at_least_zero(value: Any, name: str) -> None:
    """Refuse what is no finite number from 0 on.

    Args:
        value: The caller's value.
        name: What the caller calls it.

    Raises:
        InputError: If it is something else.
    """
    if not _is_real(value) or not math.isfinite(value) or value < 0:
        raise InputError(f"{name} is {value!r}; pass a finite number of 0 or more")


def above_zero(value: Any, name: str) -> None:
    """Refuse what is no finite number above 0.

    Args:
        value: The caller's value.
        name: What the caller calls it.

    Raises:
        InputError: If it is something else.
    """
    if not _is_real(value) or not math.isfinite(value) or value <= 0:
        raise InputError(f"{name} is {value!r}; pass a finite number above 0")


def share(value: Any, name: str) -> None:
    """Refuse what is no number from 0 to 1.

    Args:
        value: The caller's value.
        name: What the caller calls it.

    Raises:
        InputError: If it is something else.
    """
    if not _is_real(value) or not 0 <= value <= 1:
        raise InputError(f"{name} is {value!r}; pass a number from 0 to 1")


def whole_number(value: Any, name: str, low: int, high: int | None = None, of: str = "") -> None:
    """Refuse what is no whole number in a range.

    Args:
        value: The caller's value.
        name: What the caller calls it.
        low: The least that makes sense.
        high: The most; no bound by default.
        of: What the bound comes from, to follow it in the sentence.

    Raises:
        InputError: If it is something else.
    """
    whole = isinstance(value, Integral) and not isinstance(value, bool)
    if not whole or int(value) < low or (high is not None and int(value) > high):
        upper = "on" if high is None else f"to {high:,}{of}"
        raise InputError(f"{name} is {value!r}; pass a whole number from {low} {upper}")


def _is_real(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)
