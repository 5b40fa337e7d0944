"""Trainings without a constraint: what a user would do without this library."""

from __future__ import annotations

from collections.abc import Iterator

from torch import nn

from segue.congruent.recipes.candidate import Candidate
from segue.congruent.recipes.methods.base import Method
from segue.congruent.recipes.runs import Run
from segue.congruent.recipes.workshop import Workshop


def independent_run(workshop: Workshop, member: int = 0) -> Run:
    """Train a model from fresh weights on the labels alone.

    Args:
        workshop: Where it is trained.
        member: Which one: each has weights and order of its own.

    Returns:
        The run.
    """
    return workshop.run(f"independent-{member}", nn.CrossEntropyLoss(), seed=member)


def fine_tuned_run(workshop: Workshop, member: int = 0) -> Run:
    """Train on from the old model's weights on the labels alone.

    Args:
        workshop: Where it is trained.
        member: Which one: each has an order of its own.

    Returns:
        The run.
    """
    return workshop.run(
        f"fine-tuning-{member}",
        nn.CrossEntropyLoss(),
        start=workshop.inherited,
        seed=1000 + member,
        fine_tuning=True,
    )


def _independent(workshop: Workshop) -> Iterator[Candidate]:
    yield workshop.single("independent", {}, independent_run(workshop))


def _fine_tuned(workshop: Workshop) -> Iterator[Candidate]:
    yield workshop.single("fine-tuning", {}, fine_tuned_run(workshop))


INDEPENDENT = Method("independent", "training from fresh weights without any constraint", _independent)
FINE_TUNING = Method("fine-tuning", "training on from the old weights", _fine_tuned, needs_weights=True)
