"""The frozen old model beside a model in training: it answers, and nothing of it ever changes."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from segue.errors import InputError

Unpack = Callable[[Any], tuple[Any, Tensor]]
Forward = Callable[[nn.Module, Any], Any]
OldAnswers = nn.Module | Callable[[Any], Tensor]

LABEL_KEYS = ("labels", "label")


class FrozenModel:
    """A copy of the old model in evaluation mode, or a function that knows the old answers.

    The copy is taken when it is made, so that the caller may go on training the very model that was passed, and no
    mode, gradient flag or BatchNorm statistic of the caller's model is touched.

    Args:
        old: The model; or a function from a batch to the old model's answers ``(n,)`` or logits ``(n, classes)``.
        forward: How to call a model on a batch's inputs.

    Raises:
        InputError: If it can't be called.
    """

    def __init__(self, old: OldAnswers, forward: Forward) -> None:
        if not callable(old):
            raise InputError(
                f"old is a {type(old).__name__}; pass the old model, or a function from a batch to its answers"
            )
        self.module = copy.deepcopy(old).requires_grad_(False).eval() if isinstance(old, nn.Module) else None
        self._answer = old
        self._forward = forward
        if self.module is not None:
            self._answer = self.module

    def to(self, device: torch.device) -> None:
        """Move the model to a device."""
        if self.module is not None:
            self.module.to(device)

    def __call__(self, batch: Any, inputs: Any) -> Tensor:
        """Answer a batch.

        Args:
            batch: The batch as the data loader gave it.
            inputs: The models' inputs in it.

        Returns:
            Answers ``(n,)`` or logits ``(n, classes)``.
        """
        with torch.no_grad():
            if self.module is None:
                return logits_of(self._answer(batch), "old")
            return logits_of(self._forward(self.module, inputs), "old")


def call(model: nn.Module, inputs: Any) -> Any:
    """Call a model on inputs: a mapping as keywords, anything else as the one argument.

    Args:
        model: The model.
        inputs: Its inputs.

    Returns:
        What it returns.
    """
    return model(**inputs) if isinstance(inputs, Mapping) else model(inputs)


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


def logits_of(output: Any, name: str) -> Tensor:
    """Return the logits in what a model returned.

    Args:
        output: A tensor; an object or mapping with ``logits``; or a tuple whose first element is a tensor.
        name: What the model is called.

    Returns:
        The tensor.

    Raises:
        InputError: If there is none.
    """
    if isinstance(output, Mapping):
        found = output.get("logits")
    elif isinstance(output, tuple) and not hasattr(output, "logits"):
        found = output[0] if output else None
    else:
        found = getattr(output, "logits", output)
    if not isinstance(found, Tensor):
        raise InputError(
            f"the {name} model returned a {type(output).__name__} without a tensor of logits; pass a function that "
            f"returns answers (n,) or logits (n, classes)"
        )
    return found
