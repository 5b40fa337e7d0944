"""A model that answers and never changes."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import Tensor, nn

from segue.errors import InputError
from segue.training.forward import Inputs, call, logits_of


class Frozen(nn.Module):
    """A copy of a model in evaluation mode: no gradients, no dropout, no BatchNorm statistic that moves.

    The copy is taken when this is made, so that the caller may go on training the model that was passed. ``train()``
    on it, or on a module that contains it, leaves it in evaluation mode, and if a part of it is put into training mode
    by other ways, the next call puts it back.

    Args:
        model: The model; its output must be or hold logits.

    Raises:
        InputError: If it is no module.

    Example:
        >>> frozen = Frozen(nn.Sequential(nn.Linear(2, 3), nn.Dropout(0.5)))
        >>> frozen.train().training, any(parameter.requires_grad for parameter in frozen.parameters())
        (False, False)
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        if not isinstance(model, nn.Module):
            raise InputError(f"model is a {type(model).__name__}; pass the torch module that is to be frozen")
        self.model = copy.deepcopy(model.model if isinstance(model, Frozen) else model).requires_grad_(False)
        self.eval()

    def train(self, mode: bool = True) -> Frozen:
        """Stay in evaluation mode, whatever is asked.

        Args:
            mode: Not regarded.

        Returns:
            The module itself.
        """
        super().train(False)
        return self

    @torch.no_grad()
    def forward(self, inputs: Any = None, **named: Tensor) -> Tensor:
        """Answer a batch.

        Args:
            inputs: The model's input; or pass its inputs by name.
            named: The model's inputs by name.

        Returns:
            Logits ``(n, classes)``.
        """
        if any(module.training for module in self.modules()):
            self.eval()
        given: Inputs = named or inputs
        return logits_of(call(self.model, given), "frozen model").detach()
