"""A rotation of the new space and a map of the old one that meet, as they are trained (Ricci et al., NeurIPS 2025)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from segue.adapters.residual_network import ResidualNetwork

# How sharply the penalty sets in at its threshold: from memory of the paper, not confirmed.
SHARPNESS = 10.0


class OrthogonalPair(nn.Module):
    r"""Hold B, by which new vectors are turned, and F, by which old ones are mapped to where B turns the new ones.

    .. math:: B(x) = [x; 0] \, R \, e^{P - P^T} \quad \text{(strict)}, \qquad B(x) = [x; 0] \, (R + \Delta)
        \quad \text{(relaxed)}

    R is the rotation at which it begins, P and :math:`\Delta` are zero there.

    Args:
        turn: R, ``(d, d)`` with d the larger dimension.
        forward_map: F, from the old dimension to d.
        strict: Whether B is a rotation.
    """

    turn: Tensor

    def __init__(self, turn: Tensor, forward_map: ResidualNetwork, *, strict: bool) -> None:
        super().__init__()
        self.register_buffer("turn", turn)
        self.change = nn.Parameter(torch.zeros_like(turn))
        self.forward_map = forward_map
        self.strict = strict

    @property
    def basis(self) -> Tensor:
        """The matrix of B, ``(d, d)``."""
        return self.turn @ torch.matrix_exp(self.change - self.change.T) if self.strict else self.turn + self.change

    def forward(self, old: Tensor, new: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Map both sides.

        Args:
            old: Old vectors, ``(n, d_old)``.
            new: New vectors of the same items, ``(n, d_new)``.

        Returns:
            F(old) and B(new), ``(n, d)``, and B's matrix.
        """
        basis = self.basis
        mapped: Tensor = self.forward_map(old)
        return mapped, padded(new, len(basis)) @ basis, basis


def padded(rows: Tensor, dimension: int) -> Tensor:
    """Append zeros to rows.

    Args:
        rows: ``(n, d)``.
        dimension: How many numbers a row is to have, at least d.

    Returns:
        ``(n, dimension)``.
    """
    return pad(rows, (0, dimension - rows.shape[1]))


def orthogonality_penalty(matrix: Tensor, tolerance: float, sharpness: float = SHARPNESS) -> Tensor:
    r"""Return how far a matrix is from a rotation, where that is more than what is tolerated.

    .. math:: L_\lambda = \sigma\left(\alpha (\|W W^T - I\|_F - \lambda)\right) \|W W^T - I\|_F

    Args:
        matrix: W, ``(d, d)``.
        tolerance: :math:`\lambda`.
        sharpness: :math:`\alpha`.

    Returns:
        A scalar.

    Example:
        >>> orthogonality_penalty(torch.diag(torch.tensor([2.0, 1.0])), tolerance=3.0).item()  # 3, half of it counts
        1.5
    """
    apart = torch.linalg.matrix_norm(
        matrix @ matrix.T - torch.eye(len(matrix), dtype=matrix.dtype, device=matrix.device)
    )
    penalty: Tensor = torch.sigmoid(sharpness * (apart - tolerance)) * apart
    return penalty


def squared_distance(one: Tensor, other: Tensor) -> Tensor:
    """Return the mean squared distance of rows, in the dimensions that both have.

    Args:
        one: ``(n, d)``.
        other: ``(n, e)``.

    Returns:
        A scalar.

    Example:
        >>> squared_distance(torch.tensor([[1.0, 2.0, 9.0]]), torch.tensor([[0.0, 0.0]])).item()
        5.0
    """
    both = min(one.shape[1], other.shape[1])
    return (one[:, :both] - other[:, :both]).square().sum(dim=1).mean()
