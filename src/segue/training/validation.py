"""Held-out samples that are watched while a model trains."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from segue.errors import InputError
from segue.training.asking import outputs_of
from segue.training.data import as_data


class Validation:
    """Validation data, with the old model's answers where negative flips are to be watched.

    Args:
        data: A pair ``(inputs, labels)`` of tensors, a map-style dataset, or ``TrainingData``.
        old: The old model's answers in the new model's classes ``(n,)``, or its logits ``(n, classes)`` where the
            class sets are equal.
        batch_size: Samples per call.

    Raises:
        InputError: If there is not one old answer per sample.
    """

    def __init__(self, data: Any, old: Tensor | None = None, *, batch_size: int = 512) -> None:
        self.data, self.batch_size = as_data(data, "validation"), batch_size
        if old is not None and len(old) != len(self.data):
            raise InputError(f"old has {len(old):,} answers for {len(self.data):,} validation samples; pass one each")
        self.old = old if old is None or old.dim() == 1 else old.argmax(dim=1)
        batches = self.data.plain(torch.split(torch.arange(len(self.data)), batch_size))
        self.labels = torch.cat([batch.labels for batch in batches])

    def measure(self, model: nn.Module, device: torch.device | str | None = None) -> tuple[float, float | None]:
        """Answer the samples.

        Args:
            model: The model; it answers in evaluation mode and keeps its own.
            device: Where the inputs go.

        Returns:
            Accuracy, and the share of the samples that only the old model gets right, or ``None``.
        """
        answers = outputs_of(model, self.data, batch_size=self.batch_size, device=device).argmax(dim=1)
        right = answers == self.labels
        accuracy = right.double().mean().item()
        if self.old is None:
            return accuracy, None
        return accuracy, ((self.old == self.labels) & ~right).double().mean().item()
