"""Churn reduction by distillation: labels mixed with the old model's answers (Jiang et al., ICLR 2022)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from torch import Tensor
from torch.nn import functional

from segue.congruent.losses.base import CongruentLoss
from segue.congruent.losses.checks import check_number
from segue.congruent.losses.label_term import label_term, soft_label_term
from segue.congruent.losses.reduction import Reduction


class ChurnDistillation(CongruentLoss):
    r"""Train on the labels mixed with the old model's probabilities, whether it is right or wrong.

    .. math:: L = \frac{1}{n} \sum_i
        \mathrm{CE}(z^{new}_i, \lambda \, \mathrm{softmax}(z^{old}_i) + (1 - \lambda) \, y_i)

    The paper shows that this is what remains of the least loss under a bound on churn, the share of changed answers;
    good changes are bounded together with bad ones. The label term is part of it. The old probabilities are those
    among the classes that both models know; the other classes have no share in the target. A sample whose label is not
    an old class is trained on its label alone.

    Args:
        weight: :math:`\lambda`, from 0 (the labels alone) to 1 (the old model alone); to be chosen on validation data.
        class_map: The new class of each old class, ``(old classes,)``, -1 where it is gone.
        reduction: ``"none"``, ``"mean"`` or ``"sum"``.

    Raises:
        InputError: If an argument is out of its range.

    Example:
        The new model gives the classes 1/4 and 3/4, the target is (1/2, 1/2): log(4) / 2 + log(4/3) / 2.

        >>> import torch
        >>> new, old = torch.tensor([[1.0, 3.0]]).log(), torch.tensor([[99.0, 0.0]])
        >>> ChurnDistillation(weight=0.5)(new, old, torch.tensor([1]))
        tensor(0.8370)
    """

    includes_labels: ClassVar[bool] = True

    def __init__(
        self,
        weight: float = 0.5,
        *,
        class_map: Sequence[int] | Tensor | None = None,
        reduction: Reduction = "mean",
    ) -> None:
        super().__init__(class_map=class_map, reduction=reduction)
        check_number("weight", weight, 0, 1)
        self.weight = weight

    def per_sample(self, new: Tensor, old: Tensor, labels: Tensor) -> Tensor:
        """Return the cross-entropy with the mixed target of each sample.

        Args:
            new: The new model's logits, ``(n, new classes)``.
            old: The old model's logits, ``(n, old classes)``.
            labels: The truth in the new model's classes, ``(n,)``.

        Returns:
            ``(n,)``.
        """
        truth = label_term(new, labels)
        log_new, reference = self.common(functional.log_softmax(new, dim=1), old)
        imitation = soft_label_term(log_new, reference.softmax(dim=1))
        return self.where_known(self.weight * imitation + (1 - self.weight) * truth, labels, truth)
