"""Logit difference inhibition: no logit may drift far from the reference's (Zhao et al., ELODI, TPAMI 2024)."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from segue.congruent.losses.base import CongruentLoss
from segue.congruent.losses.checks import check_number
from segue.congruent.losses.reduction import Reduction
from segue.errors import InputError


class LogitDifferenceInhibition(CongruentLoss):
    r"""Punish logits that differ from the reference's by more than a margin.

    .. math:: \ell(x) = \sum_{k \in K(x)} \max(0, |z^{new}_k - z^{old}_k| - \xi)^p

    K(x) are the ``top_k`` classes with the largest *reference* logits of that sample, so that it does not move while
    the new model learns. The reference is the old model, or the mean logits of an ensemble of the new one (ELODI). The
    values are sums over classes; the code beside the paper divides them by the number of classes, which is to be
    borne in mind with its weights. Logits are compared on the classes that both models know, and K(x) is chosen among
    them; a sample whose label is not an old class has the value 0, and the mean divides by all ``n`` samples.

    Args:
        margin: :math:`\xi`, the difference that is allowed, at least 0.
        power: p, at least 1.
        top_k: How many classes are looked at in each sample; ``None`` for all.
        exclude_label: Whether the true class is left alone; K(x) is then chosen among the other ones.
        class_map: The new class of each old class, ``(old classes,)``, -1 where it is gone.
        reduction: ``"none"``, ``"mean"`` or ``"sum"``.

    Raises:
        InputError: If an argument is out of its range.

    Example:
        The two largest reference logits are 5 and 3; the new ones differ by 1 and 2 there, 0.5 of which is allowed.

        >>> import torch
        >>> loss = LogitDifferenceInhibition(margin=0.5, top_k=2)
        >>> loss(torch.tensor([[4.0, 9.0, 5.0]]), torch.tensor([[5.0, 0.0, 3.0]]), torch.tensor([0]))
        tensor(2.5000)
    """

    def __init__(
        self,
        margin: float = 0.5,
        power: float = 2.0,
        *,
        top_k: int | None = None,
        exclude_label: bool = False,
        class_map: Sequence[int] | Tensor | None = None,
        reduction: Reduction = "mean",
    ) -> None:
        super().__init__(class_map=class_map, reduction=reduction)
        check_number("margin", margin, 0)
        check_number("power", power, 1)
        if top_k is not None and (not isinstance(top_k, int) or isinstance(top_k, bool) or top_k < 1):
            raise InputError(f"top_k is {top_k!r}; pass a whole number of classes from 1, or None for all of them")
        self.margin = margin
        self.power = power
        self.top_k = top_k
        self.exclude_label = exclude_label

    def per_sample(self, new: Tensor, old: Tensor, labels: Tensor) -> Tensor:
        """Return the sum over K(x) of each sample.

        Args:
            new: The new model's logits, ``(n, new classes)``.
            old: The reference's logits, ``(n, old classes)``.
            labels: The truth in the new model's classes, ``(n,)``.

        Returns:
            ``(n,)``.

        Raises:
            InputError: If there are fewer than ``top_k`` classes to choose from.
        """
        compared, reference = self.common(new, old)
        difference = compared - reference
        ranking = reference
        if self.exclude_label:
            true_class = self.common_classes(new) == labels[:, None]
            difference = difference.masked_fill(true_class, 0.0)
            ranking = ranking.masked_fill(true_class, float("-inf"))
        if self.top_k is not None:
            choice = reference.shape[1] - self.exclude_label
            if self.top_k > choice:
                raise InputError(f"top_k is {self.top_k}, but there are only {choice} classes to choose from; lower it")
            difference = difference.gather(1, ranking.topk(self.top_k, dim=1, sorted=False).indices)
        excess = (difference.abs() - self.margin).relu()
        return self.where_known(excess.pow(self.power).sum(dim=1), labels)
