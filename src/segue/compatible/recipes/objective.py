"""The loss of a compatible training: the new model's own, and what holds it to the old one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from segue.compatible.heads import Head
from segue.compatible.losses import CompatibleLoss


@dataclass(frozen=True, eq=False)
class Seen:
    """A batch as an objective sees it.

    Attributes:
        new: The new embeddings, ``(n, d_new)``.
        old: The old embeddings, ``(n, d_old)``; zeros where there is none.
        known: Which samples have an old embedding, ``(n,)`` booleans.
        labels: The truth, ``(n,)``.
        progress: The share of the training that is done, from 0 to 1.
        told: Whatever else the objective is told of each sample, by name.
    """

    new: Tensor
    old: Tensor
    known: Tensor
    labels: Tensor
    progress: float
    told: Mapping[str, Tensor]


class Objective(nn.Module):
    """The new model's own classification loss; a subclass adds what holds it to the old model.

    Args:
        head: The new model's own head.
        dimension: Columns of the new embeddings.
        steps: Steps of the whole training.
    """

    done: Tensor

    def __init__(self, head: Head, dimension: int, steps: int) -> None:
        super().__init__()
        self.head = head
        self.dimension = dimension
        self.steps = steps
        # a buffer, so that a training that goes on from its checkpoint knows how far it was
        self.register_buffer("done", torch.zeros((), dtype=torch.int64))

    def forward(self, outputs: Tensor, reference: Mapping[str, Tensor], labels: Tensor) -> Tensor:
        """Return the loss of a batch.

        Args:
            outputs: What the learner returned, ``(n, d_new or more)``.
            reference: ``"old"``, ``(n, d_old)``, and ``"known"``, ``(n, 1)``, as the old side gives them, and more.
            labels: The truth, ``(n,)``.

        Returns:
            A scalar.
        """
        progress = min(int(self.done) / self.steps, 1.0)
        self.done += 1
        known = reference["known"][:, 0] > 0
        seen = Seen(outputs[:, : self.dimension], reference["old"], known, labels, progress, reference)
        return self.own(seen) + self.compatible(seen)

    def own(self, seen: Seen) -> Tensor:
        """Return the cross-entropy of the new head.

        Args:
            seen: The batch.

        Returns:
            A scalar.
        """
        return functional.cross_entropy(self.head(seen.new, seen.labels), seen.labels)

    def compatible(self, seen: Seen) -> Tensor:
        """Return what holds the new embeddings to the old ones: nothing.

        Args:
            seen: The batch.

        Returns:
            A scalar.
        """
        return seen.new.new_zeros(())


class Beside(Objective):
    """The own loss, and beside it a compatible loss with a strength.

    Args:
        head: The new model's own head.
        dimension: Columns of the new embeddings.
        steps: Steps of the whole training.
        loss: The compatible loss. One that needs old embeddings is shown the samples that have one.
        strength: Its weight.
    """

    def __init__(self, head: Head, dimension: int, steps: int, *, loss: CompatibleLoss, strength: float) -> None:
        super().__init__(head, dimension, steps)
        self.loss = loss
        self.strength = strength

    def compatible(self, seen: Seen) -> Tensor:
        """Return the compatible loss times its strength.

        Args:
            seen: The batch.

        Returns:
            A scalar.
        """
        if not self.loss.needs_old:
            value: Tensor = self.loss(seen.new, labels=seen.labels)
        elif not seen.known.any():
            value = seen.new.sum() * 0
        else:
            value = self.loss(seen.new[seen.known], seen.old[seen.known], seen.labels[seen.known])
        return self.strength * value
