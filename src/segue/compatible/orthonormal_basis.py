"""A learned orthonormal change of basis with extra dimensions (Zhou et al., BT2, ICCV 2023)."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import orthogonal

from segue.compatible.checks import check_count, check_embeddings, check_number
from segue.compatible.embeddings import unit
from segue.errors import InputError


class OrthonormalBasis(nn.Module):
    r"""Turn a new feature so that its first dimensions can be the old model's, and lose nothing of it.

    .. math:: u = [\, \hat e_{1 \dots m} \,;\, C \, P f \,], \qquad
        z = [\, Q \, u_{1 \dots d_{old}} \,;\, u_{d_{old} + 1 \dots} \,]

    f is the feature of length 1, :math:`\hat e` a guess at the old embedding made from the network's output, of which
    m dimensions are put in front (brought to length 1 again), and P and Q are orthonormal matrices that are learned.
    The first :math:`d_{old}` columns of z are compared with old embeddings; all of z is the new embedding, with m
    dimensions more than the feature. Since P and Q only turn, the feature can be read back from z: compatibility takes
    no information away.

    Backward-compatible Training with Basis Transformation; the arrangement of the blocks as in the authors' code.

    Args:
        width: Columns of the network's output, at least ``new_dimension``; its first ones are the feature.
        new_dimension: Columns of the feature.
        old_dimension: :math:`d_{old}`, columns of the old embeddings.
        extra: m, from 1 to ``old_dimension``.
        scale: C, above 0: how much longer the feature is than the extra part.

    Raises:
        InputError: If an argument is out of its range, or z would be shorter than the old embedding.

    Example:
        >>> basis = OrthonormalBasis(width=12, new_dimension=8, old_dimension=4, extra=2)
        >>> output = torch.randn(3, 12)
        >>> basis(output).shape
        torch.Size([3, 10])
        >>> torch.allclose(basis.features(basis(output)), unit(output[:, :8]), atol=1e-5)
        True
    """

    def __init__(
        self, width: int, new_dimension: int, old_dimension: int, *, extra: int = 32, scale: float = 2.0
    ) -> None:
        super().__init__()
        for name, value in (("new_dimension", new_dimension), ("old_dimension", old_dimension), ("extra", extra)):
            check_count(name, value)
        check_count("width", width, new_dimension)
        check_number("scale", scale, 0, open_low=True)
        if extra > old_dimension:
            raise InputError(f"extra is {extra}, but the old embedding has only {old_dimension} dimensions; pass fewer")
        if extra + new_dimension < old_dimension:
            raise InputError(
                f"new_dimension and extra make {extra + new_dimension} dimensions, fewer than the old {old_dimension}; "
                "pass more of either"
            )
        self.width = width
        self.new_dimension = new_dimension
        self.old_dimension = old_dimension
        self.extra = extra
        self.scale = scale
        self.towards_old = nn.Linear(width, old_dimension)
        self.turn_new = orthogonal(nn.Linear(new_dimension, new_dimension, bias=False))
        self.turn_old = orthogonal(nn.Linear(old_dimension, old_dimension, bias=False))
        for tensor in (*self.parameters(), *self.buffers()):
            tensor.data = tensor.data.contiguous()  # the parametrisation's are transposed, which no file can hold

    @property
    def dimension(self) -> int:
        """Columns of the new embedding."""
        return self.new_dimension + self.extra

    def forward(self, outputs: Tensor) -> Tensor:
        """Return the new embeddings.

        Args:
            outputs: The network's outputs, ``(n, width)``.

        Returns:
            ``(n, new_dimension + extra)``; the first ``old_dimension`` columns are compared with old embeddings.

        Raises:
            InputError: If shapes or types are not as described.
        """
        check_embeddings("outputs", outputs, self.width)
        feature = unit(outputs[:, : self.new_dimension])
        guess = unit(self.towards_old(outputs.relu()))
        both = torch.cat([unit(guess[:, : self.extra]), self.scale * self.turn_new(feature)], dim=1)
        return torch.cat([self.turn_old(both[:, : self.old_dimension]), both[:, self.old_dimension :]], dim=1)

    def features(self, embeddings: Tensor) -> Tensor:
        """Read the features back from new embeddings.

        Args:
            embeddings: What :meth:`forward` returned, ``(n, new_dimension + extra)``.

        Returns:
            The features of length 1, ``(n, new_dimension)``.

        Raises:
            InputError: If shapes or types are not as described.
        """
        check_embeddings("embeddings", embeddings, self.dimension)
        front = embeddings[:, : self.old_dimension] @ cast("Tensor", self.turn_old.weight)
        both = torch.cat([front, embeddings[:, self.old_dimension :]], dim=1)
        return both[:, self.extra :] @ cast("Tensor", self.turn_new.weight) / self.scale

    def extra_repr(self) -> str:
        """Return the sizes as they are printed.

        Returns:
            ``"width=256, new_dimension=128, ..."``.
        """
        return (
            f"width={self.width}, new_dimension={self.new_dimension}, old_dimension={self.old_dimension}, "
            f"extra={self.extra}, scale={self.scale}"
        )
