"""The label term, sample by sample: cross-entropy with the truth, and with another model's answer as a soft target."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional


def label_term(new: Tensor, labels: Tensor, label_smoothing: float = 0.0) -> Tensor:
    """Return the cross-entropy of the new model's answers with the truth.

    Args:
        new: The new model's logits, ``(n, classes)``.
        labels: The truth, ``(n,)`` integers.
        label_smoothing: The share of the target that is spread over all classes.

    Returns:
        ``(n,)``.

    Example:
        >>> import torch
        >>> label_term(torch.tensor([[0.0, 0.0]]), torch.tensor([1]))
        tensor([0.6931])
    """
    return functional.cross_entropy(new, labels.long(), reduction="none", label_smoothing=label_smoothing)


def soft_label_term(log_new: Tensor, target: Tensor) -> Tensor:
    """Return the cross-entropy of the new model's answers with another model's.

    Args:
        log_new: The logarithms of the new model's probabilities, ``(n, classes)``.
        target: The other model's probabilities of the same classes, ``(n, classes)``.

    Returns:
        ``(n,)``.

    Example:
        >>> import torch
        >>> soft_label_term(torch.tensor([[0.5, 0.5]]).log(), torch.tensor([[0.2, 0.8]]))
        tensor([0.6931])
    """
    return -(target * log_new).sum(dim=1)
