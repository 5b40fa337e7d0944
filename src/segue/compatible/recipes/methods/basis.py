"""An orthonormal change of basis with extra dimensions (Zhou et al., BT2, ICCV 2023)."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from torch import Tensor
from torch.nn import functional

from segue.compatible.heads import Head
from segue.compatible.losses import BasisTransformation
from segue.compatible.orthonormal_basis import OrthonormalBasis
from segue.compatible.recipes.candidate import Candidate
from segue.compatible.recipes.methods.base import Method, cosine_head
from segue.compatible.recipes.methods.independent import independent_run
from segue.compatible.recipes.objective import Objective, Seen
from segue.compatible.recipes.workshop import Workshop

STRENGTHS = (1.0, 0.3)
MOST_EXTRA = 32
"""Extra dimensions, as in the authors' code for CIFAR-100; fewer where the old embedding has fewer."""


class Transformed(Objective):
    """The own loss on the feature, and BT2's three terms; samples without an old embedding have the own loss alone.

    Args:
        head: The new model's own head, on the feature.
        basis: What comes after the network.
        steps: Steps of the whole training.
        loss: The three terms.
    """

    def __init__(self, head: Head, basis: OrthonormalBasis, steps: int, *, loss: BasisTransformation) -> None:
        super().__init__(head, basis.dimension, steps)
        self.basis = basis
        self.loss = loss

    def own(self, seen: Seen) -> Tensor:
        """Return the cross-entropy of the new head on the feature.

        Args:
            seen: The batch.

        Returns:
            A scalar.
        """
        return functional.cross_entropy(self.head(self.basis.features(seen.new), seen.labels), seen.labels)

    def compatible(self, seen: Seen) -> Tensor:
        """Return the three terms.

        Args:
            seen: The batch, and under ``"feature"`` what the paragon makes of it.

        Returns:
            A scalar.
        """
        own = seen.known
        if not own.any():
            return seen.new.sum() * 0
        features, wanted = self.basis.features(seen.new), seen.told["feature"]
        value: Tensor = self.loss(
            seen.new[own], seen.old[own], seen.labels[own], features=features[own], reference=wanted[own]
        )
        return value


def _candidates(workshop: Workshop) -> Iterator[Candidate]:
    paragon = independent_run(workshop, "cosine")
    wanted = workshop.embeddings(paragon, "train")
    for strength in STRENGTHS:
        key = f"basis-transformation-{strength:g}"
        basis = workshop.drawn(key, lambda: _basis(workshop))
        loss = BasisTransformation(workshop.old.imprinted(1.0), (1.0, 10.0 * strength, 5.0 * strength))
        run = workshop.run(
            key,
            partial(_transformed, workshop, basis, loss),
            basis=basis,
            told={"feature": wanted},
        )
        yield workshop.candidate("basis-transformation", {"strength": strength}, run, (paragon,))


def _transformed(workshop: Workshop, basis: OrthonormalBasis, loss: BasisTransformation) -> Transformed:
    return Transformed(cosine_head(workshop), basis, workshop.steps, loss=loss)


def _basis(workshop: Workshop) -> OrthonormalBasis:
    width, old = workshop.dimension, workshop.old.dimension
    extra = min(MOST_EXTRA, old) if width >= old else old
    return OrthonormalBasis(width, width, old, extra=extra)


BASIS_TRANSFORMATION = Method(
    "basis-transformation", "BT2: extra dimensions and a learned change of basis (Zhou et al., 2023)", _candidates
)
