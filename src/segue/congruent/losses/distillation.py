"""Plain distillation: follow the reference everywhere, right or wrong (Hinton et al., 2015)."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from segue.congruent.losses.base import CongruentLoss
from segue.congruent.losses.distances import KLDivergence
from segue.congruent.losses.reduction import Reduction


class Distillation(CongruentLoss):
    r"""Distil the reference on every sample: the baseline that positive-congruent losses must beat.

    .. math:: L = \frac{T^2}{n} \sum_i
        \mathrm{KL}(\mathrm{softmax}(z^{old}_i / T) \,\|\, \mathrm{softmax}(z^{new}_i / T))

    Logits are compared on the classes that both models know; a sample whose label is not an old class has the value 0,
    and the mean divides by all ``n`` samples.

    Args:
        temperature: T, above 0. The scale of the gradient does not fall with it, thanks to the factor :math:`T^2`.
        class_map: The new class of each old class, ``(old classes,)``, -1 where it is gone.
        reduction: ``"none"``, ``"mean"`` or ``"sum"``.

    Raises:
        InputError: If an argument is out of its range.

    Example:
        >>> import torch
        >>> loss = Distillation(temperature=1)
        >>> loss(torch.tensor([[0.0, 0.0]]), torch.tensor([[99.0, 0.0]]), torch.tensor([1]))
        tensor(0.6931)
    """

    def __init__(
        self,
        temperature: float = 2.0,
        *,
        class_map: Sequence[int] | Tensor | None = None,
        reduction: Reduction = "mean",
    ) -> None:
        super().__init__(class_map=class_map, reduction=reduction)
        self.distance = KLDivergence(temperature)

    def per_sample(self, new: Tensor, old: Tensor, labels: Tensor) -> Tensor:
        """Return the divergence of each sample.

        Args:
            new: The new model's logits, ``(n, new classes)``.
            old: The reference's logits, ``(n, old classes)``.
            labels: The truth in the new model's classes, ``(n,)``.

        Returns:
            ``(n,)``.
        """
        return self.where_known(self.distance(*self.common(new, old)), labels)
