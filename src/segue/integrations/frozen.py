"""The old model beside a model in training, or what is known of its answers; and a batch's inputs and labels."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from segue.errors import InputError
from segue.training.forward import logits_of
from segue.training.frozen import Frozen

Unpack = Callable[[Any], tuple[Any, Tensor]]
Forward = Callable[[nn.Module, Any], Any]
OldAnswers = nn.Module | Callable[[Any], Tensor]

LABEL_KEYS = ("labels", "label")


class OldModel:
    """A frozen copy of the old model, or a function that knows the old answers; a part of no module.

    Args:
        old: The model; or a function from a batch to the old model's answers ``(n,)`` or logits ``(n, classes)``.
        forward: How to call a model on a batch's inputs.

    Raises:
        InputError: If it can't be called, or is a model that can't be copied.
    """

    def __init__(self, old: OldAnswers, forward: Forward) -> None:
        if not callable(old):
            raise InputError(
                f"old is a {type(old).__name__}; pass the old model, or a function from a batch to its answers"
            )
        self._answers = Frozen(old) if isinstance(old, nn.Module) else old
        self._forward = forward

    @property
    def module(self) -> nn.Module | None:
        """The frozen copy; none where a function knows the answers."""
        return self._answers.model if isinstance(self._answers, Frozen) else None

    def to(self, device: torch.device, dtype: torch.dtype | None = None) -> None:
        """Move the model to a device.

        Args:
            device: The device.
            dtype: The type of its floating-point weights; as they are by default.
        """
        if self.module is not None:
            self.module.to(device, dtype)

    @torch.no_grad()
    def __call__(self, batch: Any, inputs: Any) -> Tensor:
        """Answer a batch.

        Args:
            batch: The batch as the data loader gave it.
            inputs: The models' inputs in it.

        Returns:
            Answers ``(n,)`` or logits ``(n, classes)``.
        """
        if self.module is None:
            return logits_of(self._answers(batch), "old model")
        return logits_of(self._forward(self.module, inputs), "old model")


def unpack_batch(batch: Any) -> tuple[Any, Tensor]:
    """Split a batch into inputs and labels where its structure leaves no doubt.

    Args:
        batch: A pair, or a mapping with the key ``labels`` or ``label``.

    Returns:
        The inputs (a mapping without its labels, for mappings), and the labels.

    Raises:
        InputError: If it is neither.
    """
    if isinstance(batch, Mapping):
        for key in LABEL_KEYS:
            if key in batch:
                return {name: value for name, value in batch.items() if name != key}, batch[key]
        told = f"a mapping with keys {', '.join(map(str, batch))}"
    elif isinstance(batch, Sequence) and len(batch) == 2:
        return batch[0], batch[1]
    else:
        told = f"a {type(batch).__name__}" + (f" of {len(batch)}" if isinstance(batch, Sequence) else "")
    raise InputError(
        f"the batch is {told}, not a pair (inputs, labels) or a mapping with 'labels'; pass unpack=, a function from "
        f"a batch to (inputs, labels)"
    )
