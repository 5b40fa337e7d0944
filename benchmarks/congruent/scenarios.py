"""Update scenarios on real data: what was trained before, what is trained now, and where it is judged.

For each seed the training, validation and old training samples are drawn anew from the training part; the test part is
the data set's own and is only answered. Sizes, epochs and learning rates were chosen for plain training, on validation
samples, so that one training takes seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler, OneCycleLR

from benchmarks.congruent.part import Data, Part
from benchmarks.congruent.pictures import SmallConvolutional, garments
from segue.congruent.recipes.update import StoredLogits, Update
from segue.training import fit, outputs_of
from segue.training.seeds import drawn_from

TOKENS = 32


@dataclass(frozen=True)
class Plan:
    """How models of one data set are trained.

    Attributes:
        load: Returns the data.
        build: From a width and a number of classes to a model.
        narrow: Width of the usual model.
        wide: Width of the larger architecture.
        old: Training samples of the old model where data grow.
        new: Training samples of the new model.
        validation: Validation samples.
        old_classes: Classes of the old model where class sets grow.
        rate: Learning rate: the peak of a one-cycle schedule.
        epochs: Passes over the data.
        batch_size: Samples per step.
        optimizer: From parameters and a rate to an optimiser.
    """

    load: Callable[[], Part]
    build: Callable[[int, int], nn.Module]
    narrow: int
    wide: int
    old: int
    new: int
    validation: int
    old_classes: int
    rate: float
    epochs: int
    batch_size: int
    optimizer: Callable[[Iterable[nn.Parameter], float], Optimizer]


@dataclass(frozen=True)
class Case:
    """One scenario with one seed.

    Attributes:
        update: What is to be trained.
        test: Test samples.
        old_test: The old model's logits on them.
    """

    update: Update
    test: Data
    old_test: Tensor


def momentum(parameters: Iterable[nn.Parameter], rate: float) -> Optimizer:
    """Return stochastic gradient descent as it is usual for pictures."""
    return torch.optim.SGD(parameters, lr=rate, momentum=0.9, nesterov=True, weight_decay=5e-4)


def adam(parameters: Iterable[nn.Parameter], rate: float) -> Optimizer:
    """Return AdamW as it is usual for heads on embeddings."""
    return torch.optim.AdamW(parameters, lr=rate, weight_decay=0.01)


def one_cycle(optimizer: Optimizer, steps: int) -> LRScheduler:
    """Return a one-cycle schedule whose peak is the optimiser's rate."""
    return OneCycleLR(optimizer, max_lr=[group["lr"] for group in optimizer.param_groups], total_steps=steps)


def perceptron(inputs: int, hidden: int, classes: int) -> nn.Module:
    """Return one hidden layer with dropout."""
    return nn.Sequential(nn.Linear(inputs, hidden), nn.ReLU(), nn.Dropout(0.2), nn.Linear(hidden, classes))


@cache
def digits() -> Part:
    """Return scikit-learn's digits: 1,000 to draw from, 797 to be judged on."""
    from sklearn.datasets import load_digits

    pixels, labels = load_digits(return_X_y=True)
    x, y = torch.tensor(pixels / 16, dtype=torch.float32), torch.tensor(labels)
    return Part((x[:1000], y[:1000]), (x[1000:], y[1000:]), 10)


@cache
def newsgroup_embeddings(encoder: str) -> Part:
    """Return 20 Newsgroups as sentence embeddings."""
    from benchmarks.congruent.encoders import embed
    from benchmarks.congruent.newsgroups import load_newsgroups

    texts = load_newsgroups()
    pool, test = (
        (torch.from_numpy(embed(part.texts, encoder=encoder)) * 384**0.5, torch.as_tensor(part.labels))
        for part in (texts.train, texts.test)
    )
    return Part(pool, test, len(texts.classes))


@cache
def newsgroup_tokens() -> Part:
    """Return 20 Newsgroups as the numbers of their first tokens."""
    from benchmarks.congruent.encoders import tokenize
    from benchmarks.congruent.newsgroups import load_newsgroups

    texts = load_newsgroups()
    pool, test = (
        (tokenize(part.texts, max_tokens=TOKENS), torch.as_tensor(part.labels)) for part in (texts.train, texts.test)
    )
    # A part of the test texts, drawn once: answering all of them would take as long as training.
    chosen = torch.randperm(len(test[1]), generator=torch.Generator().manual_seed(0))[:3000]
    return Part(pool, taken(test, chosen), len(texts.classes))


def transformer(layers: int, classes: int) -> nn.Module:
    """Return the first layers of a pretrained sentence encoder with a fresh head."""
    from benchmarks.congruent.encoders import small_transformer

    return small_transformer(layers, classes)


PLANS = {
    "fashion": Plan(
        load=garments,
        build=lambda width, classes: SmallConvolutional(classes, width),
        narrow=8,
        wide=12,
        old=2000,
        new=4000,
        validation=4000,
        old_classes=7,
        rate=0.1,
        epochs=6,
        batch_size=32,
        optimizer=momentum,
    ),
    "newsgroups": Plan(
        load=partial(newsgroup_embeddings, "all-MiniLM-L6-v2"),
        build=lambda width, classes: perceptron(384, width, classes),
        narrow=64,
        wide=256,
        old=4000,
        new=8000,
        validation=2500,
        old_classes=15,
        rate=3e-3,
        epochs=8,
        batch_size=64,
        optimizer=adam,
    ),
    "transformer": Plan(
        load=newsgroup_tokens,
        build=transformer,
        narrow=1,
        wide=2,
        old=1000,
        new=2000,
        validation=1500,
        old_classes=15,
        rate=1e-3,
        epochs=3,
        batch_size=32,
        optimizer=adam,
    ),
    "digits": Plan(
        load=digits,
        build=lambda width, classes: perceptron(64, width, classes),
        narrow=16,
        wide=64,
        old=250,
        new=500,
        validation=500,
        old_classes=7,
        rate=1e-2,
        epochs=40,
        batch_size=32,
        optimizer=adam,
    ),
}


KINDS = {
    "fashion": ("data", "classes", "architecture", "seed"),
    "newsgroups": ("data", "classes", "architecture", "encoder", "seed"),
    "digits": ("data", "classes", "architecture", "seed"),
    "transformer": ("data",),
}
"""What changes: the scenarios of each data set."""


def taken(data: Data, chosen: Tensor) -> Data:
    """Return some samples."""
    return data[0][chosen], data[1][chosen]


def make_case(name: str, kind: str, seed: int) -> Case:
    """Draw the samples and train the old model.

    Args:
        name: The data set.
        kind: What changes: ``data``, ``classes``, ``architecture``, ``encoder`` or ``seed``.
        seed: Seed of the draw and of the old model.

    Returns:
        The case.
    """
    plan = PLANS[name]
    part = plan.load()
    order = torch.randperm(len(part.pool[1]), generator=torch.Generator().manual_seed(seed))
    validation = order[: plan.validation]
    new = order[plan.validation : plan.validation + plan.new]
    old_pool, old_test, old_indices, class_map = part.pool, part.test, new, None
    old_classes, width = part.classes, plan.narrow
    if kind == "data":
        old_indices = new[: plan.old]
    elif kind == "classes":
        old_indices = new[part.pool[1][new] < plan.old_classes]
        old_classes, class_map = plan.old_classes, tuple(range(plan.old_classes))
    elif kind == "architecture":
        width = plan.wide
    elif kind == "encoder":
        old_pool, old_test = (other := newsgroup_embeddings("paraphrase-MiniLM-L3")).pool, other.test
    with drawn_from(seed, "old model"):
        old = plan.build(plan.narrow, old_classes)
    optimizer = plan.optimizer(old.parameters(), plan.rate)
    steps = plan.epochs * -(-len(old_indices) // plan.batch_size)
    fit(
        old,
        taken(old_pool, old_indices),
        nn.CrossEntropyLoss(),
        optimizer=optimizer,
        schedule=one_cycle(optimizer, steps),
        epochs=plan.epochs,
        batch_size=plan.batch_size,
        seed=500_000 + seed,
        progress=False,
    )
    update = Update(
        build=partial(plan.build, width, part.classes),
        old=old,
        train=taken(part.pool, new),
        validation=taken(part.pool, validation),
        optimizer=partial(plan.optimizer, rate=plan.rate),
        fine_tuning=partial(plan.optimizer, rate=plan.rate / 2),
        schedule=one_cycle,
        epochs=plan.epochs,
        batch_size=plan.batch_size,
        class_map=class_map,
        seed=seed,
    )
    if kind == "encoder":  # the old model reads other inputs: only what it says is known
        said = [outputs_of(old, taken(old_pool, chosen)) for chosen in (new, validation)]
        update = replace(update, old=StoredLogits(*said))
    return Case(update, part.test, outputs_of(old, old_test))


def counts_of(case: Case, logits: Tensor) -> dict[str, Any]:
    """Return the flips on the test samples, as plain counts."""
    from segue.flips.counts import N_CELLS, Counts, cell_of

    old = case.update.answers_in_new_classes(case.old_test)
    new, labels = logits.argmax(dim=1), case.test[1]
    cells = torch.from_numpy(cell_of((old == labels).numpy(), (new == labels).numpy(), (old == new).numpy()))
    return Counts(*torch.bincount(cells.long(), minlength=N_CELLS).tolist()).to_dict()
