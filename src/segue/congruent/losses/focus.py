"""Which samples focal distillation looks at: ``(new, old, labels, old_labels) -> (n,)`` weights from 0 to 1.

``labels`` count in the new model's classes, ``old_labels`` in the old model's, -1 where the old model does not know the
class. A focus is a weight, never a term: no gradient flows through it. Any callable of this shape can be passed.
"""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

Focus = Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]


def old_correct(new: Tensor, old: Tensor, labels: Tensor, old_labels: Tensor) -> Tensor:
    """Look at what the old model got right: the paper's choice (Yan et al., CVPR 2021, eq. 7).

    Args:
        new: The new model's logits, ``(n, new classes)``; not read.
        old: The old model's logits, ``(n, old classes)``.
        labels: The truth in the new model's classes, ``(n,)``; not read.
        old_labels: The truth in the old model's classes, ``(n,)``.

    Returns:
        ``(n,)``, 1 where the old answer is right, else 0.

    Example:
        >>> import torch
        >>> old = torch.tensor([[2.0, 0.0], [2.0, 0.0]])
        >>> old_correct(old, old, torch.tensor([0, 1]), torch.tensor([0, 1]))
        tensor([1., 0.])
    """
    return (old.argmax(dim=1) == old_labels).to(old.dtype)


def negative_flip(new: Tensor, old: Tensor, labels: Tensor, old_labels: Tensor) -> Tensor:
    """Look at present negative flips: the old answer is right and the new one, at this step of training, wrong.

    Args:
        new: The new model's logits, ``(n, new classes)``.
        old: The old model's logits, ``(n, old classes)``.
        labels: The truth in the new model's classes, ``(n,)``.
        old_labels: The truth in the old model's classes, ``(n,)``.

    Returns:
        ``(n,)``, 1 at a negative flip, else 0.

    Example:
        >>> import torch
        >>> new, old = torch.tensor([[0.0, 1.0], [1.0, 0.0]]), torch.tensor([[1.0, 0.0], [1.0, 0.0]])
        >>> negative_flip(new, old, torch.tensor([0, 0]), torch.tensor([0, 0]))
        tensor([1., 0.])
    """
    return old_correct(new, old, labels, old_labels) * new_incorrect(new, old, labels, old_labels)


def new_incorrect(new: Tensor, old: Tensor, labels: Tensor, old_labels: Tensor) -> Tensor:
    """Look at what the new model, at this step of training, gets wrong, whatever the old model says.

    Args:
        new: The new model's logits, ``(n, new classes)``.
        old: The old model's logits, ``(n, old classes)``; not read.
        labels: The truth in the new model's classes, ``(n,)``.
        old_labels: The truth in the old model's classes, ``(n,)``; not read.

    Returns:
        ``(n,)``, 1 where the new answer is wrong, else 0.

    Example:
        >>> import torch
        >>> new = torch.tensor([[0.0, 1.0], [1.0, 0.0]])
        >>> new_incorrect(new, new, torch.tensor([0, 0]), torch.tensor([0, 0]))
        tensor([1., 0.])
    """
    return (new.argmax(dim=1) != labels).to(new.dtype)


def likelihood(new: Tensor, old: Tensor, labels: Tensor, old_labels: Tensor) -> Tensor:
    """Look at a sample as much as the old model believes in its true class: :func:`old_correct` without the threshold.

    The code beside Yan et al. has a mode of this name that takes the weights from outside; reading them as the old
    model's probability of the true class is ours.

    Args:
        new: The new model's logits, ``(n, new classes)``; not read.
        old: The old model's logits, ``(n, old classes)``.
        labels: The truth in the new model's classes, ``(n,)``; not read.
        old_labels: The truth in the old model's classes, ``(n,)``.

    Returns:
        ``(n,)``, the probability; 0 where the old model does not know the class.

    Example:
        >>> import torch
        >>> old = torch.tensor([[0.0, 0.0], [0.0, 0.0]])
        >>> likelihood(old, old, torch.tensor([0, 2]), torch.tensor([0, -1]))
        tensor([0.5000, 0.0000])
    """
    known = old_labels >= 0
    probability = old.softmax(dim=1).gather(1, old_labels.long().clamp(min=0)[:, None]).squeeze(1)
    return probability.where(known, 0.0)
