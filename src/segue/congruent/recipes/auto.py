"""What ``auto`` tries, the cheap things first, and how far a budget goes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from segue.congruent.recipes.candidate import Candidate
from segue.congruent.recipes.methods import METHODS
from segue.congruent.recipes.methods.combined import (
    congruent_soup,
    distilled_with_protection,
    fine_tuned_with_protection,
)
from segue.congruent.recipes.methods.constrained import logit_matching, trained_with
from segue.congruent.recipes.methods.ensembles import MEMBERS, member_runs
from segue.congruent.recipes.methods.patient import (
    PATIENCE,
    patient_distillation,
    patient_distillation_key,
    patient_fine_tuning,
    patient_fine_tuning_key,
)
from segue.congruent.recipes.workshop import Workshop

Candidates = Callable[[Workshop], Iterator[Candidate]]


@dataclass(frozen=True)
class Step:
    """One thing to try.

    Attributes:
        name: What it is, in words.
        runs: Plain trainings that each of its runs takes, by the run's key.
        candidates: Makes its candidates.
    """

    name: str
    runs: Mapping[str, int]
    candidates: Candidates

    def trainings(self, workshop: Workshop) -> int:
        """Return how many trainings it adds to those that were done.

        Args:
            workshop: Where they were done.

        Returns:
            The trainings that are missing.
        """
        return sum(cost for key, cost in self.runs.items() if key not in workshop.runs)


def steps(workshop: Workshop) -> list[Step]:
    """Return what to try in which order, after the unconstrained training.

    Args:
        workshop: Where it will be tried.

    Returns:
        The steps: what needs no training, interpolation, constrained training, ensembles, and then what takes
        patience.
    """
    found = [
        Step("both models' answers averaged", {}, METHODS["averaging"].candidates),
        Step("the old answer kept unless the new one is likelier", {}, METHODS["switching"].candidates),
    ]
    if workshop.can_inherit:
        found += [
            Step(
                "fine-tuning the old model, and interpolation",
                {"fine-tuning-0": 1},
                METHODS["interpolation"].candidates,
            ),
            _protected(0.01),
            _protected(0.003),
            Step(
                "the mean of these fine-tuned models, and interpolation",
                dict.fromkeys(("fine-tuning-0", "congruent-fine-tuning-0.003", "congruent-fine-tuning-0.01"), 1),
                congruent_soup,
            ),
        ]
    else:
        found += [_matched(0.01), _matched(0.003)]
    found += [_distilled(2, 0.01), _distilled(4, 0.01)]
    if workshop.can_inherit:
        runs = {patient_fine_tuning_key(): PATIENCE}
        found.append(Step("patient fine-tuning, and interpolation", runs, patient_fine_tuning))
    runs = {**_members(MEMBERS), patient_distillation_key(): PATIENCE}
    found.append(Step("patient distillation of both the old model and new ones", runs, patient_distillation))
    return found


def _protected(weight: float) -> Step:
    def candidates(workshop: Workshop) -> Iterator[Candidate]:
        yield from fine_tuned_with_protection(workshop, weight)

    return Step(f"congruent fine-tuning, weight {weight:g}", {f"congruent-fine-tuning-{weight:g}": 1}, candidates)


def _matched(weight: float) -> Step:
    def candidates(workshop: Workshop) -> Iterator[Candidate]:
        yield from trained_with(workshop, "focal-logit-matching", "weight", weight, logit_matching)

    return Step(f"focal logit matching, weight {weight:g}", {f"focal-logit-matching-{weight:g}": 1}, candidates)


def _distilled(members: int, weight: float) -> Step:
    def candidates(workshop: Workshop) -> Iterator[Candidate]:
        yield from distilled_with_protection(workshop, member_runs(workshop, members), weight)

    runs = {**_members(members), f"congruent-distillation-{members}-{weight:g}": 1}
    return Step(f"congruent distillation of {members} new models, weight {weight:g}", runs, candidates)


def _members(members: int) -> dict[str, int]:
    return {f"independent-{member}": 1 for member in range(members)}
