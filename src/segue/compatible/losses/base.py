"""What every compatible loss shares: checks, precision, and the reduction over the samples that count."""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import AbstractContextManager, nullcontext
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from segue.compatible.checks import at_least_float32, check_embeddings, check_labels, check_same_samples
from segue.compatible.losses.counted import Counted, Reduction, check_reduction, reduce
from segue.errors import InputError
from segue.flips.checks import counted


class CompatibleLoss(nn.Module, ABC):
    """A loss that reads the new embeddings, the old embeddings of the same samples, and their labels.

    A subclass writes its formula in :meth:`per_sample` alone and says which of the two it needs. Embeddings in half
    precision are read as 32-bit floats, and products inside are not rounded by autocast: at a temperature of 0.01 the
    rounding of a cosine to 8 bits would be the larger part of a logit. Embeddings that are not numbers are the
    caller's to keep out.

    Args:
        reduction: ``"none"`` returns ``(n,)``, ``"mean"`` divides by the number of samples that count: one of a class
            that the old model does not know is left out where a loss has nothing to say about it.

    Raises:
        InputError: If the reduction is unknown.
    """

    needs_old: ClassVar[bool] = True
    """Whether old embeddings of the batch must be passed."""

    needs_labels: ClassVar[bool] = True
    """Whether labels of the batch must be passed."""

    def __init__(self, *, reduction: Reduction = "mean") -> None:
        super().__init__()
        check_reduction(reduction)
        self.reduction = reduction

    @abstractmethod
    def per_sample(self, new: Tensor, old: Tensor, labels: Tensor) -> Counted:
        """Return the loss of each sample; shapes were checked, what is not needed may be an empty tensor."""

    def forward(
        self, new_embeddings: Tensor, old_embeddings: Tensor | None = None, labels: Tensor | None = None
    ) -> Tensor:
        """Compute the loss.

        Args:
            new_embeddings: The new model's embeddings, ``(n, d_new)``.
            old_embeddings: The old model's embeddings of the same samples, ``(n, d_old)``; no gradient flows into them.
            labels: The truth in the new model's classes, ``(n,)`` integers.

        Returns:
            ``(n,)`` for ``reduction="none"``, else a scalar.

        Raises:
            InputError: If something that is needed is missing, shapes or types are not as described, or the mean of an
                empty batch is asked for.
        """
        new, old, truth = self.read(new_embeddings, old_embeddings, labels)
        with unrounded(new.device):
            return reduce(self.per_sample(new, old, truth), self.reduction)

    def read(
        self, new_embeddings: Tensor, old_embeddings: Tensor | None, labels: Tensor | None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Check a batch and bring it to the precision of the computation.

        Args:
            new_embeddings: The new model's embeddings.
            old_embeddings: The old model's embeddings, or ``None``.
            labels: The truth, or ``None``.

        Returns:
            The new embeddings, the old ones without a gradient, and the labels; empty where not passed.

        Raises:
            InputError: If the batch is not as :meth:`forward` describes it.
        """
        self.check(new_embeddings, old_embeddings, labels)
        new = at_least_float32(new_embeddings)
        old = new.new_empty(0, 1) if old_embeddings is None else old_embeddings.detach().to(new.dtype)
        truth = torch.empty(0, dtype=torch.int64, device=new.device) if labels is None else labels.long()
        return new, old, truth

    def check(self, new_embeddings: Tensor, old_embeddings: Tensor | None, labels: Tensor | None) -> None:
        """Refuse a batch that is not as :meth:`forward` describes it.

        Args:
            new_embeddings: The new model's embeddings.
            old_embeddings: The old model's embeddings, or ``None``.
            labels: The truth, or ``None``.

        Raises:
            InputError: If it is not.
        """
        name = type(self).__name__
        check_embeddings("new_embeddings", new_embeddings)
        if old_embeddings is not None:
            check_embeddings("old_embeddings", old_embeddings)
            check_same_samples("old_embeddings", old_embeddings, "new_embeddings", new_embeddings)
        elif self.needs_old:
            raise InputError(f"{name} needs old_embeddings; pass the old model's embeddings of the batch, (n, d_old)")
        if labels is not None:
            check_labels(labels, "new_embeddings", new_embeddings)
        elif self.needs_labels:
            raise InputError(f"{name} needs labels; pass one class index per row of new_embeddings")

    def extra_repr(self) -> str:
        """Return the settings as they are printed, so that a log of the loss says what it was.

        Returns:
            ``"temperature=0.05, ..."``.
        """
        settings = {name: value for name, value in vars(self).items() if not name.startswith("_")}
        settings.pop("training")
        return ", ".join(f"{name}={value}" for name, value in settings.items() if value is not None)


def unrounded(device: torch.device) -> AbstractContextManager[Any]:
    """Return a context in which autocast rounds no product.

    Args:
        device: Where the computation runs.

    Returns:
        The context; one that does nothing on a device without autocast.
    """
    if torch.amp.is_autocast_available(device.type):
        return torch.autocast(device.type, enabled=False)
    return nullcontext()


def check_old_dimension(old: Tensor, dimension: int, owner: str) -> None:
    """Refuse old embeddings of another dimension than a part of the loss was made for.

    Args:
        old: The old embeddings, ``(n, d_old)``.
        dimension: The dimension that the part knows.
        owner: What the part is called.

    Raises:
        InputError: If they differ.
    """
    if old.shape[1] != dimension:
        raise InputError(
            f"old_embeddings have {counted(old.shape[1], 'dimension')} and {owner} {dimension}; pass embeddings "
            f"of the old model that {owner} came from"
        )
