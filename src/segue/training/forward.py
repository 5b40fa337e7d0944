"""How a model is asked: inputs in one of the usual forms, logits out of whatever it returns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from torch import Tensor, nn

from segue.errors import InputError

Inputs = Tensor | Mapping[str, Tensor]


def call(model: nn.Module, inputs: Inputs) -> Any:
    """Call a model on inputs: a mapping as keywords, anything else as the one argument.

    Args:
        model: The model.
        inputs: Its inputs.

    Returns:
        What it returns.

    Raises:
        InputError: If it fails on inputs of another precision than its weights.
        RuntimeError: Whatever else the model itself raises.
    """
    try:
        return model(**inputs) if isinstance(inputs, Mapping) else model(inputs)
    except RuntimeError as error:
        given = {tensor.dtype for tensor in (inputs.values() if isinstance(inputs, Mapping) else [inputs])}
        own = {parameter.dtype for parameter in model.parameters() if parameter.is_floating_point()}
        apart = {dtype for dtype in given if dtype.is_floating_point} - own
        if not own or not apart:
            raise
        raise InputError(
            f"the model's weights are {_told(own)} but its inputs {_told(apart)}; convert one of them, such as by "
            f"model.float()"
        ) from error


def logits_of(output: Any, name: str = "model") -> Tensor:
    """Return the logits in what a model returned.

    Args:
        output: A tensor; an object or mapping with ``logits``; or a tuple whose first element is a tensor.
        name: What the model is called in the error.

    Returns:
        The tensor.

    Raises:
        InputError: If there is none.

    Example:
        >>> import torch
        >>> logits_of({"logits": torch.zeros(2, 3)}).shape
        torch.Size([2, 3])
    """
    if isinstance(output, Mapping):
        found = output.get("logits")
    elif isinstance(output, tuple) and not hasattr(output, "logits"):
        found = output[0] if output else None
    else:
        found = getattr(output, "logits", output)
    if not isinstance(found, Tensor):
        raise InputError(
            f"the {name} returned a {type(output).__name__} without a tensor of logits; wrap it in a module that "
            f"returns logits (n, classes)"
        )
    return found


def _told(dtypes: Iterable[Any]) -> str:
    return " and ".join(sorted(str(dtype).removeprefix("torch.") for dtype in dtypes))


def on_device(inputs: Inputs, device: Any) -> Inputs:
    """Move inputs to a device.

    Args:
        inputs: A tensor, or a mapping of tensors.
        device: The device.

    Returns:
        The inputs there.
    """
    if isinstance(inputs, Mapping):
        return {name: tensor.to(device) for name, tensor in inputs.items()}
    return inputs.to(device)
