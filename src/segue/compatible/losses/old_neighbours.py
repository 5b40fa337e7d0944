"""Neighbourhood components analysis with new queries and stored old embeddings: the search itself, trained."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor

from segue.compatible.checks import check_count, check_number
from segue.compatible.embeddings import common_part, unit
from segue.compatible.losses.base import CompatibleLoss, unrounded
from segue.compatible.losses.counted import Counted, Reduction, reduce
from segue.compatible.stored import read_stored, refuse_zero_vectors

ADDED = 8
"""Most stored vectors that are added of a class of which the draw holds none."""


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
    all of the class near, which helps the whole ranking.

    Queries of a class that all went to the same spot would find the same few items: well or badly, by luck of what the
    gallery holds there. So each is moved at random before it searches, and its surroundings must be pure, too.

    A training sample's own old embedding is left out where it is told which one it is: a query never finds itself in
    the gallery, and with it the easiest answer would be to imitate it. Of the stored vectors some are drawn anew for
    each batch, by torch's global generator. Of a class of which that draw holds none, a few are added, and weigh
    together what the draw would hold of the class on average. Samples of a class without stored vectors do not count.

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
    by_class: Tensor
    sizes: Tensor
    starts: Tensor

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
        sizes = torch.bincount(labels)
        self.register_buffer("stored", unit(vectors).to(torch.get_default_dtype()), persistent=False)
        self.register_buffer("classes", labels, persistent=False)
        self.register_buffer("by_class", labels.argsort(stable=True), persistent=False)
        self.register_buffer("sizes", sizes, persistent=False)
        self.register_buffer("starts", sizes.cumsum(0) - sizes, persistent=False)

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
        chosen, weights = self._drawn(labels, own)
        stored, classes = self.stored[chosen], self.classes[chosen]
        part = common_part(new, stored.shape[1], normalise=True)
        if self.spread > 0:
            part = unit(part + self.spread * stored.shape[1] ** -0.5 * torch.randn_like(part))
        cosines = part @ stored.to(new.dtype).T / self.temperature
        logits = cosines if weights is None else cosines + weights.to(new.dtype).log()
        itself = torch.zeros_like(logits, dtype=torch.bool) if own is None else own[:, None] == chosen
        same = (labels[:, None] == classes) & ~itself
        counts = same.any(dim=1)
        # where none is of the class, all are taken: the value is then 0 and not counted, its gradient finite
        taken = (same | ~counts[:, None]) & ~itself
        away = float("-inf")
        total, of_class = (logits.masked_fill(masked, away).logsumexp(dim=1) for masked in (itself, ~taken))
        values = total - of_class
        if self.ranking > 0:
            mean = cosines.where(same, 0.0).sum(dim=1) / same.sum(dim=1).clamp(min=1)
            values = values + self.ranking * (total - mean)
        return Counted(values, counts)

    def _drawn(self, labels: Tensor, own: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """Return places of stored vectors, and what each weighs where some were added."""
        count, device = len(self.stored), self.stored.device
        if self.drawn >= count:
            return torch.arange(count, device=device), None
        chosen = torch.randperm(count)[: self.drawn].to(device)
        present = torch.bincount(self.classes[chosen], minlength=len(self.sizes))
        if own is not None:  # a sample's own vector is none that it can find
            mine = own[torch.isin(own, chosen)]
            present = present - torch.bincount(self.classes[mine], minlength=len(self.sizes))
        wanted = torch.unique(labels)
        wanted = wanted[wanted < len(self.sizes)]
        wanted = wanted[(present[wanted] < 1) & (self.sizes[wanted] > 0)]
        if not len(wanted):
            return chosen, None
        sizes = self.sizes[wanted]
        order = torch.rand(len(wanted), int(sizes.max())).to(device)
        order = order.masked_fill(torch.arange(order.shape[1], device=device) >= sizes[:, None], 2.0)
        near = order.argsort(dim=1)[:, :ADDED]
        real = near < sizes[:, None]
        added = self.by_class[(self.starts[wanted][:, None] + near).clamp(max=count - 1)]
        each = (sizes * self.drawn / count / real.sum(dim=1))[:, None].expand_as(near)
        fresh = real & ~torch.isin(added, chosen)
        weights = torch.cat([torch.ones(len(chosen), device=device), each[fresh]])
        return torch.cat([chosen, added[fresh]]), weights
