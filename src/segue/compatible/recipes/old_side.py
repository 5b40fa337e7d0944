"""What the old model left behind: vectors of the samples that it saw, a head, and where its classes lie."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from torch import Tensor

from segue.compatible.heads import FrozenHead, fit_head, imprinted_head, with_new_classes
from segue.compatible.regions import ClassRegions, class_regions


@dataclass(frozen=True, eq=False)
class OldSide:
    """The old model's embeddings of training samples, and what can be made of them.

    Attributes:
        vectors: Embeddings, ``(n, d_old)``; rows of samples without one hold zeros.
        known: Which samples have one, ``(n,)`` booleans.
        labels: The class of each sample, ``(n,)``.
        given: The old head, if there is one.
    """

    vectors: Tensor
    known: Tensor
    labels: Tensor
    given: FrozenHead | None = None

    @property
    def dimension(self) -> int:
        """Columns of the old embeddings."""
        return self.vectors.shape[1]

    @property
    def bank(self) -> tuple[Tensor, Tensor]:
        """All old embeddings that there are, and their classes."""
        return self.vectors[self.known], self.labels[self.known]

    @cached_property
    def head(self) -> FrozenHead:
        """The old head, with rows made of class means for classes that came later; without one, a head fitted anew."""
        if self.given is None:
            return fit_head(*self.bank)
        own = set(self.given.rows.class_of_row.tolist())
        vectors, labels = self.bank
        return self.given if set(labels.tolist()) <= own else with_new_classes(self.given, vectors, labels)

    def imprinted(self, scale: float) -> FrozenHead:
        """Return the direction of each class, as a cosine head.

        Args:
            scale: What the cosines are multiplied by.

        Returns:
            The head.
        """
        return imprinted_head(*self.bank, scale=scale)

    @cached_property
    def regions(self) -> ClassRegions:
        """Centre and radius of each class."""
        return class_regions(*self.bank)

    def reference(self) -> dict[str, Tensor]:
        """Return what the training loop looks up for each batch.

        Returns:
            The vectors, and 1 or 0 for each sample that has one or has none, ``(n, 1)``.
        """
        return {"old": self.vectors, "known": self.known[:, None].to(self.vectors.dtype)}
