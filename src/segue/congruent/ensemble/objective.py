"""What an ELODI student minimises (Zhao et al., TPAMI 2024, and the code beside the paper)."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor

from segue.congruent.losses.base import CongruentLoss
from segue.congruent.losses.checks import check_number
from segue.congruent.losses.label_term import label_term
from segue.congruent.losses.logit_difference import LogitDifferenceInhibition


class ElodiObjective(CongruentLoss):
    r"""Cross-entropy, and logit difference inhibition towards the ensemble's mean, averaged over the classes.

    .. math:: L = (1 - \alpha) \, L_{CE} + \frac{\alpha}{C} \sum_{k=1}^{C} \max(0, |z_k - \bar z_k| - \xi)^p

    ``segue.congruent.losses.LogitDifferenceInhibition`` sums over classes, as the paper's formula does; the code beside
    the paper divides by their number ``C``, and its weights belong to that mean. With ``top_k``, ``C`` is still the
    number of all classes.

    Args:
        weight: :math:`\alpha`, from 0 to 1.
        margin: :math:`\xi`, the difference that is allowed.
        power: p.
        top_k: How many classes are looked at in each sample, those with the largest reference logits; all by default.

    Raises:
        InputError: If an argument is out of its range.

    Example:
        >>> import torch
        >>> loss = ElodiObjective(weight=0.8)
        >>> loss(torch.zeros(1, 2), torch.tensor([[1.0, -2.0]]), torch.tensor([0]))  # 0.2 log 2 + 0.8 (1 + 4) / 2
        tensor(2.1386)
    """

    includes_labels: ClassVar[bool] = True

    def __init__(
        self, weight: float = 0.8, margin: float = 0.0, power: float = 2.0, *, top_k: int | None = None
    ) -> None:
        super().__init__()
        check_number("weight", weight, 0, 1)
        self.weight = weight
        self.inhibition = LogitDifferenceInhibition(margin, power, top_k=top_k)

    def per_sample(self, new: Tensor, old: Tensor, labels: Tensor) -> Tensor:
        """Return the objective of each sample.

        Args:
            new: The student's logits, ``(n, classes)``.
            old: The ensemble's mean logits, ``(n, classes)``.
            labels: The truth, ``(n,)``.

        Returns:
            ``(n,)``.
        """
        inhibited = self.inhibition.per_sample(new, old, labels) / new.shape[1]
        return (1 - self.weight) * label_term(new, labels) + self.weight * inhibited
