"""A model that answers and never changes."""

from __future__ import annotations

import copy
import functools
from typing import Any

import torch
from torch import Tensor, nn

from segue.errors import InputError
from segue.training.forward import Inputs, call, logits_of


class Frozen(nn.Module):
    """A copy of a model in evaluation mode: no gradients, no dropout, no BatchNorm statistic that moves.

    The copy is taken when this is made, so that the caller may go on training the model that was passed. ``train()``
    on it, on a part of it or on a module that contains it leaves it in evaluation mode; if the mode is changed by other
    ways, the next call puts it back. The price is the memory of a second set of weights.

    Args:
        model: The model; its output must be or hold logits.

    Raises:
        InputError: If it is no module, or one that can't be copied.

    Example:
        >>> frozen = Frozen(nn.Sequential(nn.Linear(2, 3), nn.Dropout(0.5)))
        >>> frozen.train().training, any(parameter.requires_grad for parameter in frozen.parameters())
        (False, False)
    """

    model: nn.Module

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        if not isinstance(model, nn.Module):
            raise InputError(f"model is a {type(model).__name__}; pass the torch module that is to be frozen")
        try:
            with torch.no_grad():  # or the copy of a scripted model has the original behind it
                self.model = copy.deepcopy(model.model if isinstance(model, Frozen) else model)
        except (RuntimeError, TypeError) as error:
            raise InputError(
                f"the {type(model).__name__} can't be copied ({str(error).splitlines()[0]}); pass a model that "
                f"copy.deepcopy takes, such as one loaded anew from its file"
            ) from error
        for parameter in self.model.parameters():
            parameter.requires_grad_(False)
        self.eval()
        for module in self.model.modules():
            if not isinstance(module, torch.jit.ScriptModule):  # whose attributes are fixed
                module.__dict__["train"] = functools.partial(_stay, module)

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
        for module in self.modules():
            module.training = False
        given: Inputs = named or inputs
        return logits_of(call(self.model, given), "frozen model").detach()


def _stay(module: nn.Module, mode: bool = True) -> nn.Module:
    module.training = False
    return module
