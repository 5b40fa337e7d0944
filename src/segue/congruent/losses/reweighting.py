"""The naive baseline: learn harder what the old model got right (Yan et al., CVPR 2021)."""

from __future__ import annotations

from torch import Tensor

from segue.congruent.losses.base import CongruentLoss
from segue.congruent.losses.label_term import label_term


class Reweighting(CongruentLoss):
    r"""Count the cross-entropy of the samples that the old model got right once more.

    .. math:: L = \frac{1}{n} \sum_i 1[\hat y^{old}_i = y_i] \, \mathrm{CE}(z^{new}_i, y_i)

    It reads the labels and yet is no label term: the samples that the old model got wrong are missing. Add the
    cross-entropy of all samples with :class:`segue.congruent.objective.Penalized`, whose weight is that of the rest of
    the paper. A sample whose label is not an old class has the value 0, and the mean divides by all ``n`` samples.

    Args:
        class_map: The new class of each old class, ``(old classes,)``, -1 where it is gone.
        reduction: ``"none"``, ``"mean"`` or ``"sum"``.

    Raises:
        InputError: If an argument is out of its range.

    Example:
        The old model is right on the first sample alone, and the new one undecided.

        >>> import torch
        >>> old = torch.tensor([[1.0, 0.0], [1.0, 0.0]])
        >>> Reweighting(reduction="none")(torch.zeros(2, 2), old, torch.tensor([0, 1]))
        tensor([0.6931, 0.0000])
    """

    def per_sample(self, new: Tensor, old: Tensor, labels: Tensor) -> Tensor:
        """Return the cross-entropy of each sample that the old model got right, 0 for the others.

        Args:
            new: The new model's logits, ``(n, new classes)``.
            old: The old model's logits, ``(n, old classes)``.
            labels: The truth in the new model's classes, ``(n,)``.

        Returns:
            ``(n,)``.
        """
        return label_term(new, labels).where(self.old_right(old, labels), 0.0)
