"""The old classes' regions are kept: centres with a boundary, and a discriminator that can't tell new from old."""

from __future__ import annotations

from torch import Tensor

from segue.compatible.heads import CosineHead
from segue.compatible.losses import AdversarialAlignment, BoundaryAlignment, ElasticBoundary, reversal_strength
from segue.compatible.recipes.methods.base import SCALE, swept
from segue.compatible.recipes.objective import Objective, Seen
from segue.compatible.recipes.workshop import Workshop


class Aligned(Objective):
    """Boundary and alignment of the new head's rows to old class centres (Meng et al., LCE, ICCV 2021).

    Args:
        head: The new model's own head, a cosine head.
        dimension: Columns of the new embeddings.
        steps: Steps of the whole training.
        loss: Boundary and alignment.
        strength: Its weight.
    """

    head: CosineHead

    def __init__(
        self, head: CosineHead, dimension: int, steps: int, *, loss: BoundaryAlignment, strength: float
    ) -> None:
        super().__init__(head, dimension, steps)
        self.loss = loss
        self.strength = strength

    def compatible(self, seen: Seen) -> Tensor:
        """Return boundary and alignment times their strength.

        Args:
            seen: The batch.

        Returns:
            A scalar.
        """
        value: Tensor = self.loss(seen.new, labels=seen.labels, new_weights=self.head.weight)
        return self.strength * value


class Adversarial(Objective):
    """Elastic boundaries, and a discriminator whose weight falls from 1 to 0 (Pan et al., AdvBCT, CVPR 2023).

    The weight falls with each step; in the authors' code it falls with each epoch.

    Args:
        head: The new model's own head.
        dimension: Columns of the new embeddings.
        steps: Steps of the whole training.
        boundary: The elastic boundary.
        discriminator: The adversarial alignment.
        strength: The weight of both.
    """

    def __init__(
        self,
        head: CosineHead,
        dimension: int,
        steps: int,
        *,
        boundary: ElasticBoundary,
        discriminator: AdversarialAlignment,
        strength: float,
    ) -> None:
        super().__init__(head, dimension, steps)
        self.boundary = boundary
        self.discriminator = discriminator
        self.strength = strength

    def compatible(self, seen: Seen) -> Tensor:
        """Return both terms times their strength.

        Args:
            seen: The batch.

        Returns:
            A scalar.
        """
        value: Tensor = self.boundary(seen.new, labels=seen.labels)
        if int(seen.known.sum()) > 0:
            self.discriminator.reversal.strength = reversal_strength(seen.progress)
            told = self.discriminator(seen.new[seen.known], seen.old[seen.known])
            value = value + (1 - seen.progress) * told
        return self.strength * value


def _head(workshop: Workshop) -> CosineHead:
    return CosineHead(workshop.dimension, workshop.classes, scale=SCALE)


def _aligned(workshop: Workshop, strength: float) -> Aligned:
    loss = BoundaryAlignment(workshop.old.regions)
    return Aligned(_head(workshop), workshop.dimension, workshop.steps, loss=loss, strength=strength)


def _adversarial(workshop: Workshop, strength: float) -> Adversarial:
    return Adversarial(
        _head(workshop),
        workshop.dimension,
        workshop.steps,
        boundary=ElasticBoundary(workshop.old.regions),
        discriminator=AdversarialAlignment(workshop.old.dimension),
        strength=strength,
    )


BOUNDARY_ALIGNMENT = swept("boundary-alignment", "LCE: inside of the old regions (Meng et al., 2021)", _aligned)
ADVERSARIAL = swept("adversarial", "AdvBCT: elastic boundaries and a discriminator (Pan et al., 2023)", _adversarial)
