"""Sets of classes: which there are, where each stands, and what becomes of them when the set changes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segue.errors import InputError
from segue.flips.checks import class_column

ClassMap = Mapping[Any, Any]
SHOWN = 5


def class_set(classes: Any, name: str = "classes") -> NDArray[Any]:
    """Return a set of classes in ascending order.

    Args:
        classes: The classes, integers or strings, each once or more often, ``(m,)``.
        name: What the caller calls them.

    Returns:
        Each class once, ``(classes,)``.

    Raises:
        InputError: If they are no classes, or fewer than two.

    Example:
        >>> class_set(["dog", "cat", "dog"]).tolist()
        ['cat', 'dog']
    """
    found = np.unique(class_column(classes, name))
    if len(found) < 2:
        raise InputError(f"{name} holds a single class ({found[0]!s}); there must be two at least")
    return found


def positions(values: NDArray[Any], classes: NDArray[Any], name: str, remedy: str) -> NDArray[np.int64]:
    """Return where each value stands among the classes.

    Args:
        values: Classes, ``(n,)``.
        classes: The known classes in ascending order, ``(classes,)``.
        name: What the caller calls the values.
        remedy: What to do about values that are none of them.

    Returns:
        Positions in ``classes``, ``(n,)``.

    Raises:
        InputError: If a value is none of the classes, or of another type.

    Example:
        >>> positions(np.array([7, 3, 7]), np.array([3, 7]), "answers", "correct them").tolist()
        [1, 0, 1]
    """
    if (values.dtype.kind == "U") != (classes.dtype.kind == "U"):
        held, known = ("strings", "integers") if values.dtype.kind == "U" else ("integers", "strings")
        raise InputError(f"{name} holds {held} but the known classes are {known}; write both in the same way")
    found = np.searchsorted(classes, values).clip(max=len(classes) - 1)
    strangers = np.unique(values[classes[found] != values])
    if len(strangers):
        raise InputError(
            f"{name} holds {_listed(strangers)}, which {'is' if len(strangers) == 1 else 'are'} none of the "
            f"{len(classes):,} known classes ({_listed(classes)}); {remedy}"
        )
    return found.astype(np.int64)


def targets(class_map: ClassMap, classes: NDArray[Any]) -> dict[Any, list[Any]]:
    """Return what each class becomes.

    Args:
        class_map: The new class of each old class, or a list of them where it was split; an empty list where it is
            gone.
        classes: The old classes, ``(classes,)``.

    Returns:
        A list of new classes for each old class.

    Raises:
        InputError: If the map is no mapping, lacks a class, or names one that does not exist.
    """
    if not isinstance(class_map, Mapping) or not class_map:
        raise InputError("class_map must be a mapping {old class: new class or list of new classes} and not empty")
    known = set(classes.tolist())
    missing = [value for value in classes.tolist() if value not in class_map]
    if missing:
        raise InputError(
            f"class_map lacks {_listed(missing)}; map every old class to a new one, or to [] if it is gone"
        )
    strangers = [value for value in class_map if value not in known]
    if strangers:
        raise InputError(
            f"class_map names {_listed(strangers)}, which the old classes ({_listed(classes)}) do not hold; remove "
            f"{'it' if len(strangers) == 1 else 'them'} or correct the spelling"
        )
    return {value: list(several(class_map[value])) for value in classes.tolist()}


def several(value: Any) -> Iterable[Any]:
    """Return a class, or a list of them, as a list."""
    return value if isinstance(value, Sequence) and not isinstance(value, (str, bytes)) else (value,)


def _listed(values: Any) -> str:
    shown = (
        [repr(value) for value in list(values)[:SHOWN]]
        if isinstance(values, list)
        else [repr(value) for value in values[:SHOWN].tolist()]
    )
    return ", ".join(shown) + (", ..." if len(values) > SHOWN else "")
