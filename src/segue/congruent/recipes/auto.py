"""What ``auto`` tries, the cheap things first, and how far a budget goes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from segue.congruent.recipes.candidate import Candidate
from segue.congruent.recipes.methods import METHODS
from segue.congruent.recipes.methods.combined import (
    congruent_soup,
    distilled_with_protection,
    fine_tuned_with_protection,
)
from segue.congruent.recipes.methods.constrained import logit_matching, trained_with
from segue.congruent.recipes.methods.ensembles import member_runs
from segue.congruent.recipes.workshop import Workshop

Candidates = Callable[[Workshop], Iterator[Candidate]]


@dataclass(frozen=True)
class Step:
    """One thing to try.

    Attributes:
        name: What it is, in words.
        runs: Keys of the trainings that it takes.
        candidates: Makes its candidates.
    """

    name: str
    runs: tuple[str, ...]
    candidates: Candidates

    def trainings(self, workshop: Workshop) -> int:
        """Return how many trainings it adds to those that were done.

        Args:
            workshop: Where they were done.

        Returns:
            The trainings that are missing.
        """
        return sum(key not in workshop.runs for key in self.runs)


def steps(workshop: Workshop) -> list[Step]:
    """Return what to try in which order, after the unconstrained training.

    Args:
        workshop: Where it will be tried.

    Returns:
        The steps: what needs no training, interpolation, constrained training, then ensembles.
    """
    found = [
        Step("both models' answers averaged", (), METHODS["averaging"].candidates),
        Step("the old answer kept unless the new one is likelier", (), METHODS["switching"].candidates),
    ]
    if workshop.can_inherit:
        found += [
            Step(
                "fine-tuning the old model, and interpolation", ("fine-tuning-0",), METHODS["interpolation"].candidates
            ),
            _protected(0.01),
            _protected(0.003),
            Step(
                "the mean of these fine-tuned models, and interpolation",
                ("fine-tuning-0", "congruent-fine-tuning-0.003", "congruent-fine-tuning-0.01"),
                congruent_soup,
            ),
        ]
    else:
        found += [_matched(0.01), _matched(0.003)]
    return [*found, _distilled(2, 0.01), _distilled(4, 0.01), _distilled(4, 0.003)]


def _protected(weight: float) -> Step:
    def candidates(workshop: Workshop) -> Iterator[Candidate]:
        yield from fine_tuned_with_protection(workshop, weight)

    return Step(f"congruent fine-tuning, weight {weight:g}", (f"congruent-fine-tuning-{weight:g}",), candidates)


def _matched(weight: float) -> Step:
    def candidates(workshop: Workshop) -> Iterator[Candidate]:
        yield from trained_with(workshop, "focal-logit-matching", "weight", weight, logit_matching)

    return Step(f"focal logit matching, weight {weight:g}", (f"focal-logit-matching-{weight:g}",), candidates)


def _distilled(members: int, weight: float) -> Step:
    def candidates(workshop: Workshop) -> Iterator[Candidate]:
        yield from distilled_with_protection(workshop, member_runs(workshop, members), weight)

    runs = (*(f"independent-{member}" for member in range(members)), f"congruent-distillation-{members}-{weight:g}")
    return Step(f"congruent distillation of {members} new models, weight {weight:g}", runs, candidates)
