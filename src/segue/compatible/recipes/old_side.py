"""What the old model left behind: vectors of the samples that it saw, a head, and where its classes lie."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from segue.compatible.heads import FrozenHead, fit_head, imprinted_head, with_new_classes
from segue.compatible.regions import ClassRegions, class_regions

UNIT = 0.01
"""How far a length may be from 1, as those of vectors stored in half precision are."""


@dataclass(frozen=True, eq=False)
class OldSide:
    """The old model's embeddings of training samples, and what can be made of them.

    Attributes:
        vectors: Embeddings, ``(n, d_old)``; rows of samples without one hold zeros.
        known: Which samples have one, ``(n,)`` booleans.
        labels: The class of each sample, ``(n,)``.
        given: The old head, if there is one.
        asked: Whether the old network itself made the embeddings just now; else they come from a store.
    """

    vectors: Tensor
    known: Tensor
    labels: Tensor
    given: FrozenHead | None = None
    asked: bool = False

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
        """The old head, with rows made of class means for classes that came later; without one, a head fitted anew.

        A head without a map is of the first classes: samples of classes that have neither a row nor an old embedding
        are left out by the losses.
        """
        if self.given is None:
            return fit_head(*self.bank)
        known = self.given.rows.class_of_row
        mapped = FrozenHead.of(self.given, class_map=known)
        vectors, labels = self.bank
        return mapped if set(labels.tolist()) <= set(known.tolist()) else with_new_classes(mapped, vectors, labels)

    @cached_property
    def head_is_of_unit_vectors(self) -> bool:
        """Whether the head was made for vectors of length 1, so that it must see new embeddings at that length.

        So it is where all old embeddings have length 1, and either the head was fitted to them or they come out of the
        network that the head belongs to. An old head beside stored vectors may have been trained before these were
        brought to length 1.
        """
        lengths = torch.linalg.vector_norm(self.bank[0], dim=1)
        return (self.given is None or self.asked) and bool(((lengths - 1).abs() < UNIT).all())

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
