"""The loss of FastFill: an error that is weighed by how sure the map is (Jaeckle et al., ICLR 2023)."""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import cross_entropy

SMOOTHING = 0.1


def fastfill_loss(error: Tensor, doubt: Tensor) -> Tensor:
    r"""Return the negative log-likelihood of errors under a variance of each item, up to a constant.

    .. math:: \tfrac{1}{2} e^{-s_i} \ell_i + \tfrac{1}{2} s_i, \quad s_i = \log \sigma_i^2

    For a given error it is least at :math:`\sigma_i^2 = \ell_i`.

    Args:
        error: The items' errors :math:`\ell`, ``(n,)``.
        doubt: The logarithms of their variances s, ``(n,)``.

    Returns:
        ``(n,)``.

    Example:
        >>> import torch
        >>> fastfill_loss(torch.tensor([4.0, 4.0]), torch.tensor([0.0, 4.0]).log1p()).round(decimals=3)
        tensor([2.0000, 1.2050])
    """
    return 0.5 * (-doubt).exp() * error + 0.5 * doubt


def item_errors(
    mapped: Tensor, target: Tensor, logits: Tensor | None = None, labels: Tensor | None = None, amount: float = 1.0
) -> Tensor:
    r"""Return each item's error: how far it is off, and how far its class is lost on the frozen new head.

    .. math:: \ell_i = \tfrac{1}{d} \|h_i - \phi_{new}(x_i)\|^2 + \mu \, \mathrm{CE}_{0.1}(\text{head}(h_i), y_i)

    with label smoothing of 0.1.

    Args:
        mapped: Mapped vectors h, ``(n, d)``.
        target: What they should be, ``(n, d)``.
        logits: What the head makes of the mapped vectors, ``(n, classes)``; the second part is left out without.
        labels: Their classes, ``(n,)``.
        amount: The weight :math:`\mu`.

    Returns:
        ``(n,)``.

    Example:
        >>> import torch
        >>> item_errors(torch.tensor([[1.0, 2.0]]), torch.tensor([[1.0, 0.0]]))  # 4 / 2
        tensor([2.])
    """
    error = (mapped - target).square().mean(dim=1)
    if logits is None or labels is None:
        return error
    return error + amount * cross_entropy(logits, labels, reduction="none", label_smoothing=SMOOTHING)
