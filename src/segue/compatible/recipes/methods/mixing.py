"""One head for a batch in which some embeddings are old (Liang et al., MixBCT, arXiv 2308.06948)."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from torch import Tensor
from torch.nn import functional

from segue.compatible.heads import CosineHead, Head
from segue.compatible.losses import mix_embeddings, near_class_mean
from segue.compatible.recipes.candidate import Candidate
from segue.compatible.recipes.methods.base import SCALE, Method
from segue.compatible.recipes.objective import Objective, Seen
from segue.compatible.recipes.workshop import Workshop

NAME = "mixing"
SHARES = (0.3, 0.6)
KEPT = 0.9
"""The share of a class's old embeddings that is near enough to its direction to be used."""


class Mixing(Objective):
    """The own loss on a mix of new and old embeddings, of which those far from their class are not used.

    The paper denoises the old embeddings with a threshold of 0.9; that this is the share of each class which is kept,
    is from memory of the paper, not confirmed.

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
            seen: The batch, and under ``"credible"`` whether a sample's old embedding may be used.

        Returns:
            A scalar.
        """
        mixed = mix_embeddings(seen.new, seen.old, self.share, credible=seen.told["credible"][:, 0])
        return functional.cross_entropy(self.head(mixed.embeddings, seen.labels), seen.labels)


def _candidates(workshop: Workshop) -> Iterator[Candidate]:
    old = workshop.old
    credible = old.known.clone()
    credible[old.known] = near_class_mean(*old.bank, share=KEPT)
    for share in SHARES:
        run = workshop.run(
            f"{NAME}-{share:g}", partial(_objective, workshop, share), told={"credible": credible[:, None]}
        )
        yield workshop.candidate(NAME, {"share": share}, run)


def _objective(workshop: Workshop, share: float) -> Mixing:
    width = max(workshop.dimension, workshop.old.dimension)
    head = CosineHead(width, workshop.classes, scale=SCALE)
    return Mixing(head, workshop.dimension, workshop.steps, share=share)


MIXING = Method(NAME, "MixBCT: old embeddings among the new ones (Liang et al., 2023)", _candidates)
