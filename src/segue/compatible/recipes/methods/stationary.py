"""A head that all generations share, and higher-order contrast (Biondi et al., CVPR 2024)."""

from __future__ import annotations

from torch import Tensor

from segue.compatible.heads import SimplexHead
from segue.compatible.losses import HigherOrderContrastive
from segue.compatible.recipes.methods.base import swept
from segue.compatible.recipes.objective import Beside, Seen
from segue.compatible.recipes.workshop import Workshop


class Stationary(Beside):
    """Weighs the own loss against the compatible one: (1 - strength) and strength.

    Args:
        head: The fixed head.
        dimension: Columns of the new embeddings.
        steps: Steps of the whole training.
        loss: The compatible loss.
        strength: Its share.
    """

    def own(self, seen: Seen) -> Tensor:
        """Return the cross-entropy of the fixed head times its share.

        Args:
            seen: The batch.

        Returns:
            A scalar.
        """
        return (1 - self.strength) * super().own(seen)


def _stationary(workshop: Workshop, strength: float) -> Stationary:
    head = SimplexHead(workshop.classes, workshop.dimension)
    loss = HigherOrderContrastive()
    return Stationary(head, workshop.dimension, workshop.steps, loss=loss, strength=strength)


STATIONARY = swept(
    "stationary",
    "d-simplex head with higher-order contrast (Biondi et al., 2024); meant for generations that all have this head",
    _stationary,
    (0.9, 0.5),
)
