"""Reading what a caller passes to a store: ids, answers, priors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segue.congruent.decisions.class_sets import positions
from segue.errors import InputError
from segue.flips.checks import class_column, same_index, same_length, unique_ids


def read_answers(ids: Any, answers: Any, classes: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Read the ids of samples and a model's answers on them.

    Args:
        ids: The samples' names, ``(n,)``.
        answers: The answers, ``(n,)``.
        classes: The known classes in ascending order, ``(classes,)``.

    Returns:
        The names, and the positions of the answers among the classes.

    Raises:
        InputError: If ids repeat, values are missing, lengths or orders differ, or an answer is none of the classes.
    """
    same_index({"ids": ids, "answers": answers})
    names = unique_ids(ids, len(ids) if hasattr(ids, "__len__") else 0)
    if names.ndim != 1 or names.dtype.kind not in "iuU":
        raise InputError(f"ids has shape {names.shape} and type {names.dtype}; pass one integer or string per sample")
    said = class_column(answers, "answers")
    same_length({"ids": names, "answers": said})
    remedy = "correct them, or tell the store of its new classes with change_classes()"
    return names, positions(said, classes, "answers", remedy)


def log_prior(prior: Mapping[Any, float] | None, classes: NDArray[Any]) -> NDArray[np.float64]:
    """Return ``log p(true class)``.

    Args:
        prior: How frequent each class is, in any unit; all equally where ``None``.
        classes: The classes, ``(classes,)``.

    Returns:
        Natural logarithms of frequencies that sum to 1, ``(classes,)``.

    Raises:
        InputError: If a class is missing, unknown, or its frequency is not above 0.
    """
    if prior is None:
        return np.full(len(classes), -np.log(len(classes)))
    if not isinstance(prior, Mapping) or set(prior) != set(classes.tolist()):
        raise InputError("prior must be a mapping with the frequency of every class, and of no other")
    shares = np.array([float(prior[name]) for name in classes.tolist()])
    if not (np.isfinite(shares).all() and (shares > 0).all()):
        raise InputError("prior has a frequency that is not above 0; a class without any could never be believed")
    logs: NDArray[np.float64] = np.log(shares / shares.sum())
    return logs


def one_vote(said: NDArray[np.int64], classes: int) -> NDArray[np.uint16]:
    """Return a table with a 1 at each sample's answer, ``(n, classes)``."""
    votes = np.zeros((len(said), classes), dtype=np.uint16)
    votes[np.arange(len(said)), said] = 1
    return votes


def some(values: NDArray[Any], most: int = 3) -> str:
    """Return the first few values, for a message."""
    return ", ".join(repr(value) for value in values[:most].tolist()) + (", ..." if len(values) > most else "")
