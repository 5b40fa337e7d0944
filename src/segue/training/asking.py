"""Ask a model about all samples of a data set."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from segue.errors import InputError
from segue.training.data import TrainingData, as_data
from segue.training.forward import call, logits_of, on_device
from segue.training.seeds import kept_globals


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
        InputError: If the data can't be read, or the model gives no logits, one row a sample.

    Example:
        >>> outputs_of(nn.Identity(), (torch.eye(2), torch.tensor([0, 1])))
        tensor([[1., 0.],
                [0., 1.]])
    """
    samples = as_data(data)
    found = []
    with answering(model):
        for outputs in answers(model, samples, torch.arange(len(samples)), batch_size, device):
            found.append(outputs)
            advance(len(outputs))
    return torch.cat(found)


@contextmanager
def answering(model: nn.Module) -> Generator[None, None, None]:
    """Have a model answer: evaluation mode, no gradients; afterwards its modes and the world's chance are as before.

    Args:
        model: The model.

    Yields:
        Nothing.
    """
    modes = {module: module.training for module in model.modules()}
    model.eval()
    try:
        with torch.no_grad(), kept_globals():
            yield
    finally:
        for module, training in modes.items():
            module.training = training


def answers(
    model: nn.Module, data: TrainingData, index: Tensor, batch_size: int, device: torch.device | str | None = None
) -> Iterator[Tensor]:
    """Ask a model about some samples, batch by batch, within :func:`answering`.

    Args:
        model: The model.
        data: The samples.
        index: Which of them, ``(n,)``.
        batch_size: Samples per call.
        device: Where the inputs go; by default to the model's first parameter.

    Yields:
        Logits ``(batch, classes)`` on the CPU, float32.

    Raises:
        InputError: If the model gives no logits, or not one row a sample.
    """
    if not isinstance(batch_size, int) or batch_size < 1:
        raise InputError(f"batch_size is {batch_size!r}; pass a whole number from 1")
    place = device or next((parameter.device for parameter in model.parameters()), torch.device("cpu"))
    for batch in data.plain(torch.split(index, batch_size)):
        outputs = logits_of(call(model, on_device(batch.inputs, place)))
        check_rows(outputs, len(batch.index))
        yield outputs.float().cpu()


def check_rows(logits: Tensor, samples: int, name: str = "model") -> None:
    """Refuse logits that are not one row a sample.

    Args:
        logits: What a model answered.
        samples: Samples it was asked about.
        name: What the model is called in the error.

    Raises:
        InputError: If they are not ``(samples, ...)`` of at least two axes.
    """
    if logits.dim() < 2 or len(logits) != samples:
        raise InputError(
            f"the {name} returned shape {tuple(logits.shape)} for {samples:,} samples; it should return logits "
            f"({samples}, classes)"
        )
