"""Our own recipe: neighbourhood components analysis against stored old embeddings, and the loss it is made of."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any, ClassVar

import torch
from torch import Tensor

from segue.compatible.checks import check_count, check_number
from segue.compatible.embeddings import common_part, unit
from segue.compatible.heads import Head
from segue.compatible.losses import CompatibleLoss, EmbeddingRegression
from segue.compatible.losses.base import unrounded
from segue.compatible.losses.counted import Counted, Reduction, reduce
from segue.compatible.recipes.candidate import Candidate
from segue.compatible.recipes.methods.base import Method, cosine_head
from segue.compatible.recipes.objective import Beside, Seen
from segue.compatible.recipes.workshop import Workshop
from segue.compatible.stored import read_stored, refuse_zero_vectors

NAME = "old-neighbours"
SETTINGS = ((1.0, 0.0), (1.0, 1.0), (3.0, 0.0))
"""Strength, and the weight of the whole ranking within it."""
SPREAD, REGRESSION = 0.6, 0.5


class OldNeighbours(CompatibleLoss):
    r"""Make old embeddings of the sample's class the ones that a new query finds.

    .. math:: p_{ik} = \frac{e^{n_i \cdot o_k / \tau}}{\sum_l e^{n_i \cdot o_l / \tau}}, \qquad
        L = -\frac{1}{n'} \sum_i \Big( \log \sum_{k \in P_i} p_{ik}
        + \frac{\alpha}{|P_i|} \sum_{k \in P_i} \log p_{ik} \Big), \qquad P_i = \{k : y_k = y_i\}

    n are the new embeddings and o the stored old ones, all of them, brought to length 1. The first term is the
    objective of neighbourhood components analysis (Goldberger et al., NIPS 2004) with new queries and an old gallery:
    the probability that a neighbour drawn by its distance is of the right class, for a small :math:`\tau` the quality
    of the first hit itself. It names no target: a query is free to go where its class is dense and pure, which is
    neither the class's mean, where other classes may lie too, nor its own old embedding, which repeats the old model's
    mistakes. The second term is supervised contrast (Khosla et al., NeurIPS 2020) with the same neighbours: it wants
    all of the class near, which helps the whole ranking, and keeps short trainings from settling at a few neighbours.

    Queries of a class that all went to the same spot would find the same few items: well or badly, by luck of what the
    gallery holds there. So each is moved at random before it searches, and its surroundings must be pure, too.

    A training sample's own old embedding is left out where it is told which one it is: a query never finds itself in
    the gallery, and with it the easiest answer would be to imitate it. Of the stored vectors some are drawn anew for
    each batch, by torch's global generator. Samples of whose class none was drawn do not count.

    Args:
        embeddings_old: The old model's stored vectors, ``(m, d_old)``.
        classes: The class of each, ``(m,)`` integers.
        temperature: :math:`\tau`, above 0.
        ranking: :math:`\alpha`, at least 0.
        spread: About how far a direction is moved, in radians, at least 0: a normal vector of this expected length is
            added to it.
        drawn: How many stored vectors are drawn for a batch; all where there are fewer.
        reduction: ``"none"``, ``"mean"`` (over the samples that count) or ``"sum"``.

    Raises:
        InputError: If an argument is not as described.

    Example:
        Two stored vectors are equally near, one of them is of the class.

        >>> loss = OldNeighbours([[1.0, 1.0], [1.0, -1.0]], [0, 1])
        >>> loss(torch.tensor([[2.0, 0.0]]), labels=torch.tensor([0]))  # log 2
        tensor(0.6931)
    """

    needs_old: ClassVar[bool] = False
    stored: Tensor
    classes: Tensor

    def __init__(
        self,
        embeddings_old: Any,
        classes: Any,
        *,
        temperature: float = 0.07,
        ranking: float = 0.0,
        spread: float = 0.0,
        drawn: int = 2048,
        reduction: Reduction = "mean",
    ) -> None:
        super().__init__(reduction=reduction)
        check_number("temperature", temperature, 0, open_low=True)
        check_number("ranking", ranking, 0)
        check_number("spread", spread, 0)
        check_count("drawn", drawn)
        vectors, labels = read_stored(embeddings_old, classes)
        refuse_zero_vectors(vectors)
        self.temperature = temperature
        self.ranking = ranking
        self.spread = spread
        self.drawn = drawn
        self.register_buffer("stored", unit(vectors).to(torch.get_default_dtype()), persistent=False)
        self.register_buffer("classes", labels, persistent=False)

    def forward(
        self,
        new_embeddings: Tensor,
        old_embeddings: Tensor | None = None,
        labels: Tensor | None = None,
        *,
        own: Tensor | None = None,
    ) -> Tensor:
        """Compute the loss.

        Args:
            new_embeddings: The new model's embeddings, ``(n, d_new)``.
            old_embeddings: Not regarded: the stored vectors stand for them.
            labels: The truth, ``(n,)`` integers.
            own: Which stored vector is of the same sample, ``(n,)`` integers, -1 where none is; ``None`` where none is
                of any sample.

        Returns:
            ``(n,)`` for ``reduction="none"``, else a scalar.

        Raises:
            InputError: If shapes or types are not as described.
        """
        new, _, truth = self.read(new_embeddings, old_embeddings, labels)
        with unrounded(new.device):
            return reduce(self._values(new, truth, own), self.reduction)

    def per_sample(self, new: Tensor, old: Tensor, labels: Tensor) -> Counted:
        """Return how improbable a neighbour of the own class is.

        Args:
            new: The new model's embeddings, ``(n, d_new)``.
            old: Not regarded: the stored vectors stand for them.
            labels: The truth, ``(n,)``.

        Returns:
            The values; samples without a stored vector of their class do not count.
        """
        return self._values(new, labels, None)

    def _values(self, new: Tensor, labels: Tensor, own: Tensor | None) -> Counted:
        count = len(self.stored)
        chosen = torch.randperm(count)[: self.drawn] if self.drawn < count else torch.arange(count)
        chosen = chosen.to(self.stored.device)
        stored, classes = self.stored[chosen], self.classes[chosen]
        part = common_part(new, stored.shape[1], normalise=True)
        if self.spread > 0:
            part = unit(part + self.spread * stored.shape[1] ** -0.5 * torch.randn_like(part))
        logits = part @ stored.to(new.dtype).T / self.temperature
        itself = torch.zeros_like(logits, dtype=torch.bool) if own is None else own[:, None] == chosen
        same = (labels[:, None] == classes) & ~itself
        counts = same.any(dim=1)
        # where none is of the class, all are taken: the value is then 0 and not counted, its gradient finite
        taken = (same | ~counts[:, None]) & ~itself
        away = float("-inf")
        total, of_class = (logits.masked_fill(masked, away).logsumexp(dim=1) for masked in (itself, ~taken))
        values = total - of_class
        if self.ranking > 0:
            mean = logits.where(same, 0.0).sum(dim=1) / same.sum(dim=1).clamp(min=1)
            values = values + self.ranking * (total - mean)
        return Counted(values, counts)


class Neighbouring(Beside):
    r"""Our own recipe: the own loss, :class:`OldNeighbours`, and a little regression to the own old embedding.

    .. math:: L = \mathrm{CE} + \lambda \, (L_{\text{old neighbours}} + \tfrac{1}{2} L_{\text{regression}})

    The neighbours say where a query finds its class; the regression, which alone would repeat the old model's mistakes,
    keeps the queries of a class as far apart as their old embeddings are, so that they do not all depend on the same
    few items of a gallery.

    Args:
        head: The new model's own head.
        dimension: Columns of the new embeddings.
        steps: Steps of the whole training.
        loss: The neighbours' loss; it is told which stored vector is each sample's own.
        strength: :math:`\lambda`.
    """

    loss: OldNeighbours

    def __init__(self, head: Head, dimension: int, steps: int, *, loss: OldNeighbours, strength: float) -> None:
        super().__init__(head, dimension, steps, loss=loss, strength=strength)
        self.regression = EmbeddingRegression()

    def compatible(self, seen: Seen) -> Tensor:
        """Return both terms times their strength.

        Args:
            seen: The batch, and under ``"place"`` which stored vector is each sample's own.

        Returns:
            A scalar.
        """
        value: Tensor = self.loss(seen.new, labels=seen.labels, own=seen.told["place"][:, 0])
        if seen.known.any():
            value = value + REGRESSION * self.regression(seen.new[seen.known], seen.old[seen.known])
        return self.strength * value


def _candidates(workshop: Workshop) -> Iterator[Candidate]:
    old = workshop.old
    place = torch.where(old.known, old.known.cumsum(0) - 1, -1)[:, None]
    for strength, ranking in SETTINGS:
        loss = OldNeighbours(*old.bank, ranking=ranking, spread=SPREAD)
        run = workshop.run(
            f"{NAME}-{strength:g}-{ranking:g}",
            partial(_objective, workshop, loss, strength),
            told={"place": place},
        )
        yield workshop.candidate(NAME, {"strength": strength, "ranking": ranking}, run)


def _objective(workshop: Workshop, loss: OldNeighbours, strength: float) -> Neighbouring:
    return Neighbouring(cosine_head(workshop), workshop.dimension, workshop.steps, loss=loss, strength=strength)


OLD_NEIGHBOURS = Method(NAME, "neighbourhood components analysis against the stored old embeddings", _candidates)
