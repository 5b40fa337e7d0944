"""The influence loss by distillation, for samples of classes the old head does not know (Shen et al., CVPR 2020)."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor
from torch.nn import functional

from segue.compatible.embeddings import common_part, unit
from segue.compatible.heads.frozen import FrozenHead, check_frozen
from segue.compatible.losses.base import CompatibleLoss, check_old_dimension
from segue.compatible.losses.counted import Counted, Reduction
from segue.errors import InputError


class InfluenceDistillation(CompatibleLoss):
    r"""Let the old head say the same about the new embedding as it said about the old one.

    .. math:: L = -\frac{1}{n} \sum_i \mathrm{softmax}(\kappa_{old}(\phi_{old}(x_i))) \cdot
        \log \mathrm{softmax}(\kappa_{old}(\phi_{new}(x_i)_{1 \dots d_{old}}))

    No label is needed, so that samples of new classes, and samples without any label, count. As in the author's code
    (openBCT, ``--lwf``) the head stays frozen and there is no temperature.

    Args:
        old_head: The old head, frozen.
        new_classes_only: Whether samples whose class the head knows are left out, as beside :class:`InfluenceLoss`,
            which counts just those; labels must be passed then, and the head needs a class map.
        normalise: Whether embeddings, old and new, are brought to length 1 before the head sees them.
        reduction: ``"none"``, ``"mean"`` (over the samples that count) or ``"sum"``.

    Raises:
        InputError: If an argument is not as described.

    Example:
        The old head is undecided about the old embedding, and gives the new one 1/4 and 3/4.

        >>> import torch
        >>> loss = InfluenceDistillation(FrozenHead(torch.eye(2)))
        >>> loss(torch.tensor([[1.0, 3.0]]).log(), torch.tensor([[5.0, 5.0]]))  # (log 4 + log 4/3) / 2
        tensor(0.8370)
    """

    needs_labels: ClassVar[bool] = False

    def __init__(
        self,
        old_head: FrozenHead,
        *,
        new_classes_only: bool = False,
        normalise: bool = False,
        reduction: Reduction = "mean",
    ) -> None:
        super().__init__(reduction=reduction)
        check_frozen("old_head", old_head)
        if new_classes_only and not old_head.rows.given:
            raise InputError(
                "new_classes_only needs a head that says which classes it knows; pass class_map to FrozenHead, the new "
                "class of each row"
            )
        self.old_head = old_head
        self.new_classes_only = new_classes_only
        self.normalise = normalise

    def check(self, new_embeddings: Tensor, old_embeddings: Tensor | None, labels: Tensor | None) -> None:
        """Refuse a batch that is not as :meth:`forward` describes it.

        Args:
            new_embeddings: The new model's embeddings.
            old_embeddings: The old model's embeddings.
            labels: The truth, needed where only new classes count.

        Raises:
            InputError: If it is not.
        """
        super().check(new_embeddings, old_embeddings, labels)
        if self.new_classes_only and labels is None:
            raise InputError("new_classes_only needs labels; pass one class index per row of new_embeddings")

    def per_sample(self, new: Tensor, old: Tensor, labels: Tensor) -> Counted:
        """Return the cross-entropy between the old head's two answers about each sample.

        Args:
            new: The new model's embeddings, ``(n, d_new)``.
            old: The old model's embeddings, ``(n, d_old)``.
            labels: The truth, ``(n,)``, where only new classes count.

        Returns:
            The values.
        """
        check_old_dimension(old, self.old_head.dimension, "old_head")
        target = self.old_head(unit(old) if self.normalise else old).softmax(dim=1)
        logits = self.old_head(common_part(new, self.old_head.dimension, normalise=self.normalise))
        values = -(target * functional.log_softmax(logits, dim=1)).sum(dim=1)
        return Counted(values, self.old_head.rows(labels) < 0 if self.new_classes_only else None)
