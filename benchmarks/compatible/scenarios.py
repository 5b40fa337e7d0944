"""Updates of an embedding model on real pictures: what was trained before, what is trained now, where it is judged.

For each seed the training, validation and old training samples are drawn anew from the training part. The test part is
the data set's own, halved once: one half asks, the other is the gallery. It is only answered. Sizes, epochs and the
learning rate were chosen for plain training, on validation samples, so that one training takes seconds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from benchmarks.compatible.networks import convolutional, perceptron
from benchmarks.congruent.part import Data, Part
from benchmarks.congruent.pictures import garments
from benchmarks.congruent.scenarios import digits, momentum, one_cycle, taken
from segue.compatible.heads import FrozenHead
from segue.compatible.recipes import Update
from segue.training import fit, outputs_of
from segue.training.seeds import drawn_from

KINDS = ("data", "classes", "architecture", "dimension")
"""What changes: twice the data; twice the classes; another architecture; twice the data and twice the dimensions."""


@dataclass(frozen=True)
class Plan:
    """How networks of one data set are trained.

    Attributes:
        load: Returns the data.
        usual: From a dimension to the usual network.
        weaker: From a dimension to the architecture that the old model has in the scenario ``architecture``.
        stronger: From a dimension to the new one's there.
        samples: Training samples of the new model; the old one has half of them where data grow.
        validation: Validation samples.
        dimension: Columns of the embeddings; twice as many for the new model where the dimension grows.
        rate: Learning rate: the peak of a one-cycle schedule.
        epochs: Passes over the data.
        batch_size: Samples per step.
    """

    load: Callable[[], Part]
    usual: Callable[[int], nn.Module]
    weaker: Callable[[int], nn.Module]
    stronger: Callable[[int], nn.Module]
    samples: int
    validation: int
    dimension: int
    rate: float
    epochs: int
    batch_size: int


PLANS = {
    "fashion": Plan(
        load=garments,
        usual=partial(convolutional, width=8),
        weaker=lambda dimension: perceptron(784, dimension, 16),
        stronger=partial(convolutional, width=12),
        samples=6000,
        validation=3000,
        dimension=32,
        rate=0.1,
        epochs=6,
        batch_size=64,
    ),
    "digits": Plan(
        load=digits,
        usual=lambda dimension: perceptron(64, dimension, 32),
        weaker=lambda dimension: perceptron(64, dimension, 8),
        stronger=lambda dimension: perceptron(64, dimension, 64),
        samples=600,
        validation=400,
        dimension=16,
        rate=0.05,
        epochs=8,
        batch_size=32,
    ),
}


@dataclass(frozen=True)
class Case:
    """One scenario with one seed.

    Attributes:
        update: What is to be trained.
        old: The old network.
        old_head: Its head.
        queries: Test pictures that ask.
        gallery: Test pictures that are searched.
    """

    update: Update
    old: nn.Module
    old_head: FrozenHead
    queries: Data
    gallery: Data

    @property
    def old_vectors(self) -> tuple[Tensor, Tensor]:
        """The old network's embeddings of queries and gallery."""
        return outputs_of(self.old, self.queries), outputs_of(self.old, self.gallery)


def make_case(name: str, kind: str, seed: int) -> Case:
    """Draw the samples and train the old model.

    Args:
        name: The data set.
        kind: What changes.
        seed: Seed of the draw and of the old model.

    Returns:
        The case.
    """
    plan = PLANS[name]
    part = plan.load()
    order = torch.randperm(len(part.pool[1]), generator=torch.Generator().manual_seed(seed))
    validation, new = order[: plan.validation], order[plan.validation : plan.validation + plan.samples]
    old_samples, classes, dimension = new, part.classes, plan.dimension
    old_build, new_build = plan.usual, plan.usual
    if kind in {"data", "dimension"}:
        old_samples = new[: plan.samples // 2]
    elif kind == "classes":
        classes = part.classes // 2
        old_samples = new[part.pool[1][new] < classes]
    elif kind == "architecture":
        old_build, new_build = plan.weaker, plan.stronger
    if kind == "dimension":
        dimension = 2 * plan.dimension
    with drawn_from(seed, "old model"):
        old, head = old_build(plan.dimension), nn.Linear(plan.dimension, classes)
    both = nn.Sequential(old, head)
    optimizer = momentum(both.parameters(), plan.rate)
    fit(
        both,
        taken(part.pool, old_samples),
        nn.CrossEntropyLoss(),
        optimizer=optimizer,
        schedule=one_cycle(optimizer, plan.epochs * -(-len(old_samples) // plan.batch_size)),
        epochs=plan.epochs,
        batch_size=plan.batch_size,
        seed=500_000 + seed,
        progress=False,
    )
    frozen = FrozenHead.of(head, class_map=list(range(classes)))
    update = Update(
        build=partial(new_build, dimension),
        old=old,
        train=taken(part.pool, new),
        validation=taken(part.pool, validation),
        optimizer=partial(momentum, rate=plan.rate),
        schedule=one_cycle,
        epochs=plan.epochs,
        batch_size=plan.batch_size,
        old_head=frozen,
        seed=seed,
    )
    halves = torch.randperm(len(part.test[1]), generator=torch.Generator().manual_seed(0)).chunk(2)
    queries, gallery = (taken(part.test, half) for half in halves)
    return Case(update, old, frozen, queries, gallery)
