"""From the values of the samples that count to what is returned."""

from __future__ import annotations

from typing import Literal, NamedTuple

from torch import Tensor

from segue.errors import InputError

Reduction = Literal["none", "mean", "sum"]


class Counted(NamedTuple):
    """The loss of each sample, and which samples it has something to say about.

    Attributes:
        values: ``(n,)``.
        counts: ``(n,)`` booleans; ``None`` where all samples count.
    """

    values: Tensor
    counts: Tensor | None = None


def check_reduction(reduction: str) -> None:
    """Refuse a reduction that there is not.

    Args:
        reduction: What the user passed.

    Raises:
        InputError: If it is none of ``"none"``, ``"mean"`` and ``"sum"``.
    """
    if reduction not in {"none", "mean", "sum"}:
        raise InputError(f"reduction is {reduction!r}; pass 'none', 'mean' or 'sum'")


def reduce(counted: Counted, reduction: Reduction) -> Tensor:
    """Reduce the values of the samples that count; the others are 0, and no gradient flows into them.

    Args:
        counted: The values and which of them count.
        reduction: ``"none"``, ``"mean"`` (over the samples that count; 0 where none does) or ``"sum"``.

    Returns:
        ``(n,)`` for ``"none"``, else a scalar.

    Raises:
        InputError: If the mean of an empty batch is asked for.

    Example:
        >>> import torch
        >>> reduce(Counted(torch.tensor([1.0, 5.0, 2.0]), torch.tensor([True, False, True])), "mean")
        tensor(1.5000)
    """
    values, counts = counted
    if counts is not None:
        values = values.where(counts, 0.0)
    if reduction == "none":
        return values
    if reduction == "sum":
        return values.sum()
    if values.shape[0] == 0:
        raise InputError("the batch is empty and has no mean; leave empty batches out, or pass reduction='sum'")
    return values.mean() if counts is None else values.sum() / counts.sum().clamp(min=1)
