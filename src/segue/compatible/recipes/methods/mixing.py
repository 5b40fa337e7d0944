"""One head for a batch in which some embeddings are old (Liang et al., MixBCT, arXiv 2308.06948)."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

from segue.compatible.heads import CosineHead, Head
from segue.compatible.losses import mix_embeddings
from segue.compatible.recipes.methods.base import SCALE, swept
from segue.compatible.recipes.objective import Objective, Seen
from segue.compatible.recipes.workshop import Workshop


class Mixing(Objective):
    """The own loss on a mix of new and old embeddings.

    Args:
        head: The new model's own head, of the wider of both dimensions.
        dimension: Columns of the new embeddings.
        steps: Steps of the whole training.
        share: The share of each batch that is replaced by old embeddings.
    """

    def __init__(self, head: Head, dimension: int, steps: int, *, share: float) -> None:
        super().__init__(head, dimension, steps)
        self.share = share

    def own(self, seen: Seen) -> Tensor:
        """Return the cross-entropy of the mix.

        Args:
            seen: The batch; its known samples are those whose old embedding may be used.

        Returns:
            A scalar.
        """
        mixed = mix_embeddings(seen.new, seen.old, self.share, credible=seen.known)
        return functional.cross_entropy(self.head(mixed.embeddings, seen.labels), seen.labels)


def _mixing(workshop: Workshop, share: float) -> Mixing:
    width = max(workshop.dimension, workshop.old.dimension)
    head = CosineHead(width, workshop.classes, scale=SCALE)
    return Mixing(head, workshop.dimension, workshop.steps, share=share)


MIXING = swept("mixing", "MixBCT: old embeddings among the new ones (Liang et al., 2023)", _mixing, (0.3, 0.6), "share")
