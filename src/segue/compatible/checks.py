"""What a batch and a setting must be; shapes and types alone, so that no check waits for an accelerator."""

from __future__ import annotations

import torch
from torch import Tensor

from segue.errors import InputError
from segue.flips.checks import counted

INTEGERS = {torch.int8, torch.int16, torch.int32, torch.int64, torch.uint8}


def check_number(name: str, value: float, low: float, high: float = float("inf"), *, open_low: bool = False) -> None:
    """Refuse a setting that is no number of its range.

    Args:
        name: The argument's name.
        value: What the user passed.
        low: The smallest value allowed.
        high: The largest value allowed.
        open_low: Whether ``low`` itself is too small.

    Raises:
        InputError: If the value is not a finite number of the range.
    """
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if is_number and abs(value) < float("inf") and (low < value if open_low else low <= value) and value <= high:
        return
    least = f"above {low:g}" if open_low else f"of at least {low:g}"
    between = f"above {low:g} and up to {high:g}" if open_low else f"from {low:g} to {high:g}"
    allowed = f"a finite number {least}" if high == float("inf") else f"a number {between}"
    raise InputError(f"{name} is {value!r}; pass {allowed}")


def check_count(name: str, value: int, least: int = 1) -> None:
    """Refuse a setting that is no whole number.

    Args:
        name: The argument's name.
        value: What the user passed.
        least: The smallest value allowed.

    Raises:
        InputError: If the value is no whole number of at least ``least``.
    """
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise InputError(f"{name} is {value!r}; pass a whole number of at least {least}")


def check_embeddings(name: str, embeddings: Tensor, dimension: int | None = None) -> None:
    """Refuse embeddings that are not one row of floats per sample.

    Args:
        name: The argument's name.
        embeddings: What the user passed.
        dimension: How many columns they must have; ``None`` for any.

    Raises:
        InputError: If they are not ``(n, dimension)`` floats.
    """
    if not isinstance(embeddings, Tensor):
        raise InputError(f"{name} is a {type(embeddings).__name__}; pass a tensor of embeddings, (n, dimension)")
    if embeddings.ndim != 2:
        raise InputError(f"{name} have the shape {tuple(embeddings.shape)}; pass (n, dimension)")
    if not embeddings.is_floating_point():
        raise InputError(f"{name} are {embeddings.dtype}; pass embeddings, which are floating-point numbers")
    if embeddings.shape[1] == 0:
        raise InputError(f"{name} have no dimension; pass at least one column")
    if dimension is not None and embeddings.shape[1] != dimension:
        raise InputError(f"{name} have {counted(embeddings.shape[1], 'dimension')}; pass (n, {dimension})")


def check_same_samples(name: str, embeddings: Tensor, first_name: str, first: Tensor) -> None:
    """Refuse two models' embeddings that are not of the same samples, or on another device.

    Args:
        name: The argument's name.
        embeddings: Embeddings of one model, ``(n, dimension)``.
        first_name: The other argument's name.
        first: Embeddings of the other model, ``(n, its dimension)``.

    Raises:
        InputError: If the numbers of rows differ, or the devices do.
    """
    if embeddings.shape[0] != first.shape[0]:
        raise InputError(
            f"{first_name} have {counted(first.shape[0], 'row')} and {name} {embeddings.shape[0]}; "
            "pass both models' embeddings of the same samples, in the same order"
        )
    if embeddings.device != first.device:
        raise InputError(
            f"{name} are on {embeddings.device} and {first_name} on {first.device}; move them to the same device"
        )


def check_labels(labels: Tensor, name: str, embeddings: Tensor) -> None:
    """Refuse labels that are not one integer per row of the embeddings.

    Args:
        labels: What the user passed.
        name: What the embeddings are called.
        embeddings: The embeddings, ``(n, dimension)``.

    Raises:
        InputError: If they are not, or lie on another device.
    """
    if not isinstance(labels, Tensor):
        raise InputError(f"labels is a {type(labels).__name__}; pass a tensor of class indices")
    if labels.dtype not in INTEGERS:
        raise InputError(f"labels are {labels.dtype}; pass class indices, which are integers")
    if labels.shape != embeddings.shape[:1]:
        raise InputError(
            f"labels have the shape {tuple(labels.shape)}; pass one class index per row of {name}, "
            f"({embeddings.shape[0]},)"
        )
    if labels.device != embeddings.device:
        raise InputError(f"labels are on {labels.device} and {name} on {embeddings.device}; move them to one device")


def at_least_float32(embeddings: Tensor) -> Tensor:
    """Return embeddings in half precision as 32-bit floats, others as they are.

    Args:
        embeddings: Any embeddings.

    Returns:
        The same numbers.
    """
    return embeddings.float() if embeddings.dtype in {torch.float16, torch.bfloat16} else embeddings
