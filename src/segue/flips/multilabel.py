"""Multi-label answers: a sample is right when all its classes are; every class is also a binary task of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segue.errors import InputError
from segue.flips.answers import Judged
from segue.flips.checks import as_array, counted, refuse_missing, same_length
from segue.flips.counts import cell_of


def judge_multilabel(
    labels: NDArray[Any],
    old: Any,
    new: Any,
    classes: Sequence[Any] | None,
    thresholds: tuple[float | None, float | None],
) -> tuple[Judged, dict[str, NDArray[np.int8]]]:
    """Say which samples are wholly right, and the cell of every sample in every class.

    Args:
        labels: 0 or 1 per sample and class, ``(n, classes)``.
        old: The old model's 0/1 answers, or scores with a threshold, ``(n, classes)``.
        new: The new model's.
        classes: Names of the columns; 0, 1, ... by default.
        thresholds: The old and the new model's threshold, ``None`` for 0/1 answers.

    Returns:
        The samples (exact match of all classes), and by class name the cells ``(n,)`` of that class alone.

    Raises:
        InputError: If shapes differ, or values are neither 0/1 nor thresholded scores.
    """
    truth = _decisions(labels, "labels", None)
    both = [
        _decisions(as_array(values, name), name, at)
        for values, name, at in zip((old, new), ("old", "new"), thresholds, strict=True)
    ]
    for name, array in zip(("old", "new"), both, strict=True):
        same_length({"labels": truth, name: array})
        if array.shape != truth.shape:
            raise InputError(f"{name} has shape {array.shape} but labels has {truth.shape}; both need (n, classes)")
    names = [str(value) for value in (range(truth.shape[1]) if classes is None else classes)]
    if len(names) != truth.shape[1] or len(set(names)) != len(names):
        raise InputError(
            f"labels has {counted(truth.shape[1], 'column')} but classes names {len(set(names))} different ones"
        )
    first, second = both
    per_class = {
        name: cell_of(first[:, k] == truth[:, k], second[:, k] == truth[:, k], first[:, k] == second[:, k])
        for k, name in enumerate(names)
    }
    judged = Judged(
        labels=_told(truth, names),
        old=_told(first, names),
        new=_told(second, names),
        old_right=(first == truth).all(axis=1),
        new_right=(second == truth).all(axis=1),
        same=(first == second).all(axis=1),
        notes=(
            "multi-label: a sample is right when all of its classes are; slices 'class = ...' count that class alone",
        ),
    )
    return judged, per_class


def _decisions(array: NDArray[Any], name: str, threshold: float | None) -> NDArray[np.bool_]:
    if array.ndim != 2 or array.dtype.kind not in "biuf":
        raise InputError(
            f"{name} has shape {array.shape} and type {array.dtype}; multi-label needs numbers (n, classes)"
        )
    if array.dtype.kind == "f":
        refuse_missing(np.isnan(array).any(axis=1), f"{name} (rows)")
    if threshold is not None:
        above: NDArray[np.bool_] = array >= threshold
        return above
    if not np.isin(array, (0, 1)).all():
        raise InputError(f"{name} holds values other than 0 and 1; pass thresholds=(old, new) for scores")
    return array.astype(bool)


def _told(decisions: NDArray[np.bool_], names: list[str]) -> NDArray[np.str_]:
    # Each row becomes its classes joined by "+".
    rows, which = np.unique(decisions, axis=0, return_inverse=True)
    told = ["+".join(name for name, yes in zip(names, row, strict=True) if yes) or "(none)" for row in rows.tolist()]
    return np.array(told, dtype=np.str_)[which.reshape(-1)]
