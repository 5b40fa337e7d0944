"""A linear head: logits are inner products, with or without a bias."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from segue.compatible.heads.base import Head


class LinearHead(Head):
    r"""Score each class by an inner product.

    .. math:: z_c = w_c \cdot f + b_c

    Args:
        dimension: Columns of the embeddings.
        classes: How many classes there are.
        bias: Whether each class has a bias. Retrieval compares embeddings without one, so none is the default.

    Raises:
        InputError: If a size is no whole number above 0.

    Example:
        >>> import torch
        >>> head = LinearHead(2, 3)
        >>> _ = nn.init.ones_(head.weight)
        >>> head(torch.tensor([[1.0, 2.0]])).tolist()
        [[3.0, 3.0, 3.0]]
    """

    def __init__(self, dimension: int, classes: int, *, bias: bool = False) -> None:
        super().__init__(dimension, classes)
        start = nn.Linear(dimension, classes, bias=bias)
        self.weight = start.weight
        self.register_parameter("bias", start.bias)
        self.bias: nn.Parameter | None

    def logits(self, embeddings: Tensor, labels: Tensor | None) -> Tensor:
        """Return the inner products with the classes' rows.

        Args:
            embeddings: ``(n, dimension)``.
            labels: Not regarded.

        Returns:
            ``(n, classes)``.
        """
        return functional.linear(embeddings, self.weight, self.bias)
