"""From what two models said to who was right: hard answers, probabilities, thresholded scores, class maps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segue.errors import InputError
from segue.flips.checks import as_array, class_column, counted, refuse_missing, same_length, values_of

ClassMap = Mapping[Any, Any]
Thresholds = float | tuple[float, float]


@dataclass(frozen=True)
class Predictions:
    """One model's answers.

    Attributes:
        answers: The class that it chose for each sample, ``(n,)``.
        probabilities: Its probability of each class, ``(n, classes)``, where it gave probabilities or logits.
        classes: The class of each column of ``probabilities``, ``(classes,)``.
        named: The classes that it may answer, where the caller or the model names them.
        notes: What the reader of the report should know of how they were read.
    """

    answers: NDArray[Any]
    probabilities: NDArray[np.float64] | None = None
    classes: NDArray[Any] | None = None
    notes: tuple[str, ...] = ()
    named: NDArray[Any] | None = None

    @property
    def confidence(self) -> NDArray[np.float64] | None:
        """Probability of the chosen class, ``(n,)``, where known."""
        if self.probabilities is None:
            return None
        return self.probability_of(self.answers)

    def probability_of(self, wanted: NDArray[Any]) -> NDArray[np.float64] | None:
        """Probability of one class per sample, ``(n,)``; 0 where the model does not know the class.

        Args:
            wanted: The class asked for, ``(n,)``.

        Returns:
            The probabilities, or ``None`` where the model gave none.
        """
        if self.probabilities is None or self.classes is None:
            return None
        order = np.argsort(self.classes)
        position = np.searchsorted(self.classes, wanted, sorter=order).clip(max=len(order) - 1)
        column = order[position]
        known = self.classes[column] == wanted
        return np.where(known, self.probabilities[np.arange(len(wanted)), column], 0.0)


@dataclass(frozen=True)
class Judged:
    """Both models' answers beside the truth.

    Attributes:
        labels: The truth, ``(n,)``.
        old: The old model's answers in its own words, ``(n,)``.
        new: The new model's answers, ``(n,)``.
        old_right: Whether the old answer is right, ``(n,)``.
        new_right: Whether the new answer is right, ``(n,)``.
        same: Whether both answers mean the same, ``(n,)``.
        old_confidence: Probability that the old model gave its answer, ``(n,)``, where known.
        new_confidence: Probability that the new model gave its answer, ``(n,)``, where known.
        severity: On negative flips, how far the new model's probability of its answer exceeds that of the label,
            0 elsewhere, ``(n,)``; where known.
        notes: What the reader of the report should know of how the answers were read.
    """

    labels: NDArray[Any]
    old: NDArray[Any]
    new: NDArray[Any]
    old_right: NDArray[np.bool_]
    new_right: NDArray[np.bool_]
    same: NDArray[np.bool_]
    old_confidence: NDArray[np.float64] | None = None
    new_confidence: NDArray[np.float64] | None = None
    severity: NDArray[np.float64] | None = None
    notes: tuple[str, ...] = field(default=())


def judge(
    labels: NDArray[Any],
    old: Predictions,
    new: Predictions,
    class_map: ClassMap | None = None,
) -> Judged:
    """Say who was right.

    Args:
        labels: The truth in the new model's classes, ``(n,)``.
        old: The old model's answers.
        new: The new model's answers.
        class_map: What each old class is called now: a class, or several where it was split. An old answer is right
            when the label is among the classes it maps to, and agrees with the new answer when that one is.

    Returns:
        Both models' answers beside the truth.

    Raises:
        InputError: If lengths or types differ, the class sets have nothing in common, or an old answer is missing
            from the class map.
    """
    same_length({"labels": labels, "old": old.answers, "new": new.answers})
    _same_type(labels, new.answers, "labels", "new", "")
    notes = old.notes + new.notes
    if class_map is None:
        _same_type(labels, old.answers, "labels", "old", "; or pass class_map={old class: new class}")
        _refuse_strangers(labels, old, "old")
        _refuse_strangers(labels, new, "new")
        old_right, same = old.answers == labels, old.answers == new.answers
        if old.classes is not None and new.classes is not None and set(old.classes) != set(new.classes):
            _refuse_other_classes(old.classes, new.classes)
    else:
        _refuse_strangers(labels, new, "new")
        old_right, same, more = _through_map(labels, old.answers, new.answers, class_map)
        notes += more
    new_right = new.answers == labels
    severity = None
    chosen = new.confidence
    of_label = new.probability_of(labels)
    if chosen is not None and of_label is not None:
        severity = np.where(old_right & ~new_right, np.clip(chosen - of_label, 0.0, 1.0), 0.0)
    return Judged(
        labels, old.answers, new.answers, old_right, new_right, same, old.confidence, new.confidence, severity, notes
    )


def read_predictions(
    values: Any, name: str, classes: Sequence[Any] | None = None, threshold: float | None = None
) -> Predictions:
    """Read one model's output.

    Args:
        values: Hard answers ``(n,)`` (integers or strings), scores of the positive class ``(n,)`` with a threshold,
            or probabilities or logits ``(n, classes)``.
        name: What the caller calls them.
        classes: The class of each column of probabilities, by default 0, 1, ...; or all that hard answers may be.
        threshold: Scores at or above it are answer 1. Required for scores ``(n,)``.

    Returns:
        The answers; see :func:`as_probabilities` for what is taken for probabilities and what for logits.

    Raises:
        InputError: If the array has another shape, missing values, or columns or answers that do not match the
            classes.
    """
    array = as_array(values, name)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim == 1:
        if threshold is None:
            return _from_answers(class_column(array, name), name, classes)
        return _from_scores(array, name, threshold, classes)
    if array.ndim != 2:
        raise InputError(f"{name} has shape {array.shape}; pass answers (n,) or probabilities (n, classes)")
    if threshold is not None:
        raise InputError(
            f"thresholds were given but {name} has shape {array.shape}; thresholds belong to scores of one class, (n,)"
        )
    if array.dtype.kind not in "fiu":
        raise InputError(f"{name} has shape {array.shape} and type {array.dtype}; probabilities and logits are numbers")
    return _from_matrix(array.astype(np.float64), name, classes)


def _from_answers(answers: NDArray[Any], name: str, classes: Sequence[Any] | None) -> Predictions:
    if classes is None:
        return Predictions(answers)
    named = class_column(classes, "classes")
    same_kind = (answers.dtype.kind == "U") == (named.dtype.kind == "U")
    strange = np.setdiff1d(answers, named) if same_kind else np.unique(answers)
    if len(strange):
        raise InputError(
            f"{name} answers {', '.join(map(str, strange[:3].tolist()))}{', ...' if len(strange) > 3 else ''}, which "
            f"its classes don't name; name every class that it may answer, or leave the classes of hard answers out"
        )
    return Predictions(answers, named=named)


def _from_scores(array: NDArray[Any], name: str, threshold: float, classes: Sequence[Any] | None) -> Predictions:
    if array.dtype.kind not in "fiub":
        raise InputError(f"{name} holds {values_of(array)}, which are no scores; leave out thresholds for answers")
    scores = array.astype(np.float64)
    refuse_missing(np.isnan(scores), name)
    if classes is not None and len(classes) != 2:
        raise InputError(f"thresholds are for two classes but classes names {len(classes)}; pass probabilities (n, k)")
    names = np.array([0, 1] if classes is None else list(classes))
    named = None if classes is None else names
    answers = names[(scores >= threshold).astype(np.int64)]
    if scores.min() < 0 or scores.max() > 1:
        return Predictions(answers, named=named)
    # Beyond the threshold a score is no longer the probability that separates the classes: it is kept as it is.
    return Predictions(answers, np.column_stack([1 - scores, scores]), names, named=named)


def _from_matrix(matrix: NDArray[np.float64], name: str, classes: Sequence[Any] | None) -> Predictions:
    refuse_missing(~np.asarray(np.isfinite(matrix).all(axis=1)), f"{name} (rows with NaN or infinity)")
    columns = matrix.shape[1]
    if columns == 0:
        raise InputError(f"{name} has no columns; pass one column per class")
    names = np.arange(columns) if classes is None else np.array(list(classes))
    if len(names) != columns:
        raise InputError(
            f"{name} has {counted(columns, 'column')} but {counted(len(names), 'class')} "
            f"{'is' if len(names) == 1 else 'are'} named; pass one class per column, in order"
        )
    if len(np.unique(names)) != columns:
        raise InputError(f"the classes of {name} name a class twice; every column is a class of its own")
    best = matrix.max(axis=1, keepdims=True)
    chosen = matrix.argmax(axis=1)
    ties = int(((matrix == best).sum(axis=1) > 1).sum())
    notes = (
        (
            f"{name}: {ties:,} of {len(matrix):,} rows {'has' if ties == 1 else 'have'} two classes at the top; the "
            f"first column was taken",
        )
        if ties
        else ()
    )
    probabilities, more = as_probabilities(matrix, name)
    return Predictions(names[chosen], probabilities, names, notes + more, None if classes is None else names)


def as_probabilities(matrix: NDArray[np.float64], name: str) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """Return the probabilities that a model's output stands for.

    Numbers in [0, 1] whose rows sum to about 1 (within a tenth for most rows, within a half for all: rounding loses
    much where classes are many) are probabilities, and are scaled to sum to 1; anything else is logits. Numbers in
    [0, 1] with other sums could be either, and that is noted.

    Args:
        matrix: Probabilities or logits, ``(n, classes)``.
        name: What the caller calls them.

    Returns:
        Probabilities, ``(n, classes)``, and what to note.
    """
    sums = matrix.sum(axis=1, keepdims=True)
    off = np.abs(sums - 1)
    within = bool((matrix >= 0).all() and (matrix <= 1).all())
    if within and float(np.median(off)) <= 0.1 and float(off.max()) <= 0.5:
        return matrix / sums, ()
    raised = np.exp(matrix - matrix.max(axis=1, keepdims=True))
    odd = int((off > 0.05).sum())
    note = (
        f"{name}: all values lie in [0, 1] but {odd:,} of {len(matrix):,} rows {'does' if odd == 1 else 'do'} not sum "
        f"to 1; read as logits"
    )
    return raised / raised.sum(axis=1, keepdims=True), (note,) if within else ()


def _through_map(
    labels: NDArray[Any], old: NDArray[Any], new: NDArray[Any], class_map: ClassMap
) -> tuple[NDArray[np.bool_], NDArray[np.bool_], tuple[str, ...]]:
    # Returns whether the old answers are right, whether they agree with the new ones, and what to note.
    if not isinstance(class_map, Mapping) or not class_map:
        raise InputError("class_map must be a mapping {old class: new class or list of new classes} and not empty")
    targets = {key: list(_several(value)) for key, value in class_map.items()}
    known = set(targets)
    answered, position = np.unique(old, return_inverse=True)
    unmapped = [value for value in answered.tolist() if value not in known]
    if unmapped:
        raise InputError(
            f"class_map lacks {len(unmapped)} of the old model's answers ({', '.join(map(repr, unmapped[:5]))}"
            f"{', ...' if len(unmapped) > 5 else ''}); map every old class to a new one, or to [] if it is gone"
        )
    wanted = np.unique(np.concatenate([labels, new]))
    allowed = np.zeros((len(answered), len(wanted)), dtype=bool)
    place = {value: index for index, value in enumerate(wanted.tolist())}
    for row, value in enumerate(answered.tolist()):
        for target in targets[value]:
            if target in place:
                allowed[row, place[target]] = True
    reachable = {target for several in targets.values() for target in several}
    if not reachable & set(np.unique(labels).tolist()):
        raise InputError(
            f"class_map leads to {', '.join(map(repr, sorted(reachable, key=str)[:5]))}, none of which is a label; "
            f"map old classes to the classes that the labels use"
        )
    old_right = allowed[position, np.searchsorted(wanted, labels)]
    same = allowed[position, np.searchsorted(wanted, new)]
    grown = [value for value in np.unique(labels).tolist() if value not in reachable]
    if not grown:
        return old_right, same, ()
    samples = int(np.isin(labels, grown).sum())
    told = f"{', '.join(map(str, grown[:5]))}{', ...' if len(grown) > 5 else ''}"
    note = (
        f"{samples:,} {'sample has' if samples == 1 else 'samples have'} a label that the old model does not know "
        f"({told}): it can't be right on those, so they can't be negative flips; rates among known classes stand in "
        f"the slice 'label known to old'"
    )
    return old_right, same, (note,)


def known_to_old(labels: NDArray[Any], class_map: ClassMap) -> NDArray[np.str_] | None:
    """Say for every sample whether the old model could have known its label.

    Args:
        labels: The truth, ``(n,)``.
        class_map: What each old class is called now.

    Returns:
        ``"yes"`` or ``"no"`` per sample, ``(n,)``; ``None`` where all labels are known.
    """
    reachable = [target for value in class_map.values() for target in _several(value)]
    known = np.isin(labels, np.unique(np.array(reachable)))
    return None if known.all() else np.where(known, "yes", "no")


def _several(value: Any) -> Iterable[Any]:
    return value if isinstance(value, (list, tuple, set, frozenset, np.ndarray)) else [value]


def _same_type(first: NDArray[Any], second: NDArray[Any], one: str, other: str, or_else: str) -> None:
    kinds = {"U": "strings", "i": "integers", "u": "integers", "b": "integers"}
    a, b = kinds[first.dtype.kind], kinds[second.dtype.kind]
    if a != b:
        raise InputError(
            f"{one} holds {a} ({first[0]!s}, ...) but {other} holds {b} ({second[0]!s}, ...); "
            f"write both in the same way{or_else}"
        )


def _refuse_strangers(labels: NDArray[Any], model: Predictions, name: str) -> None:
    # Answers that share no class with the labels are another vocabulary, not a very bad model; unless the model is
    # known to have labels among its classes.
    used, asked = np.unique(model.answers), np.unique(labels)
    if model.named is not None and np.isin(asked, model.named).any():
        return
    enough_to_tell = len(labels) >= 20 and len(used) > 1 and len(asked) > 1
    if enough_to_tell and not np.isin(used, asked).any():
        raise InputError(
            f"no answer of {name} ({', '.join(map(str, used[:3]))}, ...) is ever a label "
            f"({', '.join(map(str, asked[:3]))}, ...); the classes have other names: pass class_map or rename them"
        )


def _refuse_other_classes(old: NDArray[Any], new: NDArray[Any]) -> None:
    more = [value for value in new.tolist() if value not in set(old.tolist())]
    less = [value for value in old.tolist() if value not in set(new.tolist())]
    told = [
        f"{len(values)} that {which} lacks ({', '.join(map(str, values[:3]))}{', ...' if len(values) > 3 else ''})"
        for values, which in ((more, "old"), (less, "new"))
        if values
    ]
    raise InputError(
        f"old knows {len(old)} classes and new {len(new)}, with {' and '.join(told)}; pass class_map={{old class: "
        f"new class}} to say which old class is which new one"
    )
