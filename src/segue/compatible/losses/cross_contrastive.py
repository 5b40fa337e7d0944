"""The contrastive baseline: new embeddings against old ones as the reference (Shen et al., CVPR 2020)."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from segue.compatible.checks import check_number
from segue.compatible.embeddings import common_part
from segue.compatible.losses.base import CompatibleLoss
from segue.compatible.losses.counted import Counted, Reduction
from segue.errors import require


class CrossContrastive(CompatibleLoss):
    r"""Find the old embeddings of one's class among all old embeddings of the batch.

    .. math:: L = \frac{1}{n} \sum_i \frac{-1}{|P_i|} \sum_{p \in P_i}
        \log \frac{e^{n_i \cdot o_p / \tau}}{\sum_k e^{n_i \cdot o_k / \tau}}, \qquad P_i = \{p : y_p = y_i\}

    Supervised contrastive learning (Khosla et al., NeurIPS 2020) with the old embeddings of the batch as the reference:
    pytorch-metric-learning's ``SupConLoss`` with ``ref_emb``. n and o are the new and old embeddings, brought to length
    1. A batch of a single class has nothing to contrast with, and its value is 0.

    Args:
        temperature: :math:`\tau`, above 0; 0.05 in the author's code (openBCT).
        reduction: ``"none"``, ``"mean"`` or ``"sum"``.

    Raises:
        InputError: If an argument is out of its range.
        MissingExtraError: If pytorch-metric-learning is not installed.

    Example:
        Both old embeddings are as far away, one of them is of the sample's class.

        >>> import torch
        >>> new, old = torch.tensor([[1.0, 0.0], [1.0, 0.0]]), torch.tensor([[0.0, 1.0], [0.0, -1.0]])
        >>> CrossContrastive()(new, old, torch.tensor([0, 1]))
        tensor(0.6931)
    """

    def __init__(self, temperature: float = 0.05, *, reduction: Reduction = "mean") -> None:
        super().__init__(reduction=reduction)
        check_number("temperature", temperature, 0, open_low=True)
        self.temperature = temperature
        purpose = "CrossContrastive"
        reducers = require("pytorch_metric_learning.reducers", "compatible", purpose)
        losses = require("pytorch_metric_learning.losses", "compatible", purpose)
        self._contrast: Any = losses.SupConLoss(temperature=temperature, reducer=reducers.DoNothingReducer())

    def per_sample(self, new: Tensor, old: Tensor, labels: Tensor) -> Counted:
        """Return the contrastive loss of each sample, averaged over the old embeddings of its class.

        Args:
            new: The new model's embeddings, ``(n, d_new)``.
            old: The old model's embeddings, ``(n, d_old)``.
            labels: The truth, ``(n,)``.

        Returns:
            The values.
        """
        part = common_part(new, old.shape[1])
        if not new.shape[0]:
            return Counted(part.sum(dim=1))
        # a copy: with the very same labels the library takes the references for the queries, and drops the diagonal
        found = self._contrast(part, labels, ref_emb=old, ref_labels=labels.clone())["loss"]["losses"]
        return Counted(found if isinstance(found, Tensor) else 0 * part.sum(dim=1))
