"""What ``auto`` tries, the cheap things first, and how far a budget goes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from segue.congruent.recipes.candidate import Candidate
from segue.congruent.recipes.methods import METHODS
from segue.congruent.recipes.methods.combined import distilled_with_protection, fine_tuned_with_protection
from segue.congruent.recipes.methods.constrained import logit_matching, trained_with
from segue.congruent.recipes.methods.ensembles import member_runs
from segue.congruent.recipes.workshop import Workshop

Candidates = Callable[[Workshop], Iterator[Candidate]]


@dataclass(frozen=True)
class Step:
    """One thing to try.

    Attributes:
        name: What it is, in words.
        trainings: Plain trainings that it adds.
        candidates: Makes its candidates.
    """

    name: str
    trainings: float
    candidates: Candidates


def steps(workshop: Workshop) -> list[Step]:
    """Return what to try in which order, after the unconstrained training.

    Args:
        workshop: Where it will be tried.

    Returns:
        The steps: what needs no training, interpolation, constrained training, then ensembles.
    """
    found = [
        Step("both models' answers averaged", 0, METHODS["averaging"].candidates),
        Step("the old answer kept unless the new one is likelier", 0, METHODS["switching"].candidates),
    ]
    if workshop.can_inherit:
        found += [
            Step("fine-tuning the old model, and interpolation", 1, METHODS["interpolation"].candidates),
            Step("congruent fine-tuning", 1, lambda shop: fine_tuned_with_protection(shop, 0.01)),
            Step("congruent fine-tuning, held more loosely", 1, lambda shop: fine_tuned_with_protection(shop, 0.003)),
        ]
    else:
        found += [Step(f"focal logit matching of weight {weight:g}", 1, _matched(weight)) for weight in (0.01, 0.003)]
    found += [
        Step("congruent distillation of two new models", 2, _distilled(2, 0.01)),
        Step("congruent distillation of four new models", 3, _distilled(4, 0.01)),
        Step("congruent distillation of four new models, held more loosely", 1, _distilled(4, 0.003)),
    ]
    return found


def _matched(weight: float) -> Candidates:
    def candidates(workshop: Workshop) -> Iterator[Candidate]:
        yield from trained_with(workshop, "focal-logit-matching", "weight", weight, logit_matching)

    return candidates


def _distilled(members: int, weight: float) -> Candidates:
    def candidates(workshop: Workshop) -> Iterator[Candidate]:
        yield from distilled_with_protection(workshop, member_runs(workshop, members), weight)

    return candidates
