"""A linear map with a hidden layer beside it and a scale for each dimension, as it is trained."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class ResidualNetwork(nn.Module):
    r"""Add a hidden layer to a linear map, and scale each dimension of the sum.

    .. math:: h = \left( x (A_0 + \Delta) + \operatorname{relu}(x P + p) \, Q + q \right) \operatorname{diag}(1 + s)

    with :math:`\Delta`, Q, q and s zero at the start: the network begins as the linear map, and weight decay draws it
    back there.

    Args:
        matrix: The linear map, ``(d_source, d_target)``.
        hidden: Width of the hidden layer.
        dropout: Share of the hidden layer that is left out in training.
    """

    start: Tensor

    def __init__(self, matrix: Tensor, hidden: int, dropout: float) -> None:
        super().__init__()
        self.register_buffer("start", matrix)
        self.change = nn.Parameter(torch.zeros_like(matrix))
        self.stretch = nn.Parameter(torch.zeros(matrix.shape[1]))
        self.inward = nn.Linear(matrix.shape[0], hidden)
        self.outward = nn.Linear(hidden, matrix.shape[1])
        self.dropout = nn.Dropout(dropout)
        nn.init.zeros_(self.outward.weight)
        nn.init.zeros_(self.outward.bias)

    def forward(self, source: Tensor) -> Tensor:
        """Map centred rows.

        Args:
            source: ``(n, d_source)``.

        Returns:
            ``(n, d_target)``.
        """
        hidden = self.dropout(self.inward(source).relu())
        mapped: Tensor = source @ (self.start + self.change) + self.outward(hidden)
        return mapped * (1 + self.stretch)

    def folded(self) -> dict[str, Tensor]:
        """Return what is left of it when the scales are multiplied into the layers.

        Returns:
            ``matrix``, ``inward``, ``inward_bias``, ``outward`` and ``outward_bias``; vectors are rows on their left.
        """
        scale = 1 + self.stretch
        return {
            "matrix": (self.start + self.change) * scale,
            "inward": self.inward.weight.T,
            "inward_bias": self.inward.bias,
            "outward": self.outward.weight.T * scale,
            "outward_bias": self.outward.bias * scale,
        }
