"""In which form a column is read for its role, and the sentence that refuses a kind of values that it can't have."""

from __future__ import annotations

import re

from segue.errors import InputError
from segue.flips.table.kinds import Column, Form, Kind

DIGITS_OF_64_BITS = 18
"""Every number of so many digits fits into 64 bits."""
CLASSES = {Kind.INTEGER, Kind.TEXT, Kind.BOOLEAN}


def what(column: Column) -> str:
    """Return what a column holds, in words."""
    return f"{column.type} values" if column.kind is Kind.OTHER else column.kind.value


def class_form(column: Column, told: str) -> Form:
    """Return the form of a column of labels or answers: integers or text.

    Args:
        column: The column.
        told: How a message names it.

    Returns:
        The form in which it is read.

    Raises:
        InputError: If its values can't be classes.
    """
    if column.kind is Kind.FLOAT:
        raise InputError(
            f"{told} holds floating-point numbers, which are no classes; write integers or strings (in pandas a "
            f"missing answer turns integers into floats: use the type Int64), or compare graded scores with "
            f"compare_score_tables()"
        )
    if column.kind is Kind.NOTHING:
        raise InputError(f"{told} holds only missing values; write one class per sample")
    if column.kind not in CLASSES:
        raise InputError(f"{told} holds {what(column)}, which are no classes; write integers or strings")
    if column.kind is Kind.TEXT:
        return Form.AS_IS if column.type.upper() in {"VARCHAR", "TEXT", "STRING"} else Form.TEXT
    return Form.INTEGER if column.type.upper() not in {"INTEGER", "BIGINT"} else Form.AS_IS


def id_form(column: Column, told: str) -> Form:
    """Return the form of a column of ids: as it is, wherever two tables' ids can then be the same.

    Args:
        column: The column.
        told: How a message names it.

    Returns:
        The form in which it is read.

    Raises:
        InputError: If its values can't be ids.
    """
    if column.kind is Kind.FLOAT:
        raise InputError(
            f"{told} holds floating-point numbers, which are no ids; write integers or strings (in pandas a missing id "
            f"turns integers into floats: use the type Int64)"
        )
    if column.kind is Kind.NOTHING:
        raise InputError(f"{told} holds only missing values; give every sample an id")
    if column.kind is Kind.TEXT and column.type.upper().startswith("ENUM"):
        return Form.TEXT
    return Form.INTEGER if column.kind is Kind.INTEGER and _wide(column) else Form.AS_IS


def score_form(column: Column, told: str) -> Form:
    """Return the form of a column of scores or weights: finite numbers.

    Args:
        column: The column.
        told: How a message names it.

    Returns:
        The form in which it is read.

    Raises:
        InputError: If its values can't be scores.
    """
    if column.kind not in {Kind.INTEGER, Kind.FLOAT, Kind.BOOLEAN}:
        raise InputError(f"{told} holds {what(column)}; write one number per sample")
    return Form.FINITE


def slice_form(column: Column, told: str) -> Form:
    """Return the form of a slice column: words as they are, numbers and dates as something that can be cut.

    Args:
        column: The column.
        told: How a message names it.

    Returns:
        The form in which it is read.

    Raises:
        InputError: If its values can't be slices.
    """
    if column.kind is Kind.OTHER:
        raise InputError(f"{told} holds {what(column)}, which are no slices; pass a column of words, numbers or dates")
    if column.kind is Kind.TIME:
        return Form.SECONDS
    if column.kind is Kind.FLOAT:
        return Form.NUMBER
    if column.kind in {Kind.TEXT, Kind.NOTHING}:
        return Form.TEXT if column.type.upper() != "VARCHAR" else Form.AS_IS
    return Form.INTEGER if column.kind is Kind.INTEGER and _wide(column) else Form.AS_IS


def wider(column: Column) -> bool:
    """Return whether a type of whole numbers has values beyond 64 bits with a sign.

    Args:
        column: A column of integers.

    Returns:
        Whether it has.

    Example:
        >>> [wider(Column("id", Kind.INTEGER, name)) for name in ("DECIMAL(18,0)", "DECIMAL(19,0)", "UBIGINT")]
        [False, True, True]
    """
    name = column.type.upper()
    if (decimal := re.match(r"DECIMAL\((\d+)", name)) is not None:
        return int(decimal[1]) > DIGITS_OF_64_BITS
    return name in {"UBIGINT", "UINT64"} or "HUGEINT" in name or name.startswith("DECIMAL")


def _wide(column: Column) -> bool:
    # These leave DuckDB as floating-point numbers, so they are read as 64-bit integers.
    return "HUGEINT" in column.type.upper() or column.type.upper().startswith("DECIMAL")
