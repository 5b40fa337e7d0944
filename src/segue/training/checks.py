"""What is found out before the first step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn

from segue.errors import InputError

if TYPE_CHECKING:
    from torch.optim import Optimizer


def check_trainable(model: nn.Module, optimizer: Optimizer) -> None:
    """Refuse a model and an optimiser that do not belong together.

    Args:
        model: The model.
        optimizer: The optimiser.

    Raises:
        InputError: If nothing of the model would be trained, or something that is not the model's.
    """
    if not isinstance(model, nn.Module):
        raise InputError(f"model is a {type(model).__name__}; pass a torch module")
    own = {id(parameter) for parameter in model.parameters() if parameter.requires_grad}
    if not own:
        raise InputError("model has no parameters that can be trained; is it frozen?")
    stepped = {id(parameter) for group in optimizer.param_groups for parameter in group["params"]}
    if not own & stepped:
        raise InputError("optimizer holds none of the model's parameters; make it from model.parameters()")
    if stepped - {id(parameter) for parameter in model.parameters()}:
        raise InputError(
            "optimizer holds parameters that are not the model's, which a checkpoint would not keep; make it from "
            "model.parameters(), and a loss's parameters a part of the model"
        )


def check_options(checkpoint_every: int | None, clip_norm: float | None) -> None:
    """Refuse options out of their range.

    Args:
        checkpoint_every: Steps between two checkpoints.
        clip_norm: What the gradient's norm is cut to.

    Raises:
        InputError: If one is out of its range.
    """
    if checkpoint_every is not None and (not isinstance(checkpoint_every, int) or checkpoint_every < 1):
        raise InputError(f"checkpoint_every is {checkpoint_every!r}; pass a whole number from 1")
    if clip_norm is not None and not clip_norm > 0:
        raise InputError(f"clip_norm is {clip_norm!r}; pass a number above 0, or None")
