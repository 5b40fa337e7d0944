"""Flips on tensors as pure functions: say which cell each sample is in, count them, and turn counts into a rate.

The counts are those of ``segue.flips.counts``: five integers that add up over batches and processes, so that a short
last batch and unequal shards change nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from segue.errors import InputError
from segue.flips.checks import counted
from segue.flips.counts import BOTH_RIGHT, BOTH_WRONG_DIFFER, BOTH_WRONG_SAME, N_CELLS, NEGATIVE_FLIP, POSITIVE_FLIP
from segue.flips.intervals import BOTH_WRONG, CHANGED, EVERY, NEW_RIGHT, NEW_WRONG, OLD_RIGHT, OLD_WRONG

SHARES: dict[str, tuple[tuple[int, ...], tuple[int, ...]]] = {
    "accuracy_old": (OLD_RIGHT, EVERY),
    "accuracy_new": (NEW_RIGHT, EVERY),
    "negative_flip_rate": ((NEGATIVE_FLIP,), EVERY),
    "positive_flip_rate": ((POSITIVE_FLIP,), EVERY),
    "negative_flip_impact": ((NEGATIVE_FLIP,), NEW_WRONG),
    "positive_flip_impact": ((POSITIVE_FLIP,), NEW_RIGHT),
    "backward_trust_compatibility": ((BOTH_RIGHT,), OLD_RIGHT),
    "backward_error_compatibility_given_old_error": (BOTH_WRONG, OLD_WRONG),
    "backward_error_compatibility_given_new_error": (BOTH_WRONG, NEW_WRONG),
    "churn": (CHANGED, EVERY),
    "good_churn": ((POSITIVE_FLIP,), EVERY),
    "bad_churn": ((NEGATIVE_FLIP, BOTH_WRONG_DIFFER), EVERY),
}
"""Rates that are a share: the cells that count as hits, and those that count at all."""

SEVERITY_UNIT = 2**32
"""Severities are summed as whole multiples of ``2**-32``: integer sums do not depend on the order of addition."""


def flip_cells(
    new: Tensor, old: Tensor, labels: Tensor, *, class_map: Tensor | None = None, validate: bool = True
) -> Tensor:
    """Say which of the five cells each sample of a batch is in.

    Args:
        new: The new model's answers, ``(n,)`` integers, or its logits or probabilities, ``(n, classes)``.
        old: The old model's, in either form; moved to the device of ``new``.
        labels: The truth in the new model's classes, ``(n,)`` integers.
        class_map: The new class of each old class, ``(old classes,)``, -1 where it is gone; for equal class sets
            ``None``.
        validate: Also look at the values (NaN, unknown classes), which waits for an accelerator to catch up.

    Returns:
        Numbers of cells in the order of ``segue.flips.counts``, ``(n,)`` int64.

    Raises:
        InputError: If shapes, types or values are not as described.

    Example:
        >>> flip_cells(torch.tensor([0, 0, 1, 2]), torch.tensor([0, 1, 0, 0]), torch.tensor([0, 1, 1, 1]))
        tensor([0, 1, 2, 4])
    """
    labels = labels.to(new.device)
    new_answers, old_answers = _answers(new, "new", validate), _answers(old.to(new.device), "old", validate)
    _check_labels(labels, new, old, new_answers, old_answers, same_classes=class_map is None, validate=validate)
    if class_map is not None:
        old_answers = _mapped(old_answers, class_map.to(new.device), validate)
    new_right, same = new_answers == labels, old_answers == new_answers
    if_old_right = torch.where(new_right, BOTH_RIGHT, NEGATIVE_FLIP)
    if_both_wrong = torch.where(same, BOTH_WRONG_SAME, BOTH_WRONG_DIFFER)
    if_old_wrong = torch.where(new_right, POSITIVE_FLIP, if_both_wrong)
    return torch.where(old_answers == labels, if_old_right, if_old_wrong)


def count_cells(cells: Tensor) -> Tensor:
    """Count the samples in each cell.

    Args:
        cells: Number of each sample's cell, ``(n,)``.

    Returns:
        Both right, negative flips, positive flips, both wrong with the same and with another answer: ``(5,)`` int64.

    Example:
        >>> count_cells(torch.tensor([0, 1, 2, 4, 0]))
        tensor([2, 1, 1, 0, 1])
    """
    return torch.stack([(cells == cell).sum() for cell in range(N_CELLS)])


def flip_rate(cells: Tensor, name: str) -> Tensor:
    """Turn counts into one of the rates of ``segue.flips.FlipReport``.

    Args:
        cells: Samples in each of the five cells, ``(5,)``.
        name: The rate's name there, such as ``"negative_flip_rate"``.

    Returns:
        The rate, a scalar; NaN where it is undefined. As in the report, the negative flip impact of a model without
        errors is 0, and so is the relative negative flip rate where no flip is possible.

    Example:
        >>> flip_rate(torch.tensor([80, 5, 10, 3, 2]), "negative_flip_rate")
        tensor(0.0500)
    """
    everything = cells.sum()
    if name == "accuracy_change":
        return (cells[POSITIVE_FLIP] - cells[NEGATIVE_FLIP]) / everything
    if name == "relative_negative_flip_rate":
        right_old, wrong_new = _total(cells, OLD_RIGHT), _total(cells, NEW_WRONG)
        possible = (right_old > 0) & (wrong_new > 0)
        expected = (right_old / everything) * (wrong_new / everything)
        # An empty state stays NaN; only a state with samples in which no flip is possible is 0.
        return torch.where(possible | (everything == 0), cells[NEGATIVE_FLIP] / everything / expected, 0.0)
    hits, among = (_total(cells, part) for part in SHARES[name])
    rate = hits / among
    if name == "negative_flip_impact":
        return torch.where((among == 0) & (everything > 0), 0.0, rate)
    return rate


def severity(new: Tensor, old: Tensor, labels: Tensor, *, validate: bool = True) -> Tensor:
    """Sum how sure the new model is of its negative flips, ``p_new(answer) - p_new(label)``.

    Args:
        new: The new model's logits or probabilities, ``(n, classes)``. Rows that are not negative and sum to 1 are
            probabilities; of others the softmax is taken.
        old: The old model's answers, ``(n,)``, or its logits or probabilities.
        labels: The truth, ``(n,)`` integers.
        validate: Also look at the values.

    Returns:
        The sum in units of ``2**-32``, a scalar int64.

    Raises:
        InputError: If ``new`` is not a matrix, or anything else is not as described.
    """
    if new.ndim != 2:
        raise InputError(
            f"new has shape {tuple(new.shape)}; fractional flips need logits or probabilities (n, classes)"
        )
    labels = labels.to(new.device)
    new_answers, old_answers = _answers(new, "new", validate), _answers(old.to(new.device), "old", validate)
    _check_labels(labels, new, old, new_answers, old_answers, same_classes=True, validate=validate)
    probabilities = _probabilities(new)
    rows = torch.arange(len(labels), device=new.device)
    excess = probabilities[rows, new_answers] - probabilities[rows, labels.long()]
    broken = (old_answers == labels) & (new_answers != labels)
    units = (excess.clamp(0.0, 1.0) * SEVERITY_UNIT).round().to(torch.int64)
    return torch.where(broken, units, 0).sum()


def fractional_flips(total: Tensor, samples: Tensor) -> Tensor:
    """Turn summed severities into the mean over all samples.

    Args:
        total: What :func:`severity` summed, a scalar.
        samples: How many samples there were, a scalar.

    Returns:
        Fractional flips in [0, 1]; NaN without samples.
    """
    return total / samples / SEVERITY_UNIT


def class_map_tensor(class_map: Sequence[int] | Tensor | None) -> Tensor | None:
    """Read a class map.

    Args:
        class_map: The new class of each old class, -1 where it is gone.

    Returns:
        The same as an int64 tensor, ``(old classes,)``.

    Raises:
        InputError: If it is not a sequence of integers.
    """
    if class_map is None:
        return None
    values = torch.as_tensor(class_map)
    if values.ndim != 1 or len(values) == 0 or values.dtype.is_floating_point or values.dtype == torch.bool:
        raise InputError("class_map must list the new class of old class 0, 1, ... as integers, -1 where it is gone")
    return values.to(torch.int64)


def _total(cells: Tensor, which: tuple[int, ...]) -> Tensor:
    # Cell by cell: indexing by a list would copy the list to the accelerator first.
    return torch.stack([cells[cell] for cell in which]).sum()


def _answers(values: Tensor, name: str, validate: bool) -> Tensor:
    if values.ndim == 1:
        if values.dtype.is_floating_point or values.dtype.is_complex:
            raise InputError(
                f"{name} holds floating-point numbers of shape {tuple(values.shape)}, which are no classes; pass "
                f"integers (n,) or logits (n, classes); threshold scores of one class first"
            )
        return values
    if values.ndim != 2 or values.shape[1] < 2:
        raise InputError(
            f"{name} has shape {tuple(values.shape)}; pass answers (n,) or logits or probabilities (n, classes)"
        )
    if validate and values.dtype.is_floating_point and not bool(torch.isfinite(values).all()):
        bad = int((~torch.isfinite(values).all(dim=1)).sum())
        raise InputError(
            f"{name} has {counted(bad, 'row')} with NaN or infinity in this batch; mend the model or the batch"
        )
    return values.argmax(dim=1)


def _check_labels(
    labels: Tensor,
    new: Tensor,
    old: Tensor,
    new_answers: Tensor,
    old_answers: Tensor,
    *,
    same_classes: bool,
    validate: bool,
) -> None:
    if labels.ndim != 1 or labels.dtype.is_floating_point or labels.dtype.is_complex:
        raise InputError(
            f"labels has shape {tuple(labels.shape)} and type {labels.dtype}; pass one integer class per sample, (n,)"
        )
    if not len(labels) == len(new_answers) == len(old_answers):
        raise InputError(
            f"the tensors differ in length: new has {len(new_answers):,}, old has {len(old_answers):,}, labels has "
            f"{len(labels):,}; pass one row per sample in the same order"
        )
    if same_classes and new.ndim == old.ndim == 2 and new.shape[1] != old.shape[1]:
        raise InputError(
            f"old has {counted(old.shape[1], 'column')} but new has {new.shape[1]}; pass class_map=[new class of each "
            f"old class]"
        )
    if validate and new.ndim == 2 and len(labels):
        unknown = int(((labels < 0) | (labels >= new.shape[1])).sum())
        if unknown:
            raise InputError(
                f"labels has {counted(unknown, 'value')} in this batch that no column of new stands for (0 to "
                f"{new.shape[1] - 1}); correct the labels, or remove padded positions first"
            )


def _mapped(old_answers: Tensor, class_map: Tensor, validate: bool) -> Tensor:
    if validate:
        unmapped = int(((old_answers < 0) | (old_answers >= len(class_map))).sum())
        if unmapped:
            raise InputError(
                f"class_map names {len(class_map)} old classes, but {unmapped:,} old answers in this batch are "
                f"others; list the new class of every old class, -1 where it is gone"
            )
    return class_map[old_answers.long()]


def _probabilities(values: Tensor) -> Tensor:
    # The rule of segue.flips.answers.as_probabilities, batch by batch.
    wide = values.to(torch.float64 if values.dtype == torch.float64 else torch.float32)
    sums = wide.sum(dim=1, keepdim=True)
    off = (sums - 1).abs()
    if bool(((wide >= 0) & (wide <= 1)).all()) and float(off.median()) <= 0.1 and float(off.max()) <= 0.5:
        return wide / sums
    return wide.softmax(dim=1)
