"""Anchored distillation: the target is corrected where the old model is wrong (Milani Fard et al., NeurIPS 2016)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from torch import Tensor
from torch.nn import functional

from segue.congruent.losses.base import CongruentLoss
from segue.congruent.losses.checks import check_number
from segue.congruent.losses.label_term import label_term, soft_label_term
from segue.congruent.losses.reduction import Reduction


class AnchoredDistillation(CongruentLoss):
    r"""Train on the old model's probabilities where it is right, and on quietened labels where it is wrong.

    .. math::
        \tilde y = \begin{cases}
            \alpha \, \mathrm{softmax}(z^{old}) + (1 - \alpha) \, y & \hat y^{old} = y \\
            \epsilon \, ((1 - \alpha) \, y + \alpha / d) & \text{otherwise}
        \end{cases}
        \qquad L = -\frac{1}{n} \sum_i \tilde y_i \cdot \log \mathrm{softmax}(z^{new}_i)

    The paper's operator "RCP" for two classes, in the form that later work gave it for d classes. Samples that the
    old model got wrong weigh less (:math:`\epsilon < 1`), since a new model that learns them by heart changes answers
    elsewhere. The label term is part of the loss. The old probabilities are those among the classes that both models
    know; whether the old answer is right is judged on all its classes, and d counts the new model's. A sample whose
    label is not an old class is trained on its label alone, with weight 1.

    Args:
        alpha: The share of the old model's probabilities in the target, from 0 to 1.
        epsilon: The weight of the samples that the old model got wrong, from 0 to 1.
        class_map: The new class of each old class, ``(old classes,)``, -1 where it is gone.
        reduction: ``"none"``, ``"mean"`` or ``"sum"``.

    Raises:
        InputError: If an argument is out of its range.

    Example:
        The new model gives the classes 1/4 and 3/4. Where the old one is sure and right, the target is the label:
        log(4/3). Where it is sure and wrong, it is (1/8, 3/8): log(4) / 8 + 3 log(4/3) / 8.

        >>> import torch
        >>> new = torch.tensor([[1.0, 3.0], [1.0, 3.0]]).log()
        >>> old = torch.tensor([[0.0, 99.0], [99.0, 0.0]])
        >>> AnchoredDistillation(alpha=0.5, epsilon=0.5, reduction="none")(new, old, torch.tensor([1, 1]))
        tensor([0.2877, 0.2812])
    """

    includes_labels: ClassVar[bool] = True

    def __init__(
        self,
        alpha: float = 0.5,
        epsilon: float = 0.5,
        *,
        class_map: Sequence[int] | Tensor | None = None,
        reduction: Reduction = "mean",
    ) -> None:
        super().__init__(class_map=class_map, reduction=reduction)
        check_number("alpha", alpha, 0, 1)
        check_number("epsilon", epsilon, 0, 1)
        self.alpha = alpha
        self.epsilon = epsilon

    def per_sample(self, new: Tensor, old: Tensor, labels: Tensor) -> Tensor:
        """Return the cross-entropy with the anchored target of each sample.

        Args:
            new: The new model's logits, ``(n, new classes)``.
            old: The old model's logits, ``(n, old classes)``.
            labels: The truth in the new model's classes, ``(n,)``.

        Returns:
            ``(n,)``.
        """
        truth = label_term(new, labels)
        log_new = functional.log_softmax(new, dim=1)
        compared, reference = self.common(log_new, old)
        imitation = soft_label_term(compared, reference.softmax(dim=1))
        anchored = self.alpha * imitation + (1 - self.alpha) * truth
        quietened = self.epsilon * ((1 - self.alpha) * truth - self.alpha * log_new.mean(dim=1))
        return self.where_known(anchored.where(self.old_right(old, labels), quietened), labels, truth)
