"""Conditions on columns and their conjunctions: ``age >= 62 and region = "north"``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segue.errors import InputError
from segue.flips.discovery.features import Feature, read_feature

Value = float | int | str


@dataclass(frozen=True)
class Equals:
    """The column has one value: a category (booleans are ``"True"`` and ``"False"``) or a number."""

    column: str
    value: Value

    def __str__(self) -> str:
        """Return ``region = "north"``."""
        return f"{self.column} = {_text(self.value)}"

    def holds(self, feature: Feature) -> NDArray[np.bool_]:
        """Return for every sample of the column whether it has the value, ``(n,)``; never where it is missing."""
        if feature.kind == "category":
            number: float = feature.labels.index(str(self.value)) if str(self.value) in feature.labels else -2
        else:
            number = _number(feature, self.value)
        holds: NDArray[np.bool_] = (feature.values == number) & ~feature.missing
        return holds

    def to_dict(self) -> dict[str, Any]:
        """Return the condition by name."""
        return {"column": self.column, "equals": self.value}


@dataclass(frozen=True)
class Between:
    """The column lies in ``[low, high)``; an end that is ``None`` is open. Dates are ISO 8601 strings."""

    column: str
    low: Value | None
    high: Value | None

    def __str__(self) -> str:
        """Return ``age >= 62``, ``age < 70`` or ``62 <= age < 70``."""
        if self.high is None:
            return f"{self.column} >= {_plain(self.low)}"
        if self.low is None:
            return f"{self.column} < {_plain(self.high)}"
        return f"{_plain(self.low)} <= {self.column} < {_plain(self.high)}"

    def holds(self, feature: Feature) -> NDArray[np.bool_]:
        """Return for every sample whether its value is in the range, ``(n,)``; never where it is missing.

        Args:
            feature: The column.

        Returns:
            One truth value per sample.

        Raises:
            InputError: If the column holds categories, which have no order.
        """
        inside = ~feature.missing
        if feature.kind == "category":
            raise InputError(
                f"columns[{self.column!r}] holds categories; the condition '{self}' needs an ordered column"
            )
        with np.errstate(invalid="ignore"):
            if self.low is not None:
                inside = inside & (feature.values >= _number(feature, self.low))
            if self.high is not None:
                inside = inside & (feature.values < _number(feature, self.high))
        return inside

    def to_dict(self) -> dict[str, Any]:
        """Return the condition by name."""
        return {"column": self.column, "low": self.low, "high": self.high}


@dataclass(frozen=True)
class IsMissing:
    """The column has no value."""

    column: str

    def __str__(self) -> str:
        """Return ``income is missing``."""
        return f"{self.column} is missing"

    def holds(self, feature: Feature) -> NDArray[np.bool_]:
        """Return for every sample of the column whether its value is missing, ``(n,)``."""
        return feature.missing.copy()

    def to_dict(self) -> dict[str, Any]:
        """Return the condition by name."""
        return {"column": self.column, "missing": True}


Condition = Equals | Between | IsMissing


@dataclass(frozen=True)
class Conjunction:
    """All of its conditions hold.

    Example:
        >>> slice_ = Conjunction((Between("age", 62, None), Equals("region", "north")))
        >>> print(slice_)
        age >= 62 and region = "north"
        >>> slice_.mask({"age": [70, 30, None], "region": ["north", "north", "north"]}).tolist()
        [True, False, False]
    """

    conditions: tuple[Condition, ...]

    def __str__(self) -> str:
        """Return the conditions joined by ``and``."""
        return " and ".join(str(condition) for condition in self.conditions)

    def mask(self, columns: Mapping[str, Any]) -> NDArray[np.bool_]:
        """Tell which samples of a table lie in the slice.

        Args:
            columns: A mapping from names to columns ``(n,)``, or a data frame; others than the conditions' are ignored.

        Returns:
            One truth value per sample, ``(n,)``.

        Raises:
            InputError: If a column is absent or can't be understood, or the columns differ in length.
        """
        inside: NDArray[np.bool_] | None = None
        for condition in self.conditions:
            if condition.column not in columns:
                raise InputError(f"columns has no {condition.column!r}, which the slice '{self}' asks for")
            samples = None if inside is None else len(inside)
            holds = condition.holds(read_feature(condition.column, columns[condition.column], samples))
            inside = holds if inside is None else inside & holds
        if inside is None:
            raise InputError("the slice has no condition; it needs at least one")
        return inside

    def to_dict(self) -> dict[str, Any]:
        """Return the text and the conditions, ready for JSON."""
        return {"text": str(self), "conditions": [condition.to_dict() for condition in self.conditions]}


def _number(feature: Feature, value: Value) -> float | int:
    if feature.kind == "date":
        return int(np.datetime64(str(value)).astype(feature.unit).astype(np.int64))
    return float(value)


def _text(value: Value) -> str:
    return f'"{value}"' if isinstance(value, str) else _plain(value)


def _plain(value: Value | None) -> str:
    return f"{value:.15g}" if isinstance(value, float) else str(value)
