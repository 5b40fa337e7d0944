"""A fixed head: the corners of a regular simplex, with room for classes to come (Pernici et al., CoReS)."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

from segue.compatible.checks import check_count
from segue.compatible.heads.base import Head
from segue.errors import InputError


class SimplexHead(Head):
    r"""Class directions that never move: d + 1 unit vectors in d dimensions, each pair at the cosine -1/d.

    Models of all generations that are trained to the same directions are compatible with one another, and the corners
    without a class keep room for classes to come: cross-entropy over all of them leaves those regions empty. By
    symmetry it does not matter which corner a class gets, as long as it keeps it.

    CoReS: Compatible Representations via Stationarity (Biondi et al., TPAMI 2023); d-Simplex as in the authors' code.

    Args:
        classes: How many classes there are today, at least 2.
        dimension: Columns of the embeddings; the head has ``dimension + 1`` corners and logits. ``None`` for
            ``classes - 1``, which leaves no room.

    Raises:
        InputError: If the dimension has fewer corners than there are classes.

    Example:
        Three directions in the plane, at 120 degrees.

        >>> head = SimplexHead(3)
        >>> (head.weights @ head.weights.T).mul(10).round().tolist()
        [[10.0, -5.0, -5.0], [-5.0, 10.0, -5.0], [-5.0, -5.0, 10.0]]
        >>> SimplexHead(3, dimension=9)(torch.ones(1, 9)).shape
        torch.Size([1, 10])
    """

    weights: Tensor

    def __init__(self, classes: int, dimension: int | None = None) -> None:
        check_count("classes", classes, 2)
        size = classes - 1 if dimension is None else dimension
        check_count("dimension", size)
        if size + 1 < classes:
            raise InputError(
                f"a simplex in {size} dimensions has {size + 1} corners, but there are {classes} classes; "
                f"pass a dimension of at least {classes - 1}"
            )
        super().__init__(size, classes)
        self.register_buffer("weights", simplex_corners(size).to(torch.get_default_dtype()), persistent=False)

    @property
    def room(self) -> int:
        """How many classes can still come."""
        return self.dimension + 1 - self.classes

    def logits(self, embeddings: Tensor, labels: Tensor | None) -> Tensor:
        """Return the inner products with all corners, those of classes to come last.

        Args:
            embeddings: ``(n, dimension)``.
            labels: Not regarded.

        Returns:
            ``(n, dimension + 1)``.
        """
        return functional.linear(embeddings, self.weights.to(embeddings.dtype))


def simplex_corners(dimension: int) -> Tensor:
    r"""Return the corners of a regular simplex around 0.

    .. math:: t = [I_d ; \tfrac{1 - \sqrt{1 + d}}{d} 1], \quad w_c = (t_c - \bar t) / \|t_c - \bar t\|

    Args:
        dimension: d.

    Returns:
        ``(dimension + 1, dimension)`` unit vectors in doubles.

    Example:
        >>> simplex_corners(1)
        tensor([[ 1.],
                [-1.]], dtype=torch.float64)
    """
    last = torch.full((1, dimension), (1 - math.sqrt(1 + dimension)) / dimension, dtype=torch.float64)
    corners = torch.cat([torch.eye(dimension, dtype=torch.float64), last])
    return functional.normalize(corners - corners.mean(dim=0), dim=1)
