"""What a batch must be for a loss to be computed; shapes and types alone, so that no check waits for a device."""

from __future__ import annotations

import torch
from torch import Tensor

from segue.errors import InputError

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
    allowed = f"a finite number {least}" if high == float("inf") else f"a number from {low:g} to {high:g}"
    raise InputError(f"{name} is {value!r}; pass {allowed}")


def check_logits(name: str, logits: Tensor, axes: tuple[str, ...] = ("n", "classes")) -> None:
    """Refuse logits that are not a tensor of floats with the right number of axes.

    Args:
        name: The argument's name.
        logits: What the user passed.
        axes: The names of the axes.

    Raises:
        InputError: If they are not.
    """
    if not isinstance(logits, Tensor):
        raise InputError(f"{name} is a {type(logits).__name__}; pass a tensor of logits, ({', '.join(axes)})")
    if logits.ndim != len(axes):
        raise InputError(f"{name} have the shape {tuple(logits.shape)}; pass ({', '.join(axes)})")
    if not logits.is_floating_point():
        raise InputError(f"{name} are {logits.dtype}; pass logits, which are floating-point numbers")
    if logits.shape[-1] == 0:
        raise InputError(f"{name} have no class; pass at least one column")


def check_labels(labels: Tensor, shape: torch.Size, device: torch.device) -> None:
    """Refuse labels that are not one integer per answer.

    Args:
        labels: What the user passed.
        shape: The shape they must have.
        device: Where the logits are.

    Raises:
        InputError: If they are not, or lie on another device.
    """
    if not isinstance(labels, Tensor):
        raise InputError(f"labels is a {type(labels).__name__}; pass a tensor of class indices")
    if labels.dtype not in INTEGERS:
        raise InputError(f"labels are {labels.dtype}; pass class indices, which are integers")
    if labels.shape != shape:
        raise InputError(
            f"labels have the shape {tuple(labels.shape)}; pass one class index per row of new_logits, {tuple(shape)}"
        )
    if labels.device != device:
        raise InputError(f"labels are on {labels.device} and new_logits on {device}; move them to the same device")


def check_reference(name: str, reference: Tensor, new: Tensor) -> None:
    """Refuse a reference's logits that are not of the same samples, or on another device.

    Args:
        name: The argument's name.
        reference: The reference's logits.
        new: The new model's logits.

    Raises:
        InputError: If all axes but the last differ, or the devices do.
    """
    if reference.shape[:-1] != new.shape[:-1]:
        raise InputError(
            f"new_logits have the shape {tuple(new.shape)} and {name} {tuple(reference.shape)}; "
            "pass both models' logits of the same samples, in the same order"
        )
    if reference.device != new.device:
        raise InputError(
            f"{name} are on {reference.device} and new_logits on {new.device}; move them to the same device"
        )


def check_batch(new_logits: Tensor, old_logits: Tensor, labels: Tensor) -> None:
    """Refuse a batch that is not two models' logits and the labels of the same samples.

    Args:
        new_logits: The new model's logits, ``(n, new classes)``.
        old_logits: The reference's logits, ``(n, old classes)``.
        labels: The truth, ``(n,)`` integers.

    Raises:
        InputError: If shapes, types or devices are not as described.
    """
    check_logits("new_logits", new_logits)
    check_logits("old_logits", old_logits)
    check_reference("old_logits", old_logits, new_logits)
    check_labels(labels, new_logits.shape[:1], new_logits.device)


def at_least_float32(logits: Tensor) -> Tensor:
    """Return logits in half precision as 32-bit floats, others as they are: softmax and squares need the bits.

    Args:
        logits: Any logits.

    Returns:
        The same numbers.
    """
    return logits.float() if logits.dtype in {torch.float16, torch.bfloat16} else logits
