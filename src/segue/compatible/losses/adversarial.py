"""A discriminator that can't tell new embeddings from old ones (Pan et al., AdvBCT, CVPR 2023)."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from segue.compatible.checks import check_count, check_number
from segue.compatible.embeddings import common_part, unit
from segue.compatible.losses.base import CompatibleLoss, check_old_dimension
from segue.compatible.losses.counted import Counted, Reduction


class _Reverse(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, inputs: Tensor, strength: float) -> Tensor:
        ctx.strength = strength
        return inputs.view_as(inputs)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return -ctx.strength * gradients[0], None


class GradientReversal(nn.Module):
    r"""Pass values on as they are, and gradients back times :math:`-s` (Ganin and Lempitsky, ICML 2015).

    Args:
        strength: s, at least 0; may be set again at any time.

    Raises:
        InputError: If the strength is out of its range.

    Example:
        >>> x = torch.tensor([3.0], requires_grad=True)
        >>> (2 * GradientReversal(0.5)(x)).sum().backward()
        >>> x.grad
        tensor([-1.])
    """

    def __init__(self, strength: float = 1.0) -> None:
        super().__init__()
        check_number("strength", strength, 0)
        self.strength = strength

    def forward(self, inputs: Tensor) -> Tensor:
        """Return the inputs.

        Args:
            inputs: Any tensor.

        Returns:
            The same values.
        """
        reversed_: Tensor = _Reverse.apply(inputs, self.strength)  # type: ignore[no-untyped-call]
        return reversed_


class AdversarialAlignment(CompatibleLoss):
    r"""Train a discriminator to tell new from old, and the new model so that it can't.

    .. math:: L = \frac{1}{n} \sum_i \mathrm{CE}(D(R(n_i)), \text{new}) + \mathrm{CE}(D(o_i), \text{old})

    R reverses the gradient, so that one step with this loss makes the discriminator better and the new embeddings
    harder to tell. n and o are the new and old embeddings, brought to length 1. D is linear, BatchNorm, ReLU, linear,
    as in the authors' code; there each side passes BatchNorm by itself, which takes the difference of their means
    away; here both pass together. Boundary-Aware Backward-Compatible Representation via Adversarial Learning in Image
    Retrieval.

    The loss has parameters, which must be trained with the model's. In the authors' code its weight falls with each
    epoch, from 1 to one part in as many as there are epochs, and the strength of the reversal rises
    (:func:`reversal_strength`; set ``loss.reversal.strength``).

    Args:
        dimension: The old embeddings' dimension.
        hidden: Width of the discriminator.
        reduction: ``"none"``, ``"mean"`` or ``"sum"``.

    Raises:
        InputError: If a size is no whole number above 0.

    Example:
        >>> loss = AdversarialAlignment(4)
        >>> _ = nn.init.zeros_(loss.discriminator[-1].weight), nn.init.zeros_(loss.discriminator[-1].bias)
        >>> loss(torch.randn(2, 4), torch.randn(2, 4)).item()  # twice log 2: undecided  # doctest: +ELLIPSIS
        1.386...
    """

    needs_labels: ClassVar[bool] = False

    def __init__(self, dimension: int, *, hidden: int = 100, reduction: Reduction = "mean") -> None:
        super().__init__(reduction=reduction)
        check_count("dimension", dimension)
        check_count("hidden", hidden)
        self.dimension = dimension
        self.reversal = GradientReversal()
        self.discriminator = nn.Sequential(
            nn.Linear(dimension, hidden), nn.BatchNorm1d(hidden), nn.ReLU(), nn.Linear(hidden, 2)
        )

    def per_sample(self, new: Tensor, old: Tensor, labels: Tensor) -> Counted:
        """Return how badly both embeddings of each sample are told apart.

        Args:
            new: The new model's embeddings, ``(n, d_new)``.
            old: The old model's embeddings, ``(n, dimension)``.
            labels: Not regarded.

        Returns:
            The values.
        """
        check_old_dimension(old, self.dimension, "the discriminator")
        part = self.reversal(common_part(new, self.dimension, normalise=True))
        if not new.shape[0]:
            return Counted(part.sum(dim=1))
        own = next(self.discriminator.parameters()).dtype
        told = self.discriminator(torch.cat([part, unit(old)]).to(own)).to(new.dtype)
        sides = torch.arange(2, device=told.device).repeat_interleave(new.shape[0])
        of_new, of_old = functional.cross_entropy(told, sides, reduction="none").chunk(2)
        return Counted(of_new + of_old)


def reversal_strength(progress: float) -> float:
    r"""Return how strongly gradients are reversed at a point of the training.

    .. math:: s = \frac{2}{1 + e^{-10 p}} - 1

    Ganin and Lempitsky (ICML 2015), and the code of AdvBCT.

    Args:
        progress: p, the share of the training that is done, from 0 to 1.

    Returns:
        0 at the beginning, almost 1 at the end.

    Raises:
        InputError: If the share is out of its range.

    Example:
        >>> reversal_strength(0.0), round(reversal_strength(0.5), 4)
        (0.0, 0.9866)
    """
    check_number("progress", progress, 0, 1)
    return 2 / (1 + math.exp(-10 * progress)) - 1
