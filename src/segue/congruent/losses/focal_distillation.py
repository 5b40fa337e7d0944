"""Focal distillation: stay close to the old model where it was right (Yan et al., CVPR 2021)."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from segue.congruent.losses.base import CongruentLoss
from segue.congruent.losses.checks import check_number
from segue.congruent.losses.distances import Distance, KLDivergence
from segue.congruent.losses.focus import Focus, old_correct
from segue.congruent.losses.reduction import Reduction
from segue.errors import InputError


class FocalDistillation(CongruentLoss):
    r"""Distil the old model with more weight on the samples it classified correctly.

    .. math:: L = \frac{1}{n} \sum_i (\alpha + \beta \, 1[\hat y^{old}_i = y_i]) \, D(z^{new}_i, z^{old}_i)  \quad (7)

    Logits are compared on the classes that both models know; whether the old answer is right is judged on all its
    classes. A sample whose label is not an old class has the value 0, as in the code beside the paper; the mean divides
    by all ``n`` samples (that code divides by the remaining ones).

    Args:
        alpha: Weight of every sample. ``beta=0`` with ``alpha=1`` is plain distillation.
        beta: Extra weight of the samples that the focus looks at: by default those the old model got right.
        distance: How far two rows of logits are, ``(n, classes) x (n, classes) -> (n,)``; see
            :mod:`segue.congruent.losses.distances`. By default the paper's divergence at T = 100.
        focus: Which samples get the extra weight; see :mod:`segue.congruent.losses.focus`.
        class_map: The new class of each old class, ``(old classes,)``, -1 where it is gone.
        reduction: ``"none"``, ``"mean"`` or ``"sum"``.

    Raises:
        InputError: If an argument is out of its range.

    Example:
        The distances are 2 and 8; the old model is right on the first sample only: (6 x 2 + 1 x 8) / 2.

        >>> import torch
        >>> from segue.congruent.losses import LogitMatching
        >>> loss = FocalDistillation(alpha=1, beta=5, distance=LogitMatching())
        >>> old = torch.tensor([[1.0, 0.0], [1.0, 0.0]])
        >>> new = torch.tensor([[3.0, 0.0], [1.0, 4.0]])
        >>> loss(new, old, torch.tensor([0, 1]))
        tensor(10.)
    """

    def __init__(
        self,
        alpha: float = 1.0,
        beta: float = 5.0,
        *,
        distance: Distance | None = None,
        focus: Focus = old_correct,
        class_map: Sequence[int] | Tensor | None = None,
        reduction: Reduction = "mean",
    ) -> None:
        super().__init__(class_map=class_map, reduction=reduction)
        check_number("alpha", alpha, 0)
        check_number("beta", beta, 0)
        if distance is not None and not callable(distance):
            raise InputError(f"distance is {distance!r}; pass a callable such as KLDivergence(temperature=100)")
        if not callable(focus):
            raise InputError(f"focus is {focus!r}; pass a callable such as segue.congruent.losses.old_correct")
        self.alpha = alpha
        self.beta = beta
        self.distance = KLDivergence() if distance is None else distance
        self.focus = focus

    def per_sample(self, new: Tensor, old: Tensor, labels: Tensor) -> Tensor:
        """Return (alpha + beta x focus) x distance of each sample.

        Args:
            new: The new model's logits, ``(n, new classes)``.
            old: The old model's logits, ``(n, old classes)``.
            labels: The truth in the new model's classes, ``(n,)``.

        Returns:
            ``(n,)``.
        """
        focus = self.focus(new.detach(), old, labels, self.old_labels(labels)).detach()
        weights = self.alpha + self.beta * focus
        return self.where_known(weights * self.distance(*self.common(new, old)), labels)
