"""Gated distillation: follow the old model where it is the better one at the moment (Xie et al., ACL 2021)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor

from segue.congruent.losses.base import CongruentLoss
from segue.congruent.losses.checks import check_number
from segue.congruent.losses.distances import KLDivergence
from segue.congruent.losses.label_term import label_term
from segue.congruent.losses.reduction import Reduction


class GatedDistillation(CongruentLoss):
    r"""Distil the old model on the samples where its cross-entropy is not above the new model's, learn the others.

    .. math::
        \ell = \begin{cases}
            \alpha \, T^2 \, \mathrm{KL}(\mathrm{softmax}(z^{old} / T) \,\|\, \mathrm{softmax}(z^{new} / T))
                + (1 - \alpha) \, \mathrm{CE}(z^{new}, y)
                & \mathrm{CE}(z^{old}, y) \le \mathrm{CE}(z^{new}, y) \\
            \mathrm{CE}(z^{new}, y) & \text{otherwise}
        \end{cases}

    The gate is set anew at every step, and no gradient flows through it. The label term is part of the loss. Each
    model's cross-entropy is taken over all its own classes, the divergence over those that both know. A sample whose
    label is not an old class is trained on its label alone.

    Args:
        alpha: The share of distillation where the gate is open, from 0 to 1.
        temperature: T, above 0.
        class_map: The new class of each old class, ``(old classes,)``, -1 where it is gone.
        reduction: ``"none"``, ``"mean"`` or ``"sum"``.

    Raises:
        InputError: If an argument is out of its range.

    Example:
        The new model is undecided. The old one is sure: right on the first sample, where three
        quarters of 4 log 2 and one of log 2 add up; wrong on the second, which is learned as usual.

        >>> import torch
        >>> loss = GatedDistillation(alpha=0.75, temperature=2, reduction="none")
        >>> loss(torch.zeros(2, 2), torch.tensor([[99.0, 0.0], [99.0, 0.0]]), torch.tensor([0, 1]))
        tensor([2.2527, 0.6931])
    """

    includes_labels: ClassVar[bool] = True

    def __init__(
        self,
        alpha: float = 0.5,
        temperature: float = 2.0,
        *,
        class_map: Sequence[int] | Tensor | None = None,
        reduction: Reduction = "mean",
    ) -> None:
        super().__init__(class_map=class_map, reduction=reduction)
        check_number("alpha", alpha, 0, 1)
        self.alpha = alpha
        self.distance = KLDivergence(temperature)

    def per_sample(self, new: Tensor, old: Tensor, labels: Tensor) -> Tensor:
        """Return the gated loss of each sample.

        Args:
            new: The new model's logits, ``(n, new classes)``.
            old: The old model's logits, ``(n, old classes)``.
            labels: The truth in the new model's classes, ``(n,)``.

        Returns:
            ``(n,)``.
        """
        truth = label_term(new, labels)
        with torch.no_grad():
            follow = label_term(old, self.old_labels(labels).clamp(min=0)) <= truth
        distilled = self.alpha * self.distance(*self.common(new, old)) + (1 - self.alpha) * truth
        return self.where_known(distilled.where(follow, truth), labels, truth)
