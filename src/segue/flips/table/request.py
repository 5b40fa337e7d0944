"""What the user asks of a comparison of tables: which columns, and how to treat what is not as it should be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Literal, get_args

from segue.errors import InputError

Missing = Literal["refuse", "drop"]
Nulls = Literal["refuse", "wrong", "drop"]
Duplicates = Literal["refuse", "merge"]
LabelsDisagree = Literal["refuse", "old", "new"]


@dataclass(frozen=True, slots=True)
class Treatment:
    """What to do with samples that are not as they should be; by default the comparison is refused.

    Attributes:
        missing: Samples that one file lacks, and rows without an id: ``"drop"`` compares what both files have.
        nulls: Rows without an answer or a label: ``"wrong"`` counts a missing answer as a wrong one (a missing label
            is still refused), ``"drop"`` leaves such samples out.
        duplicates: Several rows with one id: ``"merge"`` counts rows once that are the same in every column that is
            read; different rows with the same id are still refused.
        labels_disagree: Samples whose label differs between the files: take the ``"old"`` or the ``"new"`` file's.
    """

    missing: Missing = "refuse"
    nulls: Nulls = "refuse"
    duplicates: Duplicates = "refuse"
    labels_disagree: LabelsDisagree = "refuse"

    def __post_init__(self) -> None:
        """Check the choices.

        Raises:
            InputError: If a choice is none of those offered.
        """
        offered = {"missing": Missing, "nulls": Nulls, "duplicates": Duplicates, "labels_disagree": LabelsDisagree}
        for name in (part.name for part in fields(self)):
            choices = get_args(offered[name])
            if getattr(self, name) not in choices:
                raise InputError(f"{name} is {getattr(self, name)!r}; pass one of {', '.join(map(repr, choices))}")


@dataclass(frozen=True)
class Request:
    """The columns of a comparison, by the user's names.

    Attributes:
        id: Column with the samples' ids, for the old and the new table; ``None`` for one table without ids.
        answers: Columns with the old and the new model's answers or scores.
        label: Columns with the labels in the old and the new table, either of which may lack it; ``None`` for scores.
        slices: Columns to break the rates down by.
        weights: Column with sample weights.
        groups: Column with the patient, customer or the like that a sample comes from.
        columns: Further columns to show with flipped samples.
        class_map: What each old class is called now.
        treatment: What to do with samples that are not as they should be.
    """

    id: tuple[str, str] | None
    answers: tuple[str, str]
    label: tuple[str, str] | None
    slices: Sequence[str] = ()
    weights: str | None = None
    groups: str | None = None
    columns: Sequence[str] = ()
    class_map: Mapping[Any, Any] | None = None
    treatment: Treatment = field(default_factory=Treatment)


class WrittenMap(dict[str, Any]):
    """A class map from a JSON or TOML file, where keys are text: its classes are read in the types of the columns."""


def pair(value: Any, name: str) -> tuple[str, str]:
    """Return a column's name in the old and the new table.

    Args:
        value: One name for both, or a pair of names.
        name: What the argument is called.

    Returns:
        Both names.

    Raises:
        InputError: If it is neither.
    """
    if isinstance(value, str):
        return value, value
    if isinstance(value, Sequence) and len(value) == 2 and all(isinstance(part, str) for part in value):
        return value[0], value[1]
    raise InputError(f"{name} is {value!r}; pass a column's name, or one for the old and one for the new model")


def answer_columns(value: Any, name: str, *, joined: bool) -> tuple[str, str]:
    """Return the columns with the old and the new model's answers or scores.

    Args:
        value: One name for both, or a pair of names.
        name: What the argument is called.
        joined: Whether there are two tables, whose columns may have the same name.

    Returns:
        Both names.

    Raises:
        InputError: If one table has the same column for both.
    """
    found = pair(value, name)
    if not joined and found[0] == found[1]:
        raise InputError(
            f"there is one table, but {name} names one column ({found[0]!r}); pass the second table, or name the "
            f"columns of the old and the new model"
        )
    return found


def several(value: Any, name: str) -> tuple[str, ...]:
    """Return a list of columns' names without repetitions.

    Args:
        value: A list of names.
        name: What the argument is called.

    Returns:
        The names.

    Raises:
        InputError: If it is no list of names.
    """
    if isinstance(value, str):
        return (value,)
    if not isinstance(value, Sequence) or not all(isinstance(part, str) for part in value):
        raise InputError(f"{name} is {value!r}; pass a list of columns' names")
    return tuple(dict.fromkeys(value))
