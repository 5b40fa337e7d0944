"""Columns as the search for slices sees them: what a column means, and what in it is missing."""

from __future__ import annotations

import datetime
import math
import numbers
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from segue.errors import InputError
from segue.flips.checks import as_array

Kind = Literal["category", "number", "date"]


@dataclass(frozen=True)
class Feature:
    """A column that was understood.

    Attributes:
        name: The column's name.
        kind: ``category`` (strings, booleans), ``number`` or ``date``.
        values: ``(n,)``: for a category the number of the sample's category in ``labels``, for a number the number,
            for a date the date as an integer in units of ``unit``. Arbitrary where missing.
        missing: Whether the value is missing (None, NaN, NaT, masked), ``(n,)``.
        labels: The categories' names, ascending; empty for numbers and dates.
        whole: Whether all numbers are whole.
        unit: numpy's type of the dates, such as ``datetime64[us]``.
    """

    name: str
    kind: Kind
    values: NDArray[Any]
    missing: NDArray[np.bool_]
    labels: tuple[str, ...] = ()
    whole: bool = False
    unit: str = ""

    def to_value(self, number: float) -> float | int | str:
        """Return a number of this column as a person writes it: whole numbers without a point, dates as ISO 8601."""
        if self.kind == "date":
            return date_text(int(number), self.unit)
        return int(number) if float(number).is_integer() and self.whole else float(number)


def date_text(number: int, unit: str) -> str:
    """Return a date in ISO 8601, without a time of day where it is midnight.

    Example:
        >>> date_text(86_400, "datetime64[s]"), date_text(90_000, "datetime64[s]")
        ('1970-01-02', '1970-01-02T01:00:00')
    """
    moment = np.int64(number).astype(unit)
    day = moment.astype("datetime64[D]")
    return str(day if day == moment else moment)


def read_feature(name: str, values: Any, samples: int | None = None) -> Feature:
    """Understand a column.

    Args:
        name: The column's name.
        values: A list, an array or a data frame's column: numbers, strings, booleans or dates; missing values allowed.
        samples: How many values there must be.

    Returns:
        The column.

    Raises:
        InputError: If the column has another length or shape, or holds what is neither number, text, truth nor date.
    """
    told = f"columns[{name!r}]"
    masked = np.ma.getmaskarray(values) if isinstance(values, np.ma.MaskedArray) else None
    array = as_array(values.data if isinstance(values, np.ma.MaskedArray) else values, told)
    if array.ndim != 1:
        raise InputError(f"{told} has shape {array.shape}; pass one value per sample, shape (n,)")
    if samples is not None and len(array) != samples:
        raise InputError(f"{told} has {len(array):,} values for {samples:,} samples; pass one value per sample")
    feature = _read(name, told, array)
    if masked is None or not masked.any():
        return feature
    return Feature(
        feature.name,
        feature.kind,
        feature.values,
        feature.missing | masked,
        feature.labels,
        feature.whole,
        feature.unit,
    )


def read_features(columns: Any, samples: int | None = None) -> list[Feature]:
    """Understand all columns of a mapping or of a data frame.

    Args:
        columns: A mapping from names to columns ``(n,)``, or a pandas or polars data frame.
        samples: How many values each column must have.

    Returns:
        The columns in their order.

    Raises:
        InputError: If it is no mapping of columns, if it is empty, or if a column can't be understood.
    """
    if not isinstance(columns, Mapping):
        if not hasattr(columns, "columns"):
            raise InputError(
                f"columns is a {type(columns).__name__}; pass a mapping from column names to arrays, or a data frame"
            )
        columns = {str(name): columns[name] for name in columns.columns}
    if not columns:
        raise InputError("columns is empty; pass at least one column in which to look for slices")
    return [read_feature(str(name), values, samples) for name, values in columns.items()]


def _read(name: str, told: str, array: NDArray[Any]) -> Feature:
    kind = array.dtype.kind
    nothing = np.zeros(len(array), dtype=bool)
    if kind == "b":
        return Feature(name, "category", array.astype(np.int64), nothing, ("False", "True"))
    if kind in "iu":
        return Feature(name, "number", array.astype(np.float64), nothing, whole=True)
    if kind == "f":
        return _number(name, told, array.astype(np.float64))
    if kind == "M":
        missing = np.isnat(array)
        if np.datetime_data(array.dtype)[0] == "generic":
            array = array.astype("datetime64[s]")
        return Feature(
            name, "date", array.view(np.int64), missing, unit=array.dtype.str[1:].replace("M8", "datetime64")
        )
    if kind in "UT":
        return _category(name, array.tolist(), nothing)
    if kind == "O":
        return _read_objects(name, told, array)
    raise InputError(
        f"{told} holds {array.dtype} values, in which no range or category can be found; convert it to numbers, "
        f"strings, booleans or dates, or leave it out"
    )


def _read_objects(name: str, told: str, array: NDArray[Any]) -> Feature:
    listed = array.tolist()
    missing = np.fromiter((_is_missing(value) for value in listed), dtype=bool, count=len(listed))
    kinds = {type(value) for value, gone in zip(listed, missing.tolist(), strict=True) if not gone}
    if (
        all(issubclass(kind, (str, bool, np.bool_)) for kind in kinds)
        and len({issubclass(kind, str) for kind in kinds}) <= 1
    ):
        texts = [None if gone else str(value) for value, gone in zip(listed, missing, strict=True)]
        return _category(name, texts, missing)
    if all(issubclass(kind, numbers.Real) or hasattr(kind, "as_tuple") for kind in kinds) and not any(
        issubclass(kind, (bool, np.bool_)) for kind in kinds
    ):
        plain = [math.nan if gone else float(value) for value, gone in zip(listed, missing, strict=True)]
        return _number(name, told, np.array(plain, dtype=np.float64))
    if all(issubclass(kind, (datetime.date, np.datetime64)) for kind in kinds):
        if any(getattr(value, "tzinfo", None) is not None for value in listed):
            raise InputError(f"{told} holds dates with a time zone; convert them to UTC and drop the zone first")
        dates = ["NaT" if gone else value for value, gone in zip(listed, missing, strict=True)]
        return _read(name, told, np.array(dates, dtype="datetime64[us]"))
    raise InputError(
        f"{told} holds values of type {', '.join(sorted(kind.__name__ for kind in kinds))}; convert it to all numbers, "
        f"all strings, all booleans or all dates, or leave it out"
    )


def _number(name: str, told: str, array: NDArray[np.float64]) -> Feature:
    missing = np.isnan(array)
    present = array[~missing]
    if np.isinf(present).any():
        raise InputError(
            f"{told} has {int(np.isinf(present).sum()):,} infinite values; replace them by a finite number or by NaN"
        )
    return Feature(name, "number", array, missing, whole=bool(np.all(present == np.floor(present))))


def _category(name: str, listed: list[str | None], missing: NDArray[np.bool_]) -> Feature:
    # A dictionary finds the distinct values of a million strings ten times faster than sorting them does.
    found = sorted({value for value in listed if value is not None})
    table: dict[str | None, int] = {value: number for number, value in enumerate(found)}
    table[None] = -1
    codes = np.fromiter(map(table.__getitem__, listed), dtype=np.int64, count=len(listed))
    return Feature(name, "category", codes, missing, tuple(found))


def _is_missing(value: Any) -> bool:
    if value is None or type(value).__name__ in {"NAType", "NaTType"}:
        return True
    return isinstance(value, (float, np.floating, np.datetime64)) and bool(value != value)  # NaN and NaT
