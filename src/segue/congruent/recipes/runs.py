"""What is kept on disk of a training: what it cost, how it is told from another, and who may write it."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
from filelock import FileLock, Timeout
from numpy.typing import NDArray
from torch import Tensor, nn

from segue.training.identity import digest_of
from segue.training.references import Reference, model_key


@dataclass(frozen=True, slots=True)
class Run:
    """A training that is over.

    Attributes:
        key: Its name on disk.
        seconds: Wall-clock seconds of its epochs.
        trainings: What it costs in plain trainings.
    """

    key: str
    seconds: float
    trainings: float


@dataclass(frozen=True, eq=False)
class Training:
    """How a run is trained.

    Attributes:
        objective: The loss.
        reference: What it is compared with.
        start: The model to begin from; ``None`` for fresh weights.
        seed: Seed of weights, order, augmentation and dropout, beside the update's own.
        fine_tuning: Whether the update's optimiser for fine-tuning is used.
        clip_norm: Largest norm of a step's gradient.
        patience: How many times as many epochs as the update's.
    """

    objective: Callable[..., Tensor]
    reference: Reference | Mapping[str, Reference] | None
    start: nn.Module | None
    seed: int
    fine_tuning: bool
    clip_norm: float | None
    patience: int

    def told(self, update: str) -> str:
        """Return all that decides how it ends, to be compared with what is on disk.

        Args:
            update: A digest of the update.

        Returns:
            One line.
        """
        start = "fresh" if self.start is None else model_key(self.start)
        return (
            f"update {update}, loss {digest_of(self.objective)}, references {_told_references(self.reference)}, "
            f"start {start}, seed {self.seed}, clip {self.clip_norm}, fine-tuning {self.fine_tuning}, "
            f"patience {self.patience}"
        )


@contextmanager
def alone(folder: Path, key: str) -> Generator[None, None, None]:
    """Wait until no other process trains a run.

    Args:
        folder: The folder that they share.
        key: The run.

    Yields:
        Nothing.
    """
    locks = folder / "locks"
    locks.mkdir(parents=True, exist_ok=True)
    lock = FileLock(locks / f"{key}.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        print(f"segue: another process trains {key!r} in {str(folder)!r}; waiting for it", file=sys.stderr)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()  # a killed process has released it, too


def write_told(path: Path, told: Mapping[str, Any]) -> None:
    """Write plain values as JSON; a killed process leaves the whole file or none.

    Args:
        path: The file.
        told: The values.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = _beside(path)
    beside.write_text(json.dumps(told), encoding="utf-8")
    beside.replace(path)


def save_logits(path: Path, logits: NDArray[np.float32]) -> None:
    """Save logits; a killed process leaves the whole file or none.

    Args:
        path: The file.
        logits: ``(n, classes)``.
    """
    beside = _beside(path)
    with beside.open("wb") as file:
        np.save(file, logits, allow_pickle=False)
    beside.replace(path)


def _beside(path: Path) -> Path:
    return path.with_name(f"{path.name}.{uuid4().hex}.part")  # its own: another process may write the same file


def _told_references(reference: Reference | Mapping[str, Reference] | None) -> str | None:
    if reference is None:
        return None
    named = reference if isinstance(reference, Mapping) else {"": reference}
    return digest_of(
        {name: model_key(one) if isinstance(one, nn.Module) else digest_of(one) for name, one in named.items()}
    )
