"""Our own recipe: queries go where their class is among itself in the old space."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import torch
from torch import Tensor

from segue.compatible.heads import Head
from segue.compatible.losses import EmbeddingRegression, OldNeighbours
from segue.compatible.pure_places import pure_places
from segue.compatible.recipes.candidate import Candidate
from segue.compatible.recipes.methods.base import Method, cosine_head
from segue.compatible.recipes.objective import Beside, Seen
from segue.compatible.recipes.workshop import Workshop

NAME = "old-neighbours"
SETTINGS = ((1.5, 0.5), (0.5, 0.5), (1.5, 1.5))
"""Weights of the places and of the own old embeddings, beside 1 for the neighbours."""
SPREAD = 0.6


class Neighbouring(Beside):
    r"""Three terms beside the own loss: the old neighbours, the pure places, and the own old embedding.

    .. math:: L = \mathrm{CE} + L_{\text{old neighbours}} + \pi \, R(n_i, p_i) + \rho \, R(n_i, o_i)

    with R the squared distance of directions (:class:`segue.compatible.losses.EmbeddingRegression`) and
    :math:`p_i` the place of the sample's class that is nearest to its old embedding
    (:func:`segue.compatible.pure_places.pure_places`). The neighbours' loss asks each query to find its class, but says
    little to one that is far from it, and tells it nothing of what others of the class have found; the places do. The
    old embedding, which alone would repeat the old model's mistakes, keeps the queries of a class apart, so that they
    do not all depend on the same few items of a gallery. Our own.

    Args:
        head: The new model's own head.
        dimension: Columns of the new embeddings.
        steps: Steps of the whole training.
        loss: The neighbours' loss; it is told which stored vector is each sample's own.
        places: :math:`\pi`.
        regression: :math:`\rho`.
    """

    loss: OldNeighbours

    def __init__(
        self, head: Head, dimension: int, steps: int, *, loss: OldNeighbours, places: float, regression: float
    ) -> None:
        super().__init__(head, dimension, steps, loss=loss, strength=1.0)
        self.places = places
        self.regression = regression
        self.drawn_to = EmbeddingRegression()

    def compatible(self, seen: Seen) -> Tensor:
        """Return the three terms.

        Args:
            seen: The batch; it is told which stored vector is each sample's ``"own"``, its ``"place"``, and whether
                it is ``"placed"``.

        Returns:
            A scalar.
        """
        value: Tensor = self.loss(seen.new, labels=seen.labels, own=seen.told["own"][:, 0])
        placed = seen.told["placed"][:, 0]
        for weight, towards, which in (
            (self.places, seen.told["place"], placed),
            (self.regression, seen.old, seen.known),
        ):
            if which.any():
                value = value + weight * self.drawn_to(seen.new[which], towards[which])
        return value


def _candidates(workshop: Workshop) -> Iterator[Candidate]:
    old = workshop.old
    places = workshop.drawn("pure places", lambda: pure_places(*old.bank, spread=SPREAD))
    directions, placed = places.nearest(old.vectors, old.labels)
    told = {
        "own": torch.where(old.known, old.known.cumsum(0) - 1, -1)[:, None],
        "place": directions,
        "placed": placed[:, None],
    }
    loss = OldNeighbours(*old.bank, spread=SPREAD)
    for weights in SETTINGS:
        run = workshop.run(
            f"{NAME}-{weights[0]:g}-{weights[1]:g}", partial(_objective, workshop, loss, *weights), told=told
        )
        yield workshop.candidate(NAME, dict(zip(("places", "regression"), weights, strict=True)), run)


def _objective(workshop: Workshop, loss: OldNeighbours, places: float, regression: float) -> Neighbouring:
    head = cosine_head(workshop)
    return Neighbouring(head, workshop.dimension, workshop.steps, loss=loss, places=places, regression=regression)


OLD_NEIGHBOURS = Method(
    NAME,
    "queries go where the stored vectors of their class are by themselves: the search itself, trained",
    _candidates,
)
