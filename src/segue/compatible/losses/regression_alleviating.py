"""Regression-alleviating compatible training: new embeddings as negatives too (Zhang et al., ICLR 2022)."""

from __future__ import annotations

import torch
from torch import Tensor

from segue.compatible.checks import check_count, check_number
from segue.compatible.embeddings import common_part, unit
from segue.compatible.losses.base import CompatibleLoss
from segue.compatible.losses.counted import Counted, Reduction


class RegressionAlleviating(CompatibleLoss):
    r"""Find one's own old embedding among the old *and the new* embeddings of other classes.

    .. math:: L = -\frac{1}{n} \sum_i \log \frac{e^{n_i \cdot o_i / \tau}}{e^{n_i \cdot o_i / \tau}
        + \sum_{y_k \ne y_i} e^{n_i \cdot o_k / \tau} + \sum_{y_k \ne y_i} e^{n_i \cdot n_k / \tau}}

    While a gallery is refreshed it holds both; a query that finds its old neighbour first today must not find a new
    vector of another class before it tomorrow. n and o are the new and old embeddings, brought to length 1. Of each of
    the two sums only the hardest terms are kept. Others of the sample's class are left out of the sums altogether.

    Hot-Refresh Model Upgrades with Regression-Alleviating Compatible Training in Image Retrieval; settings as in the
    authors' code (OpenCompatible), which also gathers the negatives of all processes; this loss reads its batch alone.

    Args:
        temperature: :math:`\tau`, above 0.
        hardest: How many negatives of each kind are kept; ``None`` for all.
        reduction: ``"none"``, ``"mean"`` or ``"sum"``.

    Raises:
        InputError: If an argument is out of its range.

    Example:
        The positive has the cosine 0, and so have the other's old and new embedding: one of three.

        >>> new, old = torch.eye(4)[:2], torch.eye(4)[2:]
        >>> RegressionAlleviating()(new, old, torch.tensor([0, 1]))  # log 3
        tensor(1.0986)
    """

    def __init__(self, temperature: float = 0.01, *, hardest: int | None = 10, reduction: Reduction = "mean") -> None:
        super().__init__(reduction=reduction)
        check_number("temperature", temperature, 0, open_low=True)
        if hardest is not None:
            check_count("hardest", hardest)
        self.temperature = temperature
        self.hardest = hardest

    def per_sample(self, new: Tensor, old: Tensor, labels: Tensor) -> Counted:
        """Return the contrastive loss of each sample.

        Args:
            new: The new model's embeddings, ``(n, d_new)``.
            old: The old model's embeddings, ``(n, d_old)``.
            labels: The truth, ``(n,)``.

        Returns:
            The values.
        """
        part = common_part(new, old.shape[1], normalise=True)
        reference = unit(old)
        same = labels[:, None] == labels
        positive = (part * reference).sum(dim=1, keepdim=True)
        negatives = [self._hardest(part @ others.T, same) for others in (reference, part)]
        logits = torch.cat([positive, *negatives], dim=1) / self.temperature
        return Counted(logits.logsumexp(dim=1) - logits[:, 0])

    def _hardest(self, cosines: Tensor, same: Tensor) -> Tensor:
        # minus infinity, not 0: e^0 would be a negative like any other
        others = cosines.masked_fill(same, float("-inf"))
        if self.hardest is None or self.hardest >= others.shape[1]:
            return others
        return others.topk(self.hardest, dim=1).values
