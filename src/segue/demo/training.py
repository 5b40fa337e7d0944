"""Train a network on grey pictures, from the labels alone or congruently with an older model, and let it answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from lightning.fabric import Fabric
from numpy.typing import NDArray
from torch import Tensor, nn

from segue.congruent.losses import FocalDistillation, LogitMatching
from segue.congruent.objective import Penalized
from segue.demo.network import SmallResidualNetwork
from segue.demo.pictures import Pictures
from segue.demo.progress import Advance
from segue.training import fit, outputs_of

# One, although there may be more cores: in networks this small threads gain little, and on a machine that others use
# too they wait for each other at every layer. The last digits of floating-point sums depend on the number as well.
THREADS = 1
ANSWER_BATCH = 500


@dataclass(frozen=True, slots=True)
class Recipe:
    """How one of the models comes to be.

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


class Model(nn.Module):
    """A network with the two numbers that standardise its input, so that it takes grey values as they are stored.

    Args:
        network: The network.
        mean: Mean grey value of the training pictures.
        spread: Their standard deviation.
    """

    def __init__(self, network: SmallResidualNetwork, mean: float, spread: float) -> None:
        super().__init__()
        self.network, self.mean, self.spread = network, mean, spread
        for parameter in network.parameters():
            if parameter.dim() == 4:  # a CPU convolves pictures laid out like this about a third faster
                parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)

    def forward(self, images: Tensor) -> Tensor:
        """Return logits ``(n, classes)`` of grey values ``(n, height, width)`` in 0..255."""
        standardised = ((images.float() - self.mean) / self.spread).unsqueeze(1)
        logits: Tensor = self.network(standardised.contiguous(memory_format=torch.channels_last))
        return logits

    def logits(self, pictures: Pictures, advance: Advance = lambda count: None) -> Tensor:
        """Ask for the logits of pictures.

        Args:
            pictures: The pictures; their labels are not read.
            advance: Called with the number of pictures done since the last call.

        Returns:
            Logits ``(n, classes)``, in the order of the pictures.
        """
        return outputs_of(self, tensors(pictures), batch_size=ANSWER_BATCH, advance=advance)

    def answer(self, pictures: Pictures, advance: Advance = lambda count: None) -> Answers:
        """Classify pictures.

        Args:
            pictures: The pictures; their labels are not read.
            advance: Called with the number of pictures done since the last call.

        Returns:
            The model's answers, in the order of the pictures.
        """
        confidences, classes = self.logits(pictures, advance).double().softmax(dim=1).max(dim=1)
        return Answers(classes.numpy(), confidences.numpy())


def train(recipe: Recipe, pictures: Pictures, classes: int, seed: int, advance: Advance = lambda count: None) -> Model:
    """Train a network on the labels alone.

    Args:
        recipe: Width, epochs and learning rate.
        pictures: What to learn from, all of it.
        classes: Number of classes.
        seed: Seed of the first weights and of the order of the pictures.
        advance: Called with the number of pictures done since the last call.

    Returns:
        The trained model.
    """
    return _trained(recipe, pictures, classes, seed, counted(nn.functional.cross_entropy, advance), None)


def train_congruently(
    recipe: Recipe,
    pictures: Pictures,
    classes: int,
    seed: int,
    advance: Advance = lambda count: None,
    *,
    old: Tensor,
    weight: float,
) -> Model:
    """Train a network on the labels and on an older model's logits, which weigh more where that model was right.

    The loss is cross-entropy plus focal distillation with logit matching (Yan et al., Positive-Congruent Training, CVPR
    2021). All else is as in :func:`train`: the same seed begins with the same weights and meets the pictures in the
    same order.

    Args:
        recipe: Width, epochs and learning rate.
        pictures: What to learn from, all of it.
        classes: Number of classes.
        seed: Seed of the first weights and of the order of the pictures.
        advance: Called with the number of pictures done since the last call.
        old: The older model's logits on the same pictures, ``(n, classes)``.
        weight: What the distillation counts beside the labels; 0 is :func:`train`.

    Returns:
        The trained model.
    """
    loss = Penalized(FocalDistillation(distance=LogitMatching()), weight)
    return _trained(recipe, pictures, classes, seed, counted(loss, advance), old)


def counted(loss: Callable[..., Tensor], advance: Advance) -> Callable[..., Tensor]:
    """Let a loss tell how many pictures it is asked about.

    Args:
        loss: The loss, whose first argument is the logits.
        advance: Called with the number of pictures of each batch.

    Returns:
        The same loss, that tells.
    """

    def telling(logits: Tensor, *told: Tensor) -> Tensor:
        advance(len(logits))
        return loss(logits, *told)

    return telling


def tensors(pictures: Pictures) -> tuple[Tensor, Tensor]:
    """Return grey values ``(n, height, width)`` and labels ``(n,)``."""
    return torch.from_numpy(pictures.images), torch.from_numpy(pictures.labels)


def _trained(
    recipe: Recipe, pictures: Pictures, classes: int, seed: int, loss: Callable[..., Tensor], old: Tensor | None
) -> Model:
    # Stochastic gradient descent with a one-cycle schedule (Smith and Topin, 2019).
    torch.manual_seed(seed)
    torch.set_num_threads(THREADS)
    network = SmallResidualNetwork(classes, recipe.width)
    model = Model(network, float(pictures.images.mean()), float(pictures.images.std()))
    optimizer = torch.optim.SGD(model.parameters(), lr=recipe.peak_rate, momentum=0.9, nesterov=True, weight_decay=5e-4)
    steps = -(-len(pictures) // recipe.batch) * recipe.epochs
    fit(
        model,
        tensors(pictures),
        loss,
        optimizer=optimizer,
        epochs=recipe.epochs,
        batch_size=recipe.batch,
        schedule=torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=recipe.peak_rate, total_steps=steps),
        reference=old,
        seed=seed,
        fabric=Fabric(accelerator="cpu", devices=1),  # the demo gives everybody the same figures
        progress=False,
    )
    return model
