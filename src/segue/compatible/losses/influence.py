"""The influence loss: new embeddings must satisfy the old classifier (Shen et al., BCT, CVPR 2020)."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor
from torch.nn import functional

from segue.compatible.class_maps import LEFT_OUT
from segue.compatible.embeddings import common_part
from segue.compatible.heads.frozen import FrozenHead, check_frozen
from segue.compatible.losses.base import CompatibleLoss
from segue.compatible.losses.counted import Counted, Reduction


class InfluenceLoss(CompatibleLoss):
    r"""Classify the new embeddings by the old head, which does not change.

    .. math:: L = \frac{1}{n'} \sum_i \mathrm{CE}(\kappa_{old}(\phi_{new}(x_i)_{1 \dots d_{old}}), y_i)

    The sum runs over the n' samples whose class has a row in the old head; the others are left out. For new classes to
    count, give the head rows for them (:func:`segue.compatible.heads.with_new_classes`) or add
    :class:`InfluenceDistillation`. The objective is the new model's own loss plus :math:`\lambda L`, with
    :math:`\lambda = 1` in the author's code (openBCT). Towards Backward-Compatible Representation Learning; the
    equation's number from memory of the paper was not confirmed.

    Args:
        old_head: The old head, frozen; it knows which class each of its rows stands for.
        normalise: Whether the compared part of an embedding is brought to length 1 before the head sees it: where a
            linear head was trained on, or fitted to, unit vectors. A cosine head does so by itself.
        reduction: ``"none"``, ``"mean"`` (over the samples whose class the head knows) or ``"sum"``.

    Raises:
        InputError: If an argument is not as described.

    Example:
        The third dimension is the new model's own, and the second sample of a class that the old head does not know.

        >>> import torch
        >>> loss = InfluenceLoss(FrozenHead([[1.0, 0.0], [0.0, 1.0]], class_map=[0, 1]), reduction="none")
        >>> loss(torch.tensor([[2.0, 2.0, 9.0], [0.0, 0.0, 0.0]]), labels=torch.tensor([1, 5]))
        tensor([0.6931, 0.0000])
    """

    needs_old: ClassVar[bool] = False

    def __init__(self, old_head: FrozenHead, *, normalise: bool = False, reduction: Reduction = "mean") -> None:
        super().__init__(reduction=reduction)
        check_frozen("old_head", old_head)
        self.old_head = old_head
        self.normalise = normalise

    def per_sample(self, new: Tensor, old: Tensor, labels: Tensor) -> Counted:
        """Return the cross-entropy of the old head's answer about each new embedding.

        Args:
            new: The new model's embeddings, ``(n, d_new)``.
            old: Not regarded.
            labels: The truth in the new model's classes, ``(n,)``.

        Returns:
            The values; samples whose class has no row do not count.
        """
        rows = self.old_head.rows(labels)
        logits = self.old_head(common_part(new, self.old_head.dimension, normalise=self.normalise))
        return Counted(functional.cross_entropy(logits, rows, reduction="none", ignore_index=LEFT_OUT), rows >= 0)
