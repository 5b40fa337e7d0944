"""Compare two models' answers on the same labelled samples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segue.errors import InputError
from segue.flips.answers import ClassMap, Judged, Predictions, judge, known_to_old, read_predictions
from segue.flips.assemble import assemble, fractional
from segue.flips.checks import (
    as_array,
    class_column,
    counted,
    group_numbers,
    proportion,
    same_index,
    same_length,
    sample_weights,
    slice_columns,
    unique_ids,
)
from segue.flips.counts import NEGATIVE_FLIP, POSITIVE_FLIP, Tally, cell_of
from segue.flips.discovery import discover
from segue.flips.estimators import answers_of, is_estimator, predictions_of
from segue.flips.multilabel import judge_multilabel
from segue.flips.result import FlipReport
from segue.flips.samples import FlipMatrix, FlippedSamples
from segue.flips.slices import SliceTally, slice_tallies

KNOWN = "label known to old"


def compare(
    labels: ArrayLike,
    old: Any,
    new: Any,
    *,
    ids: ArrayLike | None = None,
    slices: Mapping[str, ArrayLike] | Any | None = None,
    weights: ArrayLike | None = None,
    groups: ArrayLike | None = None,
    class_map: ClassMap | None = None,
    confidence: float = 0.95,
    classes: Sequence[Any] | None = None,
    old_classes: Sequence[Any] | None = None,
    new_classes: Sequence[Any] | None = None,
    thresholds: float | tuple[float, float] | None = None,
    inputs: Any | None = None,
    discover_slices: bool = False,
    names: tuple[str, str] = ("old", "new"),
    seed: int = 0,
) -> FlipReport:
    """Measure sample by sample what an update from an old to a new model breaks and mends.

    Args:
        labels: The truth: classes ``(n,)`` as integers or strings; or 0/1 per class, ``(n, classes)``, for
            multi-label tasks, where a sample is right when all its classes are.
        old: The old model's output on these samples: hard answers ``(n,)``; probabilities or logits
            ``(n, classes)``; scores of the positive class ``(n,)`` with ``thresholds``; a fitted scikit-learn
            estimator with ``inputs``.
        new: The new model's output, in any of these forms.
        ids: Names of the samples, ``(n,)``, each once; their positions by default.
        slices: Columns to break the rates down by, ``(n,)`` each: a mapping or a data frame.
        weights: Sample weights, ``(n,)``, finite and not negative.
        groups: Which patient or customer each sample comes from, ``(n,)``: samples of a group are not taken for
            independent.
        class_map: What each old class is called now, where the class sets differ: ``{"cat": "cat", "pet": ["cat",
            "dog"]}``.
        confidence: Coverage of the intervals.
        classes: The class of each column of probabilities, for both models; 0, 1, ... by default. Of hard answers,
            all the classes that there are: a model that is known to have labels among them may be wrong on everything,
            where unnamed answers that are never a label are taken for other names.
        old_classes: The same for the old model alone.
        new_classes: The same for the new model alone.
        thresholds: Threshold on scores: one number or one for each model; scores at or above it are answer 1.
        inputs: What fitted estimators are called on.
        discover_slices: Also look for conjunctions of conditions on the slice columns in which flips concentrate.
        names: What the old and the new model are called in reports.
        seed: Seed of the cluster bootstrap and of the discovery's split.

    Returns:
        The report.

    Raises:
        InputError: If anything passed is not as described; the sentence says what and where.

    Example:
        >>> report = compare(labels=[0, 1, 1, 0], old=[0, 1, 0, 0], new=[0, 0, 1, 0])
        >>> report.negative_flips, report.positive_flips
        (1, 1)
        >>> print(report.negative_flip_rate)
        0.25 [0.006309, 0.8059]
    """
    proportion(confidence, "confidence")
    same_index({"labels": labels, "old": old, "new": new, "weights": weights, "groups": groups, "slices": slices})
    old_classes, new_classes = (
        _first_given(given, classes, _frame_classes(output))
        for given, output in ((old_classes, old), (new_classes, new))
    )
    truth = as_array(labels, "labels")
    old_threshold, new_threshold = _thresholds(thresholds)
    if truth.ndim == 2 and truth.shape[1] > 1:
        old = answers_of(old, "old", inputs) if is_estimator(old) else old
        new = answers_of(new, "new", inputs) if is_estimator(new) else new
        judged, extra = judge_multilabel(truth, old, new, new_classes, (old_threshold, new_threshold))
    else:
        truth = class_column(truth[:, 0] if truth.ndim == 2 else truth, "labels")
        both = (
            _predictions(old, "old", old_classes, old_threshold, inputs),
            _predictions(new, "new", new_classes, new_threshold, inputs),
        )
        same_length({"labels": truth, "old": both[0].answers, "new": both[1].answers})
        _refuse_unknown_labels(truth, both[1])
        judged, extra = judge(truth, *both, class_map), {}
    samples = len(truth)
    columns = slice_columns(slices, samples)
    if discover_slices and not columns:
        raise InputError("discover_slices needs columns to look in; pass slices={name: values}")
    if class_map is not None and (known := known_to_old(judged.labels, class_map)) is not None:
        columns = {KNOWN: known, **columns}
    cells = cell_of(judged.old_right, judged.new_right, judged.same)
    weight, group = sample_weights(weights, samples), group_numbers(groups, samples)
    tally = Tally.of(cells, weight, group, seed)
    found = [SliceTally("class", name, Tally.of(part, weight, group, seed)) for name, part in extra.items()]
    report = assemble(
        tally,
        flip_matrix=_matrix(judged, cells),
        flips=_flips(judged, cells, unique_ids(ids, samples) if ids is not None else np.arange(samples), columns),
        confidence=confidence,
        slices=found + slice_tallies(columns, cells, weight, group, seed),
        discovery=discover(columns, cells == NEGATIVE_FLIP, weights=weight, groups=group, seed=seed)
        if discover_slices
        else None,
        fractional_flips=None,
        names=names,
        notes=judged.notes,
    )
    if judged.severity is None:
        return report
    severity = fractional(judged.severity, cells, report.negative_flip_rate, weight, confidence)
    return replace(report, fractional_flips=severity)


def _thresholds(thresholds: float | tuple[float, float] | None) -> tuple[float | None, float | None]:
    if thresholds is None:
        return None, None
    pair = (thresholds, thresholds) if np.ndim(thresholds) == 0 else tuple(np.ravel(np.asarray(thresholds)).tolist())
    try:
        old, new = (float(number) for number in pair)
    except (TypeError, ValueError):
        old = new = float("nan")
    if not (np.isfinite(old) and np.isfinite(new)):
        raise InputError(f"thresholds is {thresholds!r}; pass one finite number, or one for old and one for new")
    return old, new


def _predictions(
    values: Any, name: str, classes: Sequence[Any] | None, threshold: float | None, inputs: Any | None
) -> Predictions:
    if is_estimator(values):
        if threshold is not None:
            raise InputError(
                f"thresholds are for scores, but {name} is an estimator and decides itself; leave them out, or pass "
                f"its predict_proba(X)[:, 1] in its place"
            )
        found = predictions_of(values, name, inputs)
        return replace(found, named=found.classes) if hasattr(values, "classes_") else found
    return read_predictions(values, name, classes, threshold)


def _first_given(*classes: Sequence[Any] | None) -> Sequence[Any] | None:
    for given in classes:
        if given is None:
            continue
        if not hasattr(given, "__len__"):
            raise InputError(f"classes is a single {type(given).__name__}; pass a list of classes, one per column")
        if len(given):
            return given
    return None


def _frame_classes(output: Any) -> list[Any] | None:
    # The columns of a data frame of probabilities are its classes.
    shape: tuple[int, ...] = getattr(output, "shape", ())
    if len(shape) == 2 and shape[1] > 1 and hasattr(output, "columns"):
        return list(output.columns)
    return None


def _refuse_unknown_labels(labels: NDArray[Any], new: Predictions) -> None:
    # A label outside the new model's named columns is one that nobody could have answered.
    if new.classes is None or new.classes.dtype.kind != labels.dtype.kind:
        return
    unknown = ~np.isin(labels, new.classes)
    if unknown.any():
        examples = ", ".join(str(value) for value in np.unique(labels[unknown])[:3].tolist())
        raise InputError(
            f"labels has {counted(int(unknown.sum()), 'value')} that no column of new stands for ({examples}); pass "
            f"new_classes=[...] with the class of each column, in order, or correct the labels"
        )


def _matrix(judged: Judged, cells: NDArray[np.int8]) -> FlipMatrix:
    broken = cells == NEGATIVE_FLIP
    return FlipMatrix.of(judged.labels[broken], judged.new[broken])


def _flips(
    judged: Judged, cells: NDArray[np.int8], ids: NDArray[Any], slices: Mapping[str, NDArray[Any]]
) -> FlippedSamples:
    negative, positive = cells == NEGATIVE_FLIP, cells == POSITIVE_FLIP
    here = np.flatnonzero(negative | positive)
    columns = {
        "id": ids[here],
        "flip": np.where(negative[here], "negative", "positive"),
        "label": judged.labels[here],
        "old": judged.old[here],
        "new": judged.new[here],
    }
    if judged.old_confidence is not None:
        columns["old_confidence"] = judged.old_confidence[here]
    if judged.new_confidence is not None:
        columns["new_confidence"] = judged.new_confidence[here]
    columns |= {name: column[here] for name, column in slices.items() if name not in columns}
    return FlippedSamples(columns, int(negative.sum()), int(positive.sum()))
