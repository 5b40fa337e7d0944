"""What every head shares: embeddings of one dimension in, one logit per class out."""

from __future__ import annotations

from abc import ABC, abstractmethod

from torch import Tensor, nn

from segue.compatible.checks import check_count, check_embeddings, check_labels


class Head(nn.Module, ABC):
    """A map from embeddings to logits.

    A subclass writes :meth:`logits` alone.

    Args:
        dimension: Columns of the embeddings.
        classes: How many classes there are.

    Raises:
        InputError: If one of them is no whole number above 0.
    """

    def __init__(self, dimension: int, classes: int) -> None:
        super().__init__()
        check_count("dimension", dimension)
        check_count("classes", classes)
        self.dimension = dimension
        self.classes = classes

    @abstractmethod
    def logits(self, embeddings: Tensor, labels: Tensor | None) -> Tensor:
        """Return the logits, ``(n, classes)``; shapes were checked."""

    def forward(self, embeddings: Tensor, labels: Tensor | None = None) -> Tensor:
        """Compute the logits.

        Args:
            embeddings: ``(n, dimension)``.
            labels: The truth, ``(n,)`` integers, for a head whose logits in training depend on it; others ignore it.

        Returns:
            ``(n, classes)``; a head with room for classes to come has a column for each of them too.

        Raises:
            InputError: If shapes or types are not as described.
        """
        check_embeddings("embeddings", embeddings, self.dimension)
        if labels is not None:
            check_labels(labels, "embeddings", embeddings)
        return self.logits(embeddings, labels)

    def extra_repr(self) -> str:
        """Return the sizes as they are printed.

        Returns:
            ``"dimension=128, classes=10"``.
        """
        return f"dimension={self.dimension}, classes={self.classes}"
