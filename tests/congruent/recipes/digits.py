"""A small update on scikit-learn's digits: a model of 120 samples is to be followed by one of 500."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch
from sklearn.datasets import load_digits
from torch import nn

from segue.congruent.recipes import StoredLogits, Update, train
from segue.training import fit, outputs_of

_digits = load_digits()
_order = torch.randperm(len(_digits.target), generator=torch.Generator().manual_seed(0))
INPUTS = torch.tensor(_digits.data / 16, dtype=torch.float32)[_order]
LABELS = torch.tensor(_digits.target)[_order]
TRAIN, VALIDATION, TEST = (
    (INPUTS[part], LABELS[part]) for part in (slice(500), slice(500, 900), slice(900, 1797))
)  # fmt: skip


def build(classes: int = 10, width: int = 16) -> nn.Module:
    return nn.Sequential(nn.Linear(64, width), nn.ReLU(), nn.Linear(width, classes))


def optimizer(parameters):
    return torch.optim.SGD(parameters, lr=0.1, momentum=0.9)


def old_model(classes: int = 10, width: int = 16) -> nn.Module:
    """A model of the first 120 samples, of those among them whose classes it knows."""
    known = torch.arange(120)[LABELS[:120] < classes]
    with torch.random.fork_rng():
        torch.manual_seed(7)
        model = build(classes, width)
    fit(
        model,
        (INPUTS[known], LABELS[known]),
        nn.CrossEntropyLoss(),
        optimizer=optimizer(model.parameters()),
        epochs=6,
        batch_size=32,
        progress=False,
    )
    return model


def update(**changes) -> Update:
    """The update, or one that differs in something."""
    usual = Update(build, old_model(), TRAIN, VALIDATION, optimizer, epochs=3, batch_size=64)
    return replace(usual, **changes)


def stored() -> Update:
    """The update where nothing is left of the old model but what it said."""
    old = old_model()
    return update(old=StoredLogits(outputs_of(old, TRAIN), outputs_of(old, VALIDATION)))


def grown() -> Update:
    """The update of a model that knew the digits 0 to 7, to one that knows all."""
    return update(old=old_model(8), class_map=list(range(8)))


def killed_at_file_operation(folder: str, number: int) -> None:
    """Train until this process is killed at its ``number``-th file operation in the folder."""
    from tests.training.killing import die_at_file_operation

    torch.set_num_threads(1)
    die_at_file_operation(Path(folder), number)
    train(update(), ["interpolation", "focal-logit-matching"], folder=folder, progress=False)
