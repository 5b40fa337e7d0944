"""Which samples come in which step, and to which process: a function of the seed alone."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from segue.errors import InputError
from segue.training.seeds import generator


@dataclass(frozen=True)
class Share:
    """What one process does of a step, or of a part of it.

    Attributes:
        index: Its samples, ``(n,)``.
        counted: How many of them count; 0 where there are fewer samples than processes, and this one answers a sample
            of another's so that all take part in every step.
        weight: What its mean loss is to be multiplied by, so that the mean of all processes' gradients, summed over the
            parts of the step, is the gradient of the mean loss of the whole batch.
    """

    index: Tensor
    counted: int
    weight: float


@dataclass(frozen=True)
class Plan:
    """The order of a training.

    Attributes:
        samples: Number of samples.
        batch_size: Samples per step.
        epochs: Passes over the samples.
        seed: Seed of the order.
        accumulate: Parts that a step's samples are taken in, one after the other, before the optimiser moves.
    """

    samples: int
    batch_size: int
    epochs: int
    seed: int
    accumulate: int = 1

    def __post_init__(self) -> None:
        """Refuse sizes that can't be.

        Raises:
            InputError: If one is below 1.
        """
        for name in ("epochs", "batch_size", "accumulate"):
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                raise InputError(f"{name} is {value!r}; pass a whole number from 1")

    @property
    def per_epoch(self) -> int:
        """Steps of one epoch."""
        return -(-self.samples // self.batch_size)

    @property
    def steps(self) -> int:
        """Steps in all."""
        return self.epochs * self.per_epoch

    def rest_of_epoch(self, step: int, rank: int = 0, world: int = 1) -> list[list[Share]]:
        """Return what one process has to do from a step to the end of its epoch.

        Args:
            step: Steps done.
            rank: Number of the process.
            world: Number of processes.

        Returns:
            The shares of each step.

        Example:
            >>> [share.index.tolist() for (share,) in Plan(samples=5, batch_size=2, epochs=1, seed=0).rest_of_epoch(0)]
            [[4, 0], [2, 1], [3]]
        """
        epoch, skipped = divmod(step, self.per_epoch)
        order = torch.randperm(self.samples, generator=generator(self.seed, "order", epoch))
        return [
            [_share(part, rank, world, len(whole)) for part in torch.chunk(whole, self.accumulate)]
            for whole in torch.split(order, self.batch_size)[skipped:]
        ]


def _share(part: Tensor, rank: int, world: int, whole: int) -> Share:
    own = part[rank::world]
    return Share(own if len(own) else part[:1], len(own), len(own) * world / whole)
