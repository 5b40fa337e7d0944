"""The higher-order contrastive loss beside a stationary simplex (Biondi et al., CVPR 2024)."""

from __future__ import annotations

import torch
from torch import Tensor

from segue.compatible.checks import check_number
from segue.compatible.embeddings import common_part, unit
from segue.compatible.losses.base import CompatibleLoss
from segue.compatible.losses.counted import Counted, Reduction


class HigherOrderContrastive(CompatibleLoss):
    r"""Let each old embedding find the new embedding of the same sample among those of other classes.

    .. math:: L = -\frac{1}{n} \sum_i \log \frac{e^{\mu \, o_i \cdot n_i}}
        {e^{\mu \, o_i \cdot n_i} + \sum_{y_j \ne y_i} e^{\mu \, o_i \cdot n_j}}  \quad (4)

    n and o are the new and old embeddings, brought to length 1. Others of the sample's class are neither wanted nor
    unwanted: they are masked with minus infinity. The authors' code masks them with 0, which adds :math:`e^0` for each,
    and leaves the positive out of the denominator; here the loss is never negative.

    It is made to stand beside cross-entropy on a :class:`segue.compatible.heads.SimplexHead` that all generations
    share, as :math:`\lambda \, \mathrm{CE} + (1 - \lambda) L` with :math:`\lambda = 0.1`. Stationary Representations:
    Optimally Approximating Compatibility and Implications for Improved Model Replacements; the number of the equation
    as the authors' code gives it.

    Args:
        scale: :math:`\mu`, above 0.
        reduction: ``"none"``, ``"mean"`` or ``"sum"``.

    Raises:
        InputError: If an argument is out of its range.

    Example:
        The first two are of one class, so that each of them has the third alone to be told from: log(1 + e^-10).

        >>> new = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
        >>> HigherOrderContrastive(reduction="none")(new, new, torch.tensor([0, 0, 1])).mul(1e5).round()
        tensor([5., 5., 9.])
    """

    def __init__(self, scale: float = 10.0, *, reduction: Reduction = "mean") -> None:
        super().__init__(reduction=reduction)
        check_number("scale", scale, 0, open_low=True)
        self.scale = scale

    def per_sample(self, new: Tensor, old: Tensor, labels: Tensor) -> Counted:
        """Return the contrastive loss of each old embedding.

        Args:
            new: The new model's embeddings, ``(n, d_new)``.
            old: The old model's embeddings, ``(n, d_old)``.
            labels: The truth, ``(n,)``.

        Returns:
            The values.
        """
        similarity = self.scale * (unit(old) @ common_part(new, old.shape[1], normalise=True).T)
        same = labels[:, None] == labels
        others = same & ~torch.eye(len(labels), dtype=torch.bool, device=labels.device)
        return Counted(similarity.masked_fill(others, float("-inf")).logsumexp(dim=1) - similarity.diagonal())
