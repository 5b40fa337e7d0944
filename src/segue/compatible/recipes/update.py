"""The update to be made: what the old model left behind, how a new one is built and trained, and the data."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from segue.compatible.checks import check_count, check_embeddings
from segue.compatible.heads.frozen import FrozenHead, check_frozen
from segue.errors import InputError
from segue.training.data import TrainingData, as_data


@dataclass(frozen=True, eq=False)
class StoredEmbeddings:
    """An old model that can't be run any more, is somebody else's, or reads other inputs: its vectors.

    Attributes:
        train: Its embeddings of the training samples, ``(n, d_old)``.
        validation: Its embeddings of the validation samples, ``(m, d_old)``.
        known: Which training samples have one, ``(n,)`` booleans; rows of the others are never read. ``None`` for all.
    """

    train: Tensor
    validation: Tensor
    known: Tensor | None = None


@dataclass(frozen=True)
class Update:
    """All that is needed to train a successor, however it is then trained.

    The new network maps inputs to embeddings; heads are added, trained and dropped by the methods. It may be a whole
    network, or a small one on top of a frozen encoder whose outputs are the inputs here.

    Attributes:
        build: Returns a new network with fresh weights, drawn from torch's global generator: inputs to ``(n, d_new)``.
        old: The old network, inputs to ``(n, d_old)``, or its stored embeddings.
        train: Training data with labels: a pair ``(inputs, labels)`` of tensors, a map-style dataset, or
            ``TrainingData``.
        validation: Held-out data in the same forms: every choice is made on them. Each sample searches all others.
        optimizer: From parameters to an optimiser, as for plain training.
        epochs: Passes over the training data.
        batch_size: Samples per step.
        schedule: From an optimiser and the number of steps to a schedule that is stepped after each step.
        old_head: The old model's head, if there is one left, with the class of each of its rows.
        seed: Seed of all that chance decides.

    Raises:
        InputError: If an argument is not as described.
    """

    build: Callable[[], nn.Module]
    old: nn.Module | StoredEmbeddings
    train: Any
    validation: Any
    optimizer: Callable[[Iterable[nn.Parameter]], Optimizer]
    epochs: int
    batch_size: int = 128
    schedule: Callable[[Optimizer, int], LRScheduler] | None = None
    old_head: FrozenHead | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse what would fail only after hours of training.

        Raises:
            InputError: If an argument is not as described.
        """
        if not isinstance(self.old, nn.Module | StoredEmbeddings):
            raise InputError(f"old is a {type(self.old).__name__}; pass the old network, or its StoredEmbeddings")
        for name in ("build", "optimizer", "schedule"):
            made = getattr(self, name)
            if isinstance(made, nn.Module) or not (callable(made) or (made is None and name == "schedule")):
                raise InputError(f"{name} must be a function that makes a new one each time, not this {_kind(made)}")
        check_count("epochs", self.epochs)
        check_count("batch_size", self.batch_size)
        if self.old_head is not None:
            check_frozen("old_head", self.old_head)

    def data(self) -> tuple[TrainingData, TrainingData]:
        """Return training and validation data.

        Returns:
            Both, as the loop reads them.

        Raises:
            InputError: If they can't be read, are the same, or stored embeddings do not fit them.
        """
        train, validation = as_data(self.train, "train"), as_data(self.validation, "validation")
        if self.train is self.validation:
            raise InputError("train and validation are the same data; hold some samples out")
        if isinstance(self.old, StoredEmbeddings):
            check_stored(self.old, len(train), len(validation))
        return train, validation

    def steps(self, samples: int) -> int:
        """Return the optimiser steps of a training.

        Args:
            samples: Training samples.

        Returns:
            The steps.
        """
        return self.epochs * -(-samples // self.batch_size)


def check_stored(stored: StoredEmbeddings, train: int, validation: int) -> None:
    """Refuse stored embeddings that do not belong to the samples.

    Args:
        stored: What the user passed.
        train: Number of training samples.
        validation: Number of validation samples.

    Raises:
        InputError: If shapes do not fit, a vector that is to be read is zero or not finite, or none is known.
    """
    for name, vectors, samples in (("train", stored.train, train), ("validation", stored.validation, validation)):
        check_embeddings(f"old.{name}", vectors)
        if len(vectors) != samples:
            raise InputError(f"old.{name} has {len(vectors):,} rows for {samples:,} samples; pass one row per sample")
    if stored.train.shape[1] != stored.validation.shape[1]:
        raise InputError(
            f"old.train has {stored.train.shape[1]} dimensions and old.validation {stored.validation.shape[1]}; pass "
            "embeddings of one model"
        )
    known = stored.known
    if known is not None:
        if not isinstance(known, Tensor) or known.dtype != torch.bool or known.shape != (train,):
            raise InputError(f"old.known must hold one boolean per training sample; pass a tensor of shape ({train},)")
        if not known.any():
            raise InputError("old.known says that no training sample has an old embedding; pass some that have")
    for name, vectors, read in (("train", stored.train, known), ("validation", stored.validation, None)):
        check_vectors(f"old.{name}", vectors, read)


def check_vectors(name: str, vectors: Tensor, read: Tensor | None = None) -> None:
    """Refuse vectors without a direction.

    Args:
        name: What they are called.
        vectors: ``(n, d_old)``.
        read: Which rows are looked at, ``(n,)`` booleans; ``None`` for all.

    Raises:
        InputError: If they are not one row per sample, or a row is zero or not finite.
    """
    check_embeddings(name, vectors)
    bad = ~vectors.isfinite().all(dim=1) | ~vectors.any(dim=1)
    bad = bad if read is None else bad & read.to(bad.device)
    if bad.any():
        raise InputError(
            f"{name} has {int(bad.sum()):,} rows that are zero or not finite, first at row {int(bad.nonzero()[0])}; "
            "leave these samples out, or mark training samples without an old embedding in old.known"
        )


def _kind(made: object) -> str:
    return type(made).__name__
