"""Ask a model about all samples of a data set."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from segue.training.data import as_data
from segue.training.forward import call, logits_of, on_device


@torch.no_grad()
def outputs_of(
    model: nn.Module,
    data: Any,
    *,
    batch_size: int = 512,
    device: torch.device | str | None = None,
    advance: Callable[[int], None] = lambda count: None,
) -> Tensor:
    """Return a model's logits on all samples, in their order, without augmentation.

    The model answers in evaluation mode, and is put back into the mode that each of its parts had.

    Args:
        model: The model.
        data: A pair ``(inputs, labels)`` of tensors, a map-style dataset, or ``TrainingData``.
        batch_size: Samples per call.
        device: Where the inputs go; by default to the model's first parameter.
        advance: Called with the number of samples done since the last call.

    Returns:
        Logits ``(n, classes)`` on the CPU, float32.

    Raises:
        InputError: If the data can't be read, or the model gives no logits.

    Example:
        >>> outputs_of(nn.Identity(), (torch.eye(2), torch.tensor([0, 1])))
        tensor([[1., 0.],
                [0., 1.]])
    """
    samples = as_data(data)
    place = device or next((parameter.device for parameter in model.parameters()), torch.device("cpu"))
    modes = {module: module.training for module in model.modules()}
    model.eval()
    found = []
    try:
        for batch in samples.plain(torch.split(torch.arange(len(samples)), batch_size)):
            found.append(logits_of(call(model, on_device(batch.inputs, place))).float().cpu())
            advance(len(batch.index))
    finally:
        for module, training in modes.items():
            module.training = training
    return torch.cat(found)
