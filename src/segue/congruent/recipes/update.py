"""The update to be made: the old model, how a new one is built and trained, and the data."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from segue.errors import InputError
from segue.training.data import TrainingData, as_data


@dataclass(frozen=True)
class StoredLogits:
    """An old model that can't be run any more, or reads other inputs: what it said.

    Attributes:
        train: Its logits on the training samples, ``(n, old classes)``.
        validation: Its logits on the validation samples, ``(m, old classes)``.
    """

    train: Tensor
    validation: Tensor


@dataclass(frozen=True)
class Update:
    """All that is needed to train a successor, however it is then trained.

    Attributes:
        build: Returns a new model with fresh weights, drawn from torch's global generator.
        old: The old model, or its stored logits.
        train: Training data: a pair ``(inputs, labels)`` of tensors, a map-style dataset, or ``TrainingData``.
        validation: Held-out data in the same forms: every choice is made on them.
        optimizer: From a model's parameters to an optimiser, as for plain training.
        epochs: Passes over the training data.
        batch_size: Samples per step.
        schedule: From an optimiser and the number of steps to a schedule that is stepped after each step.
        fine_tuning: The optimiser for trainings that begin from the old weights, where it should differ (usually by
            a lower learning rate).
        class_map: The new class of each old class, ``(old classes,)``, -1 where it is gone; ``None`` where the class
            sets are equal.
        seed: Seed of all that chance decides.
    """

    build: Callable[[], nn.Module]
    old: nn.Module | StoredLogits
    train: Any
    validation: Any
    optimizer: Callable[[Iterable[nn.Parameter]], Optimizer]
    epochs: int
    batch_size: int = 128
    schedule: Callable[[Optimizer, int], LRScheduler] | None = None
    fine_tuning: Callable[[Iterable[nn.Parameter]], Optimizer] | None = None
    class_map: Sequence[int] | None = None
    seed: int = 0

    def data(self) -> tuple[TrainingData, TrainingData]:
        """Return training and validation data.

        Returns:
            Both, as the loop reads them.

        Raises:
            InputError: If they can't be read, are the same, or stored logits do not fit them.
        """
        train, validation = as_data(self.train, "train"), as_data(self.validation, "validation")
        if self.train is self.validation:
            raise InputError("train and validation are the same data; hold some samples out")
        if isinstance(self.old, StoredLogits):
            for name, logits, samples in (
                ("train", self.old.train, train),
                ("validation", self.old.validation, validation),
            ):
                if logits.dim() != 2 or len(logits) != len(samples):
                    raise InputError(
                        f"old.{name} has shape {tuple(logits.shape)} for {len(samples):,} samples; pass logits "
                        f"({len(samples)}, old classes)"
                    )
        return train, validation

    def answers_in_new_classes(self, old_logits: Tensor) -> Tensor:
        """Return the old model's answers as classes of the new model.

        Args:
            old_logits: ``(n, old classes)``.

        Returns:
            ``(n,)``; -1 where the old model's class is gone.
        """
        answers = old_logits.argmax(dim=1)
        return answers if self.class_map is None else torch.as_tensor(self.class_map)[answers]
