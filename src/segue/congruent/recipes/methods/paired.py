"""The old and a new model answer together: no training beyond the new model's, but both run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import one_hot

from segue.congruent.decisions.average import averaged
from segue.congruent.decisions.pairs import Pair
from segue.congruent.decisions.switch import switched
from segue.congruent.recipes.candidate import Candidate
from segue.congruent.recipes.methods.base import Method
from segue.congruent.recipes.methods.plain import independent_run
from segue.congruent.recipes.predictors import Single, WithOld
from segue.congruent.recipes.workshop import Workshop

WEIGHTS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7)
THRESHOLDS = (-0.4, -0.2, -0.1, 0.0, 0.1, 0.2, 0.3)

Rule = Callable[[Pair, float], NDArray[np.int64]]


def _together(rule: Rule, knob: float, class_map: Sequence[int] | None, old: Tensor, new: Tensor) -> Tensor:
    """Return the rule's answers as logits that are 0 at the answer and -1 elsewhere, ``(n, new classes)``."""
    of_new = new.double().softmax(dim=1)
    of_old = torch.zeros_like(of_new)
    for column, place in enumerate(range(old.shape[1]) if class_map is None else class_map):
        if place >= 0:  # the probability of a class that is gone belongs to nobody
            of_old[:, place] += old.double().softmax(dim=1)[:, column]
    answers = torch.from_numpy(rule(Pair(of_old.numpy(), of_new.numpy()), knob))
    return one_hot(answers, of_new.shape[1]).float() - 1


def _candidates(name: str, knob: str, values: Sequence[float], rule: Rule, workshop: Workshop) -> Iterator[Candidate]:
    run = independent_run(workshop)
    logits = workshop.logits(run, "validation")
    for value in values:
        combine = partial(_together, rule, value, workshop.update.class_map)
        together = combine(workshop.old_validation, logits)
        predictor = WithOld(Single(lambda: workshop.model(run)), combine)
        yield workshop.candidate(name, {knob: value}, predictor, (run,), together)


AVERAGING = Method(
    "averaging",
    "weighted mean of both models' probabilities; both run",
    partial(_candidates, "averaging", "weight", WEIGHTS, averaged),
)
SWITCHING = Method(
    "switching",
    "keeps the old answer unless the new one is likelier by a threshold; both run",
    partial(_candidates, "switching", "threshold", THRESHOLDS, switched),
)
