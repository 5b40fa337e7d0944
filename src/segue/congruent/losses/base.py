"""What every positive-congruent loss shares: checks, class maps, and the reduction."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn

from segue.errors import InputError

Reduction = Literal["none", "mean", "sum"]


class CongruentLoss(nn.Module, ABC):
    """A loss that reads the new logits, the logits of a reference model, and the labels.

    Args:
        class_map: The new class of each old class, ``(old classes,)``, -1 where it is gone. Needed where the reference
            knows other classes than the new model; ``None`` where the class sets are equal.
        reduction: ``"none"`` returns ``(n,)``, ``"mean"`` divides the sum by ``n``, all samples of the batch included.

    Raises:
        InputError: If an argument is out of its range.
    """

    class_map: Tensor | None

    def __init__(self, *, class_map: Sequence[int] | Tensor | None = None, reduction: Reduction = "mean") -> None:
        super().__init__()
        if reduction not in {"none", "mean", "sum"}:
            raise InputError(f"reduction is {reduction!r}; pass 'none', 'mean' or 'sum'")
        mapped = None if class_map is None else torch.as_tensor(class_map, dtype=torch.int64)
        self.register_buffer("class_map", mapped, persistent=False)
        self.reduction = reduction

    @abstractmethod
    def per_sample(self, new: Tensor, old: Tensor, labels: Tensor) -> Tensor:
        """Return the loss of each sample, ``(n,)``; shapes were checked, ``old`` has the old classes' columns."""

    def forward(self, new_logits: Tensor, old_logits: Tensor, labels: Tensor) -> Tensor:
        """Compute the loss.

        Args:
            new_logits: The new model's logits, ``(n, new classes)``.
            old_logits: The reference's logits, ``(n, old classes)``; no gradient flows into them.
            labels: The truth in the new model's classes, ``(n,)`` integers.

        Returns:
            ``(n,)`` for ``reduction="none"``, else a scalar.

        Raises:
            InputError: If shapes or types are not as described.
        """
        values = self.per_sample(new_logits, old_logits.detach(), labels)
        return values if self.reduction == "none" else values.mean() if self.reduction == "mean" else values.sum()
