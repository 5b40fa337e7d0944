"""From per-sample values to what is returned."""

from __future__ import annotations

from typing import Literal

from torch import Tensor

from segue.errors import InputError

Reduction = Literal["none", "mean", "sum"]


def check_reduction(reduction: str) -> None:
    """Refuse a reduction that there is not.

    Args:
        reduction: What the user passed.

    Raises:
        InputError: If it is none of ``"none"``, ``"mean"`` and ``"sum"``.
    """
    if reduction not in {"none", "mean", "sum"}:
        raise InputError(f"reduction is {reduction!r}; pass 'none', 'mean' or 'sum'")


def reduce(values: Tensor, reduction: Reduction) -> Tensor:
    """Reduce per-sample values.

    Args:
        values: The loss of each sample, ``(n,)``.
        reduction: ``"none"``, ``"mean"`` (over all samples, those of value 0 included) or ``"sum"``.

    Returns:
        ``(n,)`` for ``"none"``, else a scalar.

    Raises:
        InputError: If the mean of an empty batch is asked for.

    Example:
        >>> import torch
        >>> reduce(torch.tensor([1.0, 0.0, 2.0]), "mean")
        tensor(1.)
    """
    if reduction == "none":
        return values
    if reduction == "sum":
        return values.sum()
    if values.shape[0] == 0:
        raise InputError("the batch is empty and has no mean; leave empty batches out, or pass reduction='sum'")
    return values.mean()
