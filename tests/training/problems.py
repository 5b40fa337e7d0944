"""Small things to learn, for the tests of training; importable by processes of their own."""

import random

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import Dataset

from segue.training import TensorData

SAMPLES, FEATURES, CLASSES = 90, 6, 3


def points(samples: int = SAMPLES, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Return clouds of points around one centre a class."""
    draws = torch.Generator().manual_seed(seed)
    labels = torch.randint(CLASSES, (samples,), generator=draws)
    centres = 2 * torch.eye(CLASSES, FEATURES)
    return centres[labels] + torch.randn(samples, FEATURES, generator=draws), labels


def network(seed: int = 0, dropout: float = 0.0, norm: bool = False) -> nn.Sequential:
    """Return a small network whose first weights the seed decides."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        layers = [nn.Linear(FEATURES, 8), *([nn.BatchNorm1d(8)] if norm else []), nn.Tanh(), nn.Dropout(dropout)]
        return nn.Sequential(*layers, nn.Linear(8, CLASSES))


def shaken(inputs: Tensor, chance: torch.Generator) -> Tensor:
    """Augment a batch by noise from a generator."""
    return inputs + 0.1 * torch.randn(inputs.shape, generator=chance)


def augmented() -> TensorData:
    """Return the points with noise that is drawn anew in each epoch."""
    return TensorData(*points(), augment=shaken)


class Shaken(Dataset):
    """The points, with random transforms from each of the three generators that people use."""

    def __init__(self, samples: int = SAMPLES) -> None:
        self.inputs, self.labels = points(samples)

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        moved = self.inputs[index] + 0.1 * torch.randn(FEATURES) + 0.1 * float(np.random.standard_normal())
        return moved * (1 if random.random() < 0.5 else 0.9), int(self.labels[index])


class Named(Dataset):
    """The points as mappings, as tokenised text comes."""

    def __init__(self) -> None:
        self.inputs, self.answers = points()

    def __len__(self) -> int:
        return len(self.answers)

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        return {"first": self.inputs[index, :3], "second": self.inputs[index, 3:], "labels": self.answers[index]}


class TwoInputs(nn.Module):
    """A network that takes two inputs by name and returns a mapping."""

    def __init__(self) -> None:
        super().__init__()
        self.body = network()

    def forward(self, first: Tensor, second: Tensor) -> dict[str, Tensor]:
        return {"logits": self.body(torch.cat([first, second], dim=1))}


def sgd(model: nn.Module, rate: float = 0.1) -> torch.optim.SGD:
    """Return gradient descent with momentum."""
    return torch.optim.SGD(model.parameters(), lr=rate, momentum=0.9)


def pull(logits: Tensor, reference: Tensor, labels: Tensor) -> Tensor:
    """Return the cross-entropy, and how far the logits are from the reference's."""
    return nn.functional.cross_entropy(logits, labels) + 0.5 * (logits - reference).square().mean()


def weights(model: nn.Module) -> list[Tensor]:
    """Return all numbers of a model."""
    return [tensor.clone() for tensor in model.state_dict().values()]


def same(first: list[Tensor], second: list[Tensor]) -> bool:
    """Tell whether two lists of tensors are equal bit for bit."""
    return len(first) == len(second) and all(torch.equal(a, b) for a, b in zip(first, second, strict=True))
