"""How far mapped vectors are from where the other model puts them."""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import cosine_similarity


def map_loss(mapped: Tensor, target: Tensor, middle: Tensor, cosine: float) -> Tensor:
    r"""Return the mean squared error of a coordinate, plus a share of the cosine distance.

    .. math::
        \frac{1}{n} \sum_i \left[ \frac{1}{d} \|\hat y_i - y_i\|^2
            + c \, \left(1 - \cos(\hat y_i + m, \; y_i + m)\right) \right]

    Args:
        mapped: Mapped vectors, seen from the target's mean, ``(n, d)``.
        target: What they should be, ``(n, d)``.
        middle: The target's mean in the same units, ``(d,)``.
        cosine: The weight c.

    Returns:
        The loss, a scalar.

    Example:
        >>> import torch
        >>> mapped, target = torch.tensor([[2.0, 0.0]]), torch.tensor([[0.0, 2.0]])
        >>> map_loss(mapped, target, torch.zeros(2), cosine=0.5).item()  # 8 / 2 and a right angle's half
        4.5
    """
    loss = (mapped - target).square().mean()
    if cosine:
        loss = loss + cosine * (1 - cosine_similarity(mapped + middle, target + middle)).mean()
    return loss
