"""The update to be made: the old model, how a new one is built and trained, and the data."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from segue.congruent.losses.checks import check_logits
from segue.congruent.losses.class_maps import read_class_map
from segue.congruent.recipes.choice import check_samples
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
            sets are equal. A tensor or an array will do; it is kept as a tuple.
        seed: Seed of all that chance decides.
        head: Names of the tensors with one row per class (or of the layer that holds them), for a ``class_map`` whose
            head can't be told by its shape; see :func:`segue.congruent.interpolation.interpolate`.

    Raises:
        InputError: If an argument is not as described.
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
    head: Collection[str] | None = None

    def __post_init__(self) -> None:
        """Refuse what would fail only after hours of training, and keep the class map as plain numbers.

        Raises:
            InputError: If an argument is not as described.
        """
        if not isinstance(self.old, nn.Module | StoredLogits):
            raise InputError(f"old is a {type(self.old).__name__}; pass the old model, or its StoredLogits")
        for name in ("build", "optimizer", "schedule", "fine_tuning"):
            made, needed = getattr(self, name), name in {"build", "optimizer"}
            if isinstance(made, nn.Module) or not (callable(made) or (made is None and not needed)):
                what = type(made).__name__
                raise InputError(f"{name} must be a function that makes a new one each time, not this {what}")
        for name in ("epochs", "batch_size"):
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                raise InputError(f"{name} is {value!r}; pass a whole number from 1")
        if self.class_map is not None:
            try:
                classes = read_class_map(self.class_map)
            except InputError as error:
                raise InputError(f"the update's {error}") from error
            object.__setattr__(self, "class_map", tuple(classes.tolist()))
        elif self.head is not None:
            raise InputError("head was given without class_map; pass class_map=[new class of each old class]")
        if self.head is not None:
            names = [self.head] if isinstance(self.head, str) else list(self.head)
            if not names or not all(isinstance(name, str) for name in names):
                raise InputError(f"head is {self.head!r}; name the tensors or the layer with a row per class")
            object.__setattr__(self, "head", tuple(names))

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
        check_samples(len(validation))
        if isinstance(self.old, StoredLogits):
            for name, logits, samples in (
                ("train", self.old.train, train),
                ("validation", self.old.validation, validation),
            ):
                check_logits(f"old.{name}", logits)
                if len(logits) != len(samples):
                    raise InputError(
                        f"old.{name} has shape {tuple(logits.shape)} for {len(samples):,} samples; pass logits "
                        f"({len(samples)}, old classes)"
                    )
                if not torch.isfinite(logits).all():
                    raise InputError(f"old.{name} has values that are not finite; compute these logits anew")
            if self.old.train.shape[1] != self.old.validation.shape[1]:
                raise InputError(
                    f"old.train has {self.old.train.shape[1]} classes and old.validation "
                    f"{self.old.validation.shape[1]}; pass logits of one model"
                )
        return train, validation

    def steps(self, samples: int) -> int:
        """Return the optimiser steps of a training.

        Args:
            samples: Training samples.

        Returns:
            The steps.
        """
        return self.epochs * -(-samples // self.batch_size)

    def check_classes(self, old: int, new: int) -> None:
        """Refuse a class map that does not lead from the old classes to the new ones.

        Args:
            old: Number of classes of the old model.
            new: Number of classes of the new one.

        Raises:
            InputError: If it does not, or is missing.
        """
        if self.class_map is None:
            if old != new:
                raise InputError(
                    f"the old model knows {old} classes and the new one {new}; give the Update a class_map, the new "
                    f"class of each old class, -1 where it is gone"
                )
        elif len(self.class_map) != old:
            raise InputError(
                f"the update's class_map names {len(self.class_map)} old classes, but the old model knows {old}"
            )
        elif max(self.class_map) >= new:
            raise InputError(
                f"the update's class_map names the new class {max(self.class_map)}, but the new model has {new} "
                f"classes, numbered from 0"
            )

    def answers_in_new_classes(self, old_logits: Tensor) -> Tensor:
        """Return the old model's answers as classes of the new model.

        Args:
            old_logits: ``(n, old classes)``.

        Returns:
            ``(n,)``; -1 where the old model's class is gone.
        """
        answers = old_logits.argmax(dim=1)
        return answers if self.class_map is None else torch.as_tensor(self.class_map)[answers]
