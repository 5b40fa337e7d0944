"""The triplet baseline: nearer to one's own old embedding than to any of another class (Shen et al., CVPR 2020)."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from segue.compatible.checks import check_number
from segue.compatible.embeddings import common_part, unit
from segue.compatible.losses.base import CompatibleLoss
from segue.compatible.losses.counted import Counted, Reduction
from segue.errors import require


class CrossTriplet(CompatibleLoss):
    r"""Keep each new embedding nearer to its own old embedding than to the nearest old one of another class.

    .. math:: L = \frac{1}{n'} \sum_i \max\left(0, \|n_i - o_i\| - \min_{y_k \ne y_i} \|n_i - o_k\| + m\right)

    n and o are the new and old embeddings, brought to length 1; pytorch-metric-learning's ``TripletMarginLoss`` with
    ``ref_emb`` and the hardest negative of each sample. Samples without an old embedding of another class in the batch
    do not count. The author's code (openBCT) has a margin of 1 on embeddings of any length; the one here is that of
    OpenCompatible, on unit vectors.

    Args:
        margin: m, above 0 and up to 2.
        reduction: ``"none"``, ``"mean"`` (over the samples that count) or ``"sum"``.

    Raises:
        InputError: If an argument is out of its range.
        MissingExtraError: If pytorch-metric-learning is not installed.

    Example:
        At a right angle to one's own old embedding, and on top of the other class's: sqrt(2) + 0.8.

        >>> import torch
        >>> loss = CrossTriplet(reduction="none")
        >>> loss(torch.eye(2).flip(0), torch.eye(2), torch.tensor([0, 1]))
        tensor([2.2142, 2.2142])
    """

    def __init__(self, margin: float = 0.8, *, reduction: Reduction = "mean") -> None:
        super().__init__(reduction=reduction)
        check_number("margin", margin, 0, 2, open_low=True)
        self.margin = margin
        purpose = "CrossTriplet"
        reducers = require("pytorch_metric_learning.reducers", "compatible", purpose)
        losses = require("pytorch_metric_learning.losses", "compatible", purpose)
        self._triplets: Any = losses.TripletMarginLoss(margin=margin, reducer=reducers.DoNothingReducer())

    def per_sample(self, new: Tensor, old: Tensor, labels: Tensor) -> Counted:
        """Return the hinge of each sample.

        Args:
            new: The new model's embeddings, ``(n, d_new)``.
            old: The old model's embeddings, ``(n, d_old)``.
            labels: The truth, ``(n,)``.

        Returns:
            The values; samples without a negative do not count.
        """
        part = common_part(new, old.shape[1], normalise=True)
        reference = unit(old)
        if not new.shape[0]:
            return Counted(part.sum(dim=1))
        same = labels[:, None] == labels
        with torch.no_grad():
            nearest = (part @ reference.T).masked_fill(same, float("-inf")).argmax(dim=1)
        own = torch.arange(len(labels), device=labels.device)
        found = self._triplets(part, labels, (own, own, nearest), ref_emb=reference, ref_labels=labels)
        return Counted(found["loss"]["losses"], ~same.all(dim=1))
