"""A small update: six clouds, an old model that mixes some of them up, and a new network that can tell them apart."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import torch
from torch import Tensor, nn

from segue.compatible.recipes import StoredEmbeddings, Update

CLASSES, INPUTS, OLD = 6, 12, 4


def clouds(samples: int, seed: int) -> tuple[Tensor, Tensor]:
    """Return inputs and labels."""
    centres = torch.randn(CLASSES, INPUTS, generator=torch.Generator().manual_seed(0))
    labels = torch.arange(samples) % CLASSES
    noise = torch.randn(samples, INPUTS, generator=torch.Generator().manual_seed(seed))
    return centres[labels] + 0.8 * noise, labels


def old_network() -> nn.Module:
    """Return a linear map into few dimensions."""
    network = nn.Linear(INPUTS, OLD, bias=False)
    network.weight.data = torch.randn(OLD, INPUTS, generator=torch.Generator().manual_seed(3))
    return network


def new_network(dimension: int = 8) -> nn.Module:
    """Return a fresh network."""
    return nn.Sequential(nn.Linear(INPUTS, 16), nn.ReLU(), nn.Linear(16, dimension))


TRAIN, VALIDATION = clouds(240, 1), clouds(120, 2)


def update(**changes: object) -> Update:
    """Return the update, with some things changed."""
    usual = Update(
        build=new_network,
        old=old_network(),
        train=TRAIN,
        validation=VALIDATION,
        optimizer=partial(torch.optim.SGD, lr=0.1, momentum=0.9),
        epochs=4,
        batch_size=24,
    )
    return replace(usual, **changes)  # type: ignore[arg-type]


def stored(known: Tensor | None = None) -> StoredEmbeddings:
    """Return what the old network said, as somebody has it who has lost the network."""
    with torch.no_grad():
        return StoredEmbeddings(old_network()(TRAIN[0]), old_network()(VALIDATION[0]), known)
