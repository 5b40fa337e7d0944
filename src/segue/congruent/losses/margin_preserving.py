"""Margin-preserving training for class sets that grew (Ricci et al., AAAI 2026)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from torch import Tensor

from segue.congruent.losses.base import CongruentLoss
from segue.congruent.losses.checks import check_number
from segue.congruent.losses.distances import Distance, KLDivergence
from segue.congruent.losses.focal_distillation import FocalDistillation
from segue.congruent.losses.label_term import label_term
from segue.congruent.losses.reduction import Reduction
from segue.errors import InputError


class MarginPreserving(CongruentLoss):
    r"""Learn new classes at a distance from the old ones, and stay close to the old model where it was right.

    .. math:: L = \frac{1}{n} \sum_i \mathrm{CE}(z^{new}_i + b \, 1_{new}, y_i)
        + w \, (\alpha + \beta \, 1[\hat y^{old}_i = y_i]) \, D(z^{new}_i, z^{old}_i)

    where :math:`1_{new}` is 1 at the classes that the old model does not know. During training the new classes start
    b ahead, so that an old class has to win by that margin; at test time nothing is added. The label term is part of
    the loss. The divergence is taken over the classes that both models know. A sample whose label is not an old class
    is not distilled; public code of the paper distils it, too.

    The paper also distils a new model that was trained without constraint. That is one more reference:
    ``SeveralReferences({"old": (MarginPreserving(class_map), 1.0), "independent": (FocalDistillation(), 1.0)},
    labels_weight=0)``, see :class:`segue.congruent.objective.SeveralReferences`.

    Args:
        class_map: The new class of each old class, ``(old classes,)``, -1 where it is gone; new classes are those that
            it does not name.
        margin: b, at least 0.
        alpha: Weight of every sample in the distillation.
        beta: Extra weight of the samples that the old model got right.
        distance: How far two rows of logits are; by default the divergence at T = 5.
        weight: w, the weight of the distillation, at least 0.
        reduction: ``"none"``, ``"mean"`` or ``"sum"``.

    Raises:
        InputError: If an argument is out of its range, or there is no class map.

    Example:
        One class is new and starts log 3 ahead; the old model has nothing to add.

        >>> import math
        >>> import torch
        >>> loss = MarginPreserving(class_map=[0, 1], margin=math.log(3))
        >>> loss(torch.zeros(1, 3), torch.zeros(1, 2), torch.tensor([0]))  # -log(1 / (1 + 1 + 3))
        tensor(1.6094)
    """

    includes_labels: ClassVar[bool] = True

    def __init__(
        self,
        class_map: Sequence[int] | Tensor,
        margin: float = 4.0,
        *,
        alpha: float = 1.0,
        beta: float = 5.0,
        distance: Distance | None = None,
        weight: float = 1.0,
        reduction: Reduction = "mean",
    ) -> None:
        if class_map is None:
            raise InputError(
                "class_map is None; pass the new class of each old class, the margin goes to the other ones"
            )
        super().__init__(class_map=class_map, reduction=reduction)
        check_number("margin", margin, 0)
        check_number("weight", weight, 0)
        self.margin = margin
        self.weight = weight
        self.distillation = FocalDistillation(
            alpha, beta, distance=KLDivergence(temperature=5.0) if distance is None else distance, class_map=class_map
        )

    def per_sample(self, new: Tensor, old: Tensor, labels: Tensor) -> Tensor:
        """Return the cross-entropy with margin and the distillation of each sample.

        Args:
            new: The new model's logits, ``(n, new classes)``.
            old: The old model's logits, ``(n, old classes)``.
            labels: The truth in the new model's classes, ``(n,)``.

        Returns:
            ``(n,)``.
        """
        ahead = new.new_full((new.shape[1],), self.margin).index_fill(0, self.common_classes(new), 0.0)
        return label_term(new + ahead, labels) + self.weight * self.distillation.per_sample(new, old, labels)
