"""Train a network on grey pictures, and let it answer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from segue.demo.network import SmallResidualNetwork
from segue.demo.pictures import Pictures
from segue.demo.progress import Advance

# One, although there may be more cores: in networks this small threads gain little, and on a machine that others use
# too they wait for each other at every layer. The last digits of floating-point sums depend on the number as well.
THREADS = 1
ANSWER_BATCH = 500


@dataclass(frozen=True, slots=True)
class Recipe:
    """How one of the two models comes to be.

    Attributes:
        width: Channels of the network's stem.
        samples: How many training pictures it sees; ``None`` for all.
        epochs: How often it sees each.
        batch: Pictures per step.
        peak_rate: Highest learning rate of the one-cycle schedule.
    """

    width: int
    samples: int | None
    epochs: int
    batch: int = 128
    peak_rate: float = 0.1


@dataclass(frozen=True, slots=True)
class Answers:
    """What a model says about ``n`` pictures.

    Attributes:
        classes: Number of the most probable class, ``(n,)``.
        confidences: Its softmax probability, ``(n,)``.
    """

    classes: NDArray[np.int64]
    confidences: NDArray[np.float64]


def make_reproducible(seed: int) -> None:
    """Fix everything that chance or the number of cores would decide."""
    torch.manual_seed(seed)
    torch.set_num_threads(THREADS)
    torch.use_deterministic_algorithms(True)


def as_input(images: Tensor, mean: float, spread: float) -> Tensor:
    """Return standardised network input ``(n, 1, h, w)`` of grey values ``(n, h, w)`` in 0..255."""
    return ((images.float() - mean) / spread).unsqueeze(1).contiguous(memory_format=torch.channels_last)


def store_channels_last(network: nn.Module) -> None:
    """Lay the kernels out as ``as_input`` lays out the pictures, which a CPU convolves about a third faster."""
    for parameter in network.parameters():
        if parameter.dim() == 4:
            parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)


@dataclass(frozen=True)
class Model:
    """A trained network with the two numbers that standardise its input."""

    network: SmallResidualNetwork
    mean: float
    spread: float

    @torch.inference_mode()
    def answer(self, pictures: Pictures, advance: Advance = lambda count: None) -> Answers:
        """Classify pictures.

        Args:
            pictures: The pictures; their labels are not read.
            advance: Called with the number of pictures done since the last call.

        Returns:
            The model's answers, in the order of the pictures.
        """
        self.network.eval()
        classes, confidences = [], []
        for images in torch.split(torch.from_numpy(pictures.images), ANSWER_BATCH):
            probabilities = self.network(as_input(images, self.mean, self.spread)).double().softmax(dim=1)
            confidence, answer = probabilities.max(dim=1)
            classes.append(answer.numpy())
            confidences.append(confidence.numpy())
            advance(len(images))
        return Answers(np.concatenate(classes), np.concatenate(confidences))


def train(recipe: Recipe, pictures: Pictures, classes: int, seed: int, advance: Advance = lambda count: None) -> Model:
    """Train a network by stochastic gradient descent with a one-cycle schedule (Smith and Topin, 2019).

    Args:
        recipe: Width, epochs and learning rate.
        pictures: What to learn from, all of it.
        classes: Number of classes.
        seed: Seed of the first weights and of the order of the pictures.
        advance: Called with the number of pictures done since the last call.

    Returns:
        The trained model.
    """
    make_reproducible(seed)
    images, labels = torch.from_numpy(pictures.images), torch.from_numpy(pictures.labels)
    mean, spread = float(pictures.images.mean()), float(pictures.images.std())
    network = SmallResidualNetwork(classes, recipe.width)
    store_channels_last(network)
    network.train()
    optimizer = torch.optim.SGD(
        network.parameters(), lr=recipe.peak_rate, momentum=0.9, nesterov=True, weight_decay=5e-4
    )
    steps = -(-len(labels) // recipe.batch) * recipe.epochs
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=recipe.peak_rate, total_steps=steps)
    for _ in range(recipe.epochs):
        for batch in torch.split(torch.randperm(len(labels)), recipe.batch):
            loss = nn.functional.cross_entropy(network(as_input(images[batch], mean, spread)), labels[batch])
            optimizer.zero_grad()
            torch.autograd.backward(loss)
            optimizer.step()
            schedule.step()
            advance(len(batch))
    return Model(network, mean, spread)
