"""A cosine head: logits are scaled cosines, in training with a margin where one is asked for."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from segue.compatible.checks import check_number
from segue.compatible.embeddings import unit
from segue.compatible.heads.base import Head
from segue.compatible.heads.margins import Margin
from segue.errors import InputError


class CosineHead(Head):
    r"""Score each class by a cosine, which is what a gallery is searched by.

    .. math:: z_c = s \, \cos(w_c, f)

    In training, and where labels are passed, the margin is put on the true class first; without labels, or in
    evaluation mode, the logits are the plain ones.

    Args:
        dimension: Columns of the embeddings.
        classes: How many classes there are.
        scale: s, above 0.
        margin: :class:`CosFaceMargin`, :class:`ArcFaceMargin` or ``None`` (NormFace, Wang et al., ACM MM 2017).

    Raises:
        InputError: If an argument is out of its range.

    Example:
        >>> head = CosineHead(2, 2, scale=10.0)
        >>> _ = head.weight.data.copy_(torch.eye(2))
        >>> head(torch.tensor([[3.0, 4.0]])).tolist()
        [[6.0, 8.0]]
    """

    def __init__(self, dimension: int, classes: int, *, scale: float = 30.0, margin: Margin | None = None) -> None:
        super().__init__(dimension, classes)
        check_number("scale", scale, 0, open_low=True)
        if margin is not None and not isinstance(margin, Margin):
            raise InputError(f"margin is a {type(margin).__name__}; pass CosFaceMargin(), ArcFaceMargin() or None")
        self.scale = scale
        self.margin = margin
        # rows of about unit length, so that a step turns them by about as much in any dimension
        self.weight = nn.Parameter(torch.randn(classes, dimension) * dimension**-0.5)

    def logits(self, embeddings: Tensor, labels: Tensor | None) -> Tensor:
        """Return the scaled cosines.

        Args:
            embeddings: ``(n, dimension)``.
            labels: The truth, ``(n,)``; where the margin goes in training.

        Returns:
            ``(n, classes)``.
        """
        cosines = unit(embeddings) @ unit(self.weight).T
        if self.margin is not None and self.training and labels is not None:
            cosines = self.margin(cosines, labels)
        return self.scale * cosines

    def extra_repr(self) -> str:
        """Return the settings as they are printed.

        Returns:
            ``"dimension=128, classes=10, scale=30.0"``.
        """
        return f"{super().extra_repr()}, scale={self.scale}"
