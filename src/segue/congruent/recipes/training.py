"""Train a successor: with one method over the strengths of its constraint, or with whatever a budget allows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from segue.congruent.losses.checks import check_logits
from segue.congruent.recipes.auto import Step, steps
from segue.congruent.recipes.candidate import Candidate
from segue.congruent.recipes.choice import FewestFlips, Rule
from segue.congruent.recipes.methods import METHODS
from segue.congruent.recipes.outcome import Outcome, Tried
from segue.congruent.recipes.update import StoredLogits, Update
from segue.congruent.recipes.workshop import Workshop
from segue.errors import DivergedError, InputError
from segue.flips import FlipReport, compare
from segue.training import Validation, outputs_of
from segue.training.data import TensorData, TrainingData, as_data
from segue.training.references import content_key

if TYPE_CHECKING:
    from lightning.fabric import Fabric

AUTO = "auto"


def train(
    update: Update,
    method: str | Sequence[str] = AUTO,
    *,
    rule: Rule | None = None,
    seconds: float | None = None,
    trainings: float | None = None,
    folder: str | Path | None = None,
    fabric: Fabric | None = None,
    progress: bool = True,
    after_step: Callable[[Tried], object] = lambda tried: None,
) -> Outcome:
    """Train the successor of a model so that it breaks as little as possible.

    First a model is trained without a constraint: it is what the others are compared with. Then the method is run over
    the strengths of its constraint, every candidate is measured on the validation samples, and the rule picks one.
    ``"auto"`` tries the cheap things first (what needs no training, interpolation), then constrained training, then
    ensembles, then what takes patience, and leaves out each step that would not fit the budget.

    Args:
        update: The old model, how a new one is built and trained, and the data.
        method: ``"auto"``, or one or several names of ``METHODS``.
        rule: How the candidate is picked; by default ``FewestFlips()``: the fewest negative flips among single models
            that lose at most a quarter of a point of accuracy.
        seconds: Budget of training time, for ``"auto"``. The unconstrained model is trained in any case; a step that is
            estimated not to fit is left out, and the outcome says so.
        trainings: The same budget in multiples of a plain training.
        folder: Where runs are kept, so that a killed call goes on; by default they are forgotten.
        fabric: A launched Fabric, for accelerators and precision.
        progress: Whether to show bars on stderr, if it is a terminal.
        after_step: Called with each step when it is over.

    Returns:
        Every candidate, the pick, and what each step bought.

    Raises:
        InputError: If the update, the method or the budget is not as described, or the folder is another update's.
    """
    names = [method] if isinstance(method, str) else list(method)
    check_methods(names)
    check_budget(names, seconds, trainings)
    workshop = Workshop(update, None if folder is None else Path(folder), fabric, progress)
    _refuse_useless(names, workshop)
    chosen: Rule = rule or FewestFlips()
    (plain,) = METHODS["independent"].candidates(workshop)
    candidates = [plain]
    tried = [
        Tried("training without a constraint", workshop.trainings, workshop.seconds, 1, plain),
    ]
    after_step(tried[-1])
    planned = steps(workshop) if names == [AUTO] else [_whole(name) for name in names if name != "independent"]
    for step in planned:
        note = _refusal(step, workshop, seconds, trainings)
        before = workshop.trainings, workshop.seconds, len(workshop.diverged)
        made: list[Candidate] = []
        if not note:
            try:
                for one in step.candidates(workshop):
                    made.append(one)  # ruff: ignore[manual-list-copy] - what was made before a failure counts
            except DivergedError as error:
                workshop.diverged.append(str(error))
            note = "; ".join(dict.fromkeys(workshop.diverged[before[2] :]))
        candidates += made
        tried.append(
            Tried(
                step.name,
                workshop.trainings - before[0],
                workshop.seconds - before[1],
                len(made),
                chosen.pick(candidates, plain),
                note,
            )
        )
        after_step(tried[-1])
    return Outcome(plain, tuple(candidates), chosen.pick(candidates, plain), chosen, tuple(tried))


def measure(outcome: Outcome, update: Update, test: Any, old: Tensor | None = None, **options: Any) -> Outcome:
    """Measure the pick and the unconstrained model on test samples, once.

    Args:
        outcome: What ``train`` returned.
        update: What it was given.
        test: Test samples, in the forms of training data; nothing was chosen on them.
        old: The old model's logits on them ``(n, old classes)``, where the update has only stored logits.
        options: Passed to ``segue.flips.compare``: ids, slices and more.

    Returns:
        The outcome with both flip reports.

    Raises:
        InputError: If the old model's logits are needed and missing, or are not those of the update's old model, or the
            test samples are the training or the validation samples.
    """
    samples = as_data(test, "test")
    _refuse_seen(samples, update)
    return measured_on(outcome, update, samples, old, **options)


def measured_on(
    outcome: Outcome, update: Update, samples: TrainingData, old: Tensor | None = None, **options: Any
) -> Outcome:
    """Do what :func:`measure` does on any samples, those included on which the pick was chosen.

    Args:
        outcome: What ``train`` returned.
        update: What it was given.
        samples: The samples.
        old: The old model's logits on them, ``(n, old classes)``.
        options: Passed to ``segue.flips.compare``.

    Returns:
        The outcome with both flip reports.

    Raises:
        InputError: If the old model's logits are needed and missing, or are not those of the update's old model.
    """
    if old is None:
        if not isinstance(update.old, nn.Module):
            raise InputError(
                "the old model is known by stored logits alone; pass its logits on the test samples as old"
            )
        old = outputs_of(update.old, samples)
    check_logits("old", old)
    if isinstance(update.old, StoredLogits) and old.shape[1] != update.old.validation.shape[1]:
        raise InputError(
            f"old has {old.shape[1]} classes, but the update's stored logits have {update.old.validation.shape[1]}; "
            f"pass logits of the same model"
        )
    old = old.detach().cpu()
    _refuse_unfinished(old, "the old model's")
    labels = Validation(samples).labels
    answers = update.answers_in_new_classes(old)

    def report(candidate: Candidate, name: str) -> FlipReport:
        logits = candidate.predictor.logits(samples, old)
        _refuse_unfinished(logits, f"the {name} model's")
        new = logits.argmax(dim=1)
        return compare(labels.numpy(), answers.numpy(), new.numpy(), names=("old", name), **options)

    return replace(outcome, test=report(outcome.pick, "new"), plain_test=report(outcome.plain, "unconstrained"))


def _refuse_unfinished(logits: Tensor, whose: str) -> None:
    bad = ~torch.isfinite(logits).all(dim=1)
    if bad.any():
        raise InputError(
            f"{whose} outputs for test sample {int(bad.nonzero()[0])} are not finite, {int(bad.sum()):,} in all; look "
            f"at these inputs"
        )


def _refuse_seen(test: TrainingData, update: Update) -> None:
    # Whole sets alone are recognised; samples that stand in two sets are the caller's to look for.
    if not isinstance(test, TensorData):
        return
    for name, data in zip(("training", "validation"), update.data(), strict=True):
        if isinstance(data, TensorData) and content_key(data) == content_key(test):
            raise InputError(
                f"test holds the {name} samples; pass samples on which nothing was trained or chosen, or leave test out"
            )


def check_methods(names: Sequence[str]) -> None:
    """Refuse unknown methods.

    Args:
        names: What the caller asked for.

    Raises:
        InputError: If there is none, one is unknown, or ``auto`` stands beside others.
    """
    if not names:
        raise InputError(f"method is empty; pass 'auto' or one of {', '.join(METHODS)}")
    for name in names:
        if name != AUTO and name not in METHODS:
            raise InputError(f"method {name!r} is unknown; pass 'auto' or one of {', '.join(METHODS)}")
    if AUTO in names and len(names) > 1:
        raise InputError("method 'auto' chooses by itself; pass it alone, or leave it out")


def check_budget(names: Sequence[str], seconds: float | None, trainings: float | None) -> None:
    """Refuse a budget that is none.

    Args:
        names: The methods.
        seconds: Budget of training time.
        trainings: The same in plain trainings.

    Raises:
        InputError: If one is not positive, or a budget was given to a named method.
    """
    for name, value in {"seconds": seconds, "trainings": trainings}.items():
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
            raise InputError(f"{name} is {value!r}; pass a positive budget")
        if list(names) != [AUTO]:
            raise InputError(f"{name} is a budget for method 'auto'; a named method runs all its strengths")


def _whole(name: str) -> Step:
    method = METHODS[name]
    return Step(name, {}, method.candidates)


def _refuse_useless(names: Sequence[str], workshop: Workshop) -> None:
    # Before anything is trained: none of what was asked for can be done.
    refused = [_refusal(_whole(name), workshop, None, None) for name in names if name in METHODS]
    if refused and all(refused):
        told = refused[0].removeprefix("left out: ")
        raise InputError(f"method {', '.join(map(repr, names))} can't be used: {told}")


def _refusal(step: Step, workshop: Workshop, seconds: float | None, trainings: float | None) -> str:
    if step.name in METHODS and not METHODS[step.name].applies(workshop):
        return f"left out: the new model can't begin from the old weights ({workshop.obstacle})"
    if step.name in METHODS and METHODS[step.name].needs_class_map and workshop.update.class_map is None:
        return "left out: it is for class sets that grew, and the update has no class_map"
    missing = step.trainings(workshop)
    if not missing:
        return ""  # what takes no training fits any budget
    if trainings is not None and workshop.trainings + missing > trainings + 1e-9:
        left = max(trainings - workshop.trainings, 0)
        return f"left out: it takes {missing} more plain training{'s' * (missing != 1)}, the budget has {left:g} left"
    if seconds is not None:
        needed = missing * workshop.seconds / workshop.trainings
        left = seconds - workshop.seconds
        if needed > left:
            return f"left out: it would take about {needed:.0f} s, {max(left, 0):.0f} s were left"
    return ""
