"""The L2 baseline: imitate the old embedding itself (Shen et al., CVPR 2020)."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor

from segue.compatible.embeddings import common_part, unit
from segue.compatible.losses.base import CompatibleLoss
from segue.compatible.losses.counted import Counted


class EmbeddingRegression(CompatibleLoss):
    r"""Draw each new embedding to the old embedding of the same sample, by directions.

    .. math:: L = \frac{1}{n} \sum_i \left\| \frac{\phi_{new}(x_i)_{1 \dots d_{old}}}{\|\cdot\|}
        - \frac{\phi_{old}(x_i)}{\|\cdot\|} \right\|^2 = \frac{1}{n} \sum_i 2 - 2 \cos_i

    The paper reports no gain from it; users of the author's code found some (openBCT, issue 1). The mistakes of the old
    model are imitated too. The author's code takes the mean over dimensions, and normalises only where dimensions
    differ.

    Args:
        reduction: ``"none"``, ``"mean"`` or ``"sum"``.

    Raises:
        InputError: If the reduction is unknown.

    Example:
        Directions at a right angle are sqrt(2) apart.

        >>> import torch
        >>> EmbeddingRegression()(torch.tensor([[0.0, 3.0, 8.0]]), torch.tensor([[5.0, 0.0]]))
        tensor(2.)
    """

    needs_labels: ClassVar[bool] = False

    def per_sample(self, new: Tensor, old: Tensor, labels: Tensor) -> Counted:
        """Return the squared distance between the directions of each sample.

        Args:
            new: The new model's embeddings, ``(n, d_new)``.
            old: The old model's embeddings, ``(n, d_old)``.
            labels: Not regarded.

        Returns:
            The values.
        """
        part = common_part(new, old.shape[1], normalise=True)
        return Counted((part - unit(old)).square().sum(dim=1))
