"""Reading a caller's arrays: what is wrong with them is said in one sentence."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segue.errors import InputError

MISSING = "(missing)"


def as_array(values: Any, name: str) -> NDArray[Any]:
    """Return what the caller passed as a numpy array.

    Lists, numpy arrays, pandas and polars columns and torch tensors (on any device) are understood.

    Args:
        values: The caller's values.
        name: What the caller calls them.

    Returns:
        The array.

    Raises:
        InputError: If they are not array-like, ragged, or empty.
    """
    if values is None:
        raise InputError(f"{name} is None; pass one value per sample")
    if isinstance(values, (str, bytes, Mapping, set, frozenset)):
        raise InputError(f"{name} is a {type(values).__name__}; pass a list or an array with one value per sample")
    if hasattr(values, "detach"):
        values = values.detach().cpu().numpy()
    try:
        array = np.asarray(values)
        if array.dtype.kind in "US" and not hasattr(values, "dtype"):
            # numpy would write the NaN and the numbers of a list of strings as words
            array = np.asarray(values, dtype=object)
    except (ValueError, TypeError) as error:
        raise InputError(f"{name} can't be read as an array: {error}") from error
    if array.ndim == 0:
        raise InputError(f"{name} is a single {type(values).__name__}; pass one value per sample")
    if len(array) == 0:
        raise InputError(f"{name} is empty; there is nothing to compare")
    return array


def class_column(values: Any, name: str) -> NDArray[Any]:
    """Return a column of classes, ``(n,)``: integers, booleans or strings.

    Args:
        values: The caller's values.
        name: What the caller calls them.

    Returns:
        An array of dtype integer, bool or str.

    Raises:
        InputError: If values are missing, fractional, of mixed type, or not one-dimensional.
    """
    array = as_array(values, name)
    if array.ndim != 1:
        raise InputError(f"{name} has shape {array.shape}; pass one class per sample, shape (n,)")
    if array.dtype.kind in "iu":
        return array
    if array.dtype.kind == "b":
        return array.astype(np.int64)
    if array.dtype.kind in "UT":
        return np.array(array.tolist(), dtype=np.str_) if array.dtype.kind == "T" else array.astype(np.str_)
    if array.dtype.kind == "f":
        refuse_missing(np.isnan(array), name)
        raise InputError(
            f"{name} holds floating-point numbers ({array[0]:g}, ...), which are no classes; pass integers or "
            f"strings, scores with thresholds=(old, new), or graded scores to compare_scores()"
        )
    if array.dtype.kind == "O":
        refuse_missing(missing_values(array), name)
        kinds = {"string" if isinstance(value, str) else type(value).__name__ for value in array.tolist()}
        if kinds == {"string"}:
            return array.astype(np.str_)
        if kinds <= {"int", "bool", "bool_"} or all(kind.startswith(("int", "uint")) for kind in kinds):
            try:
                return array.astype(np.int64)
            except OverflowError:
                raise InputError(
                    f"{name} holds integers beyond 64 bits ({max(array.tolist(), key=abs)}); pass them as strings"
                ) from None
        raise InputError(f"{name} holds values of type {', '.join(sorted(kinds))}; pass all integers or all strings")
    raise InputError(f"{name} holds {array.dtype} values; pass integers or strings as classes")


def refuse_missing(missing: NDArray[np.bool_], name: str) -> None:
    """Refuse an array with missing values.

    Args:
        missing: Whether each value (or each row) is missing.
        name: What the caller calls the array.

    Raises:
        InputError: If any value is missing; the sentence says how many and where the first is.
    """
    where = np.flatnonzero(missing)
    if len(where):
        raise InputError(
            f"{name} has {counted(len(where), 'missing value')} (None or NaN), first at position {where[0]}; "
            f"remove these samples from all arrays or give them a value"
        )


def same_length(arrays: Mapping[str, Sequence[Any] | NDArray[Any]]) -> int:
    """Return the common length of the caller's arrays.

    Args:
        arrays: The arrays by the caller's names for them.

    Returns:
        The number of samples.

    Raises:
        InputError: If lengths differ.
    """
    lengths = {name: len(values) for name, values in arrays.items()}
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"{name} has {length:,}" for name, length in lengths.items())
        raise InputError(f"the arrays differ in length: {told}; pass one value per sample in the same order")
    return next(iter(lengths.values()))


def same_index(columns: Mapping[str, Any]) -> None:
    """Refuse pandas columns whose indices disagree: their order, which is all that is compared, differs.

    Args:
        columns: What the caller passed, by the caller's names; whatever is no pandas column is let through.

    Raises:
        InputError: If two columns have indices of the same length that differ.
    """
    found: dict[str, NDArray[Any]] = {}
    for name, values in columns.items():
        index = getattr(values, "index", None)
        if index is not None and not callable(index) and hasattr(values, "iloc"):
            found[name] = np.asarray(index)
    for (one, first), (other, second) in itertools.pairwise(found.items()):
        if len(first) == len(second) and not np.array_equal(first, second):
            where = int(np.flatnonzero(first != second)[0]) if first.dtype == second.dtype else 0
            raise InputError(
                f"the indices of {one} and {other} differ, first at position {where} ({first[where]} and "
                f"{second[where]}); put both in the same order, or pass {other}.to_numpy() if they are"
            )


def unique_ids(values: Any, samples: int, beside: str = "labels") -> NDArray[Any]:
    """Return the samples' ids, ``(n,)``.

    Args:
        values: The caller's ids.
        samples: How many there must be.
        beside: The array that there is one for each value of, as the caller calls it.

    Returns:
        The ids.

    Raises:
        InputError: If ids are missing or occur twice, or their number is wrong.
    """
    ids = as_array(values, "ids")
    same_length({beside: range(samples), "ids": ids})
    refuse_missing(missing_values(ids), "ids")
    if ids.dtype.kind == "O":
        ids = ids.astype(np.str_)
    found, counts = np.unique(ids, return_counts=True)
    twice = found[counts > 1]
    if len(twice):
        examples = ", ".join(repr(value) for value in twice[:3].tolist())
        raise InputError(
            f"ids repeats {counted(len(twice), 'value')} ({examples}"
            f"{', ...' if len(twice) > 3 else ''}); every sample needs an id of its own"
        )
    return ids


def sample_weights(values: ArrayLike | None, samples: int, beside: str = "labels") -> NDArray[np.float64] | None:
    """Return the sample weights, ``(n,)``, or ``None``.

    Args:
        values: The caller's weights.
        samples: How many there must be.
        beside: The array that there is one for each value of, as the caller calls it.

    Returns:
        The weights as floats.

    Raises:
        InputError: If a weight is negative, missing or infinite, or all are zero.
    """
    if values is None:
        return None
    array = as_array(values, "weights")
    same_length({beside: range(samples), "weights": array})
    if array.ndim != 1 or array.dtype.kind not in "iufb":
        raise InputError(f"weights has shape {array.shape} and type {array.dtype}; pass one number per sample")
    weights = array.astype(np.float64)
    bad = ~np.isfinite(weights) | (weights < 0)
    if bad.any():
        first = int(np.flatnonzero(bad)[0])
        raise InputError(
            f"weights has {counted(int(bad.sum()), 'value')} below zero, NaN or infinite, first at position "
            f"{first} ({weights[first]:g}); pass finite weights of zero or more"
        )
    if not weights.any():
        raise InputError("weights are all zero; at least one sample must count")
    return weights


def group_numbers(values: ArrayLike | None, samples: int, beside: str = "labels") -> NDArray[np.int64] | None:
    """Return the number of each sample's group, ``(n,)``, or ``None``.

    Args:
        values: The caller's groups: any values, equal within a group.
        samples: How many there must be.
        beside: The array that there is one for each value of, as the caller calls it.

    Returns:
        Numbers from 0.

    Raises:
        InputError: If a group is missing, or all samples are in one group.
    """
    if values is None:
        return None
    array = as_array(values, "groups")
    same_length({beside: range(samples), "groups": array})
    if array.ndim != 1:
        raise InputError(f"groups has shape {array.shape}; pass one group per sample, shape (n,)")
    refuse_missing(missing_values(array), "groups")
    names, numbers = np.unique(array.astype(np.str_) if array.dtype.kind == "O" else array, return_inverse=True)
    if len(names) < 2:
        raise InputError("groups holds a single group; intervals between groups need at least two")
    return numbers.astype(np.int64)


def slice_columns(values: Any, samples: int, beside: str = "labels") -> dict[str, NDArray[Any]]:
    """Return the slice columns by name.

    Args:
        values: A mapping from names to arrays ``(n,)``, or a pandas or polars data frame; ``None`` for none.
        samples: How many values each column must have.
        beside: The array that there is one for each value of, as the caller calls it.

    Returns:
        One array per column.

    Raises:
        InputError: If it is no mapping of columns, or a column has another length.
    """
    if values is None:
        return {}
    if not isinstance(values, Mapping):
        if not hasattr(values, "columns"):
            raise InputError(
                f"slices is a {type(values).__name__}; pass a mapping from column names to arrays, or a data frame"
            )
        values = {str(name): values[name] for name in values.columns}
    columns = {str(name): as_array(column, f"slices[{name!r}]") for name, column in values.items()}
    for name, column in columns.items():
        if column.ndim != 1:
            raise InputError(f"slices[{name!r}] has shape {column.shape}; pass one value per sample, shape (n,)")
        same_length({beside: range(samples), f"slices[{name!r}]": column})
    return columns


def proportion(value: float, name: str) -> float:
    """Return a number strictly between 0 and 1.

    Args:
        value: The number.
        name: What the caller calls it.

    Returns:
        The same number.

    Raises:
        InputError: If it lies outside.
    """
    try:
        inside = bool(0 < value < 1)
    except (TypeError, ValueError):
        inside = False
    if not inside:
        told = repr(value) if isinstance(value, str) else value
        raise InputError(f"{name} is {told}; pass a number between 0 and 1, such as 0.95")
    return float(value)


def seed_number(value: Any) -> int:
    """Return the seed of whatever is drawn.

    Args:
        value: The caller's seed.

    Returns:
        The same number.

    Raises:
        InputError: If it is no whole number of at least 0.
    """
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 0:
        raise InputError(f"seed is {value!r}; pass a whole number of at least 0")
    return int(value)


def missing_values(array: NDArray[Any]) -> NDArray[np.bool_]:
    """Return which values are missing: NaN, NaT, ``None``, and pandas' NA.

    Args:
        array: Any array, ``(n,)``.

    Returns:
        One flag per value.
    """
    if array.dtype.kind == "f":
        return np.asarray(np.isnan(array))
    if array.dtype.kind in "mM":
        return np.asarray(np.isnat(array))
    if array.dtype.kind == "O":
        return np.array([_is_missing(value) for value in array.tolist()], dtype=bool)
    return np.zeros(len(array), dtype=bool)


def _is_missing(value: Any) -> bool:
    # pandas' NA is no float and answers every comparison with itself; it is known by its name, without pandas.
    return (
        value is None or type(value).__name__ in {"NAType", "NaTType"} or (isinstance(value, float) and value != value)
    )


def values_of(array: NDArray[Any]) -> str:
    """Return what an array holds in a user's words: ``text values``, ``float64 values``.

    Args:
        array: Any array.

    Returns:
        The words.
    """
    return "text values" if array.dtype.kind in "UTSO" else f"{array.dtype} values"


def in_groups(groups: int | None) -> str:
    """Return the words for grouped samples, with a warning where the groups are few; nothing for ungrouped ones.

    Args:
        groups: How many groups there are.

    Returns:
        Words to follow "1,200 samples".
    """
    if groups is None:
        return ""
    few = " (few enough that the intervals between them are rough)" if groups < 20 else ""
    return f" in {groups:,} groups{few}"


def counted(number: float, noun: str) -> str:
    """Return a number and its noun: ``1 sample``, ``1,200 samples``, ``0.5 points``.

    Args:
        number: How many, or how much.
        noun: The noun in the singular.

    Returns:
        The words.

    Example:
        >>> counted(1, "query"), counted(1200, "query"), counted(2, "class"), counted(100 * 0.01, "point")
        ('1 query', '1,200 queries', '2 classes', '1 point')
    """
    told = f"{number:g}" if isinstance(number, float) else f"{number:,}"
    several = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}es" if noun.endswith("s") else f"{noun}s"
    return f"{told} {noun if told == '1' else several}"
