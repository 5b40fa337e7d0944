"""Margins of cosine heads: the true class has to win by a distance (CosFace and ArcFace)."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod

from torch import Tensor, nn

from segue.compatible.checks import check_number


class Margin(nn.Module, ABC):
    """What is taken off the true class's cosine in training."""

    @abstractmethod
    def reduced(self, cosines: Tensor) -> Tensor:
        """Return what stands in the place of the true classes' cosines, ``(n,)``."""

    def forward(self, cosines: Tensor, labels: Tensor) -> Tensor:
        """Put the margin on the true classes.

        Args:
            cosines: ``(n, classes)``.
            labels: The truth, ``(n,)`` integers.

        Returns:
            ``(n, classes)``; all but the true classes are as they were.
        """
        column = labels.long()[:, None]
        return cosines.scatter(1, column, self.reduced(cosines.gather(1, column)))


class CosFaceMargin(Margin):
    r"""An additive margin on the cosine (Wang et al., CosFace, CVPR 2018, eq. 4).

    .. math:: \cos\theta_y - m

    Args:
        margin: m, from 0 to 2.

    Raises:
        InputError: If the margin is out of its range.

    Example:
        >>> import torch
        >>> CosFaceMargin(0.25)(torch.tensor([[0.5, 0.5]]), torch.tensor([1]))
        tensor([[0.5000, 0.2500]])
    """

    def __init__(self, margin: float = 0.35) -> None:
        super().__init__()
        check_number("margin", margin, 0, 2)
        self.margin = margin

    def reduced(self, cosines: Tensor) -> Tensor:
        """Return the cosines less the margin.

        Args:
            cosines: The true classes' cosines, any shape.

        Returns:
            The same shape.
        """
        return cosines - self.margin

    def extra_repr(self) -> str:
        """Return the margin as it is printed.

        Returns:
            ``"margin=0.35"``.
        """
        return f"margin={self.margin}"


class ArcFaceMargin(Margin):
    r"""An additive margin on the angle (Deng et al., ArcFace, CVPR 2019, eq. 3).

    .. math:: \cos(\theta_y + m) \text{ where } \theta_y + m \le \pi, \qquad \cos\theta_y - m \sin m \text{ beyond}

    Past pi the cosine of the sum would rise again, and reward the worst samples; there the cosine is lowered by a
    constant instead, as in the authors' code. The whole falls with the angle.

    Args:
        margin: m in radians, from 0 to pi.

    Raises:
        InputError: If the margin is out of its range.

    Example:
        A right angle and 30 degrees make 120.

        >>> import torch
        >>> ArcFaceMargin(math.pi / 6)(torch.tensor([[0.0, 0.5]]), torch.tensor([0]))
        tensor([[-0.5000,  0.5000]])
    """

    def __init__(self, margin: float = 0.5) -> None:
        super().__init__()
        check_number("margin", margin, 0, math.pi)
        self.margin = margin

    def reduced(self, cosines: Tensor) -> Tensor:
        """Return the cosines of the angles with the margin.

        Args:
            cosines: The true classes' cosines, any shape.

        Returns:
            The same shape.
        """
        # the root's derivative is infinite at 0, where a sample lies on its class: cut off just before
        sines = (1 - cosines.square()).clamp(min=1e-7).sqrt()
        added = cosines * math.cos(self.margin) - sines * math.sin(self.margin)
        beyond = cosines - self.margin * math.sin(self.margin)
        return added.where(cosines > -math.cos(self.margin), beyond)

    def extra_repr(self) -> str:
        """Return the margin as it is printed.

        Returns:
            ``"margin=0.5"``.
        """
        return f"margin={self.margin}"
