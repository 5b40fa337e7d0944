"""What happened in a training, epoch by epoch."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Epoch:
    """One pass over the training data.

    Attributes:
        epoch: Its number, from 1.
        steps: Optimiser steps since the training began.
        loss: Mean of the training loss over the epoch's samples, as they were met.
        rate: Learning rate of the first parameter group after the last step.
        seconds: Wall-clock seconds of training, without validation; of the last part, where the epoch was resumed.
        accuracy: Share of the validation samples that are right; ``None`` without validation data.
        negative_flip_rate: Share of the validation samples that the old model gets right and this one wrong; ``None``
            where the old model's answers were not given.
    """

    epoch: int
    steps: int
    loss: float
    rate: float
    seconds: float
    accuracy: float | None = None
    negative_flip_rate: float | None = None

    @property
    def figures(self) -> str:
        """What validation showed, in words; empty without validation."""
        parts = []
        if self.accuracy is not None:
            parts.append(f"accuracy {self.accuracy:.2%}")
        if self.negative_flip_rate is not None:
            parts.append(f"negative flips {self.negative_flip_rate:.2%}")
        return ", ".join(parts)

    def __str__(self) -> str:
        """Return in words what the epoch came to."""
        return ", ".join(filter(None, (f"epoch {self.epoch}: loss {self.loss:.4f}", self.figures)))


@dataclass(frozen=True, slots=True)
class History:
    """A training from its first to its last epoch.

    Attributes:
        epochs: The epochs.
        resumed_at: Step at which the run went on from a checkpoint; 0 for one that ran through.
    """

    epochs: tuple[Epoch, ...]
    resumed_at: int = 0

    @property
    def seconds(self) -> float:
        """Wall-clock seconds of all epochs."""
        return sum(epoch.seconds for epoch in self.epochs)

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers, ready for JSON."""
        return {"resumed_at": self.resumed_at, "epochs": [asdict(epoch) for epoch in self.epochs]}

    def save(self, path: str | Path) -> None:
        """Write the history as JSON.

        Args:
            path: The file.
        """
        Path(path).write_text(json.dumps(self.to_dict(), indent=1) + "\n", encoding="utf-8")

    def __str__(self) -> str:
        """Return in words what each epoch came to."""
        return "\n".join(map(str, self.epochs)) or "no epoch was trained"
