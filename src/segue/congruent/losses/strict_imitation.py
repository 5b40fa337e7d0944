"""Strict imitation: say what the old model says where that is right (Bansal et al., AAAI 2019)."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

from segue.congruent.losses.base import CongruentLoss
from segue.congruent.losses.label_term import soft_label_term


class StrictImitation(CongruentLoss):
    r"""Imitate the old model's probabilities on the samples that it got right, and on no other.

    .. math:: D = \frac{1}{n} \sum_i 1[\hat y^{old}_i = y_i] \,
        \mathrm{CE}(\mathrm{softmax}(z^{new}_i), \mathrm{softmax}(z^{old}_i))

    The target is the old model's answer, not the truth; the authors of the public code (Srivastava et al., KDD 2020)
    were themselves unsure (pull request 4 of BackwardCompatibilityML), and with the truth it would be
    :class:`NewError`. The mean runs over all ``n`` samples, not over those that the old model got right, so that the
    weight means the same in every batch. The gradient is that of
    ``FocalDistillation(alpha=0, beta=1, distance=KLDivergence(temperature=1))``. Probabilities are compared on the
    classes that both models know; a sample whose label is not an old class has the value 0.

    Args:
        class_map: The new class of each old class, ``(old classes,)``, -1 where it is gone.
        reduction: ``"none"``, ``"mean"`` or ``"sum"``.

    Raises:
        InputError: If an argument is out of its range.

    Example:
        The old model is right on the first sample alone, and the new one undecided.

        >>> import torch
        >>> old = torch.tensor([[1.0, 0.0], [1.0, 0.0]])
        >>> StrictImitation(reduction="none")(torch.zeros(2, 2), old, torch.tensor([0, 1]))
        tensor([0.6931, 0.0000])
    """

    def per_sample(self, new: Tensor, old: Tensor, labels: Tensor) -> Tensor:
        """Return the cross-entropy with the old answer where that is right, 0 for the other samples.

        Args:
            new: The new model's logits, ``(n, new classes)``.
            old: The old model's logits, ``(n, old classes)``.
            labels: The truth in the new model's classes, ``(n,)``.

        Returns:
            ``(n,)``.
        """
        compared, reference = self.common(new, old)
        imitation = soft_label_term(functional.log_softmax(compared, dim=1), reference.softmax(dim=1))
        return imitation.where(self.old_right(old, labels), 0.0)
