"""The divergence of two softened answers, exact in 32 bits at any temperature, and light on memory."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

# the logarithm of a probability that is none: with minus infinity, 0 x log 0 would not be a number
NEVER = -1e30


class SoftenedDivergence(torch.autograd.Function):
    r"""Compute :math:`T^2 \, \mathrm{KL}(p \,\|\, q)` of p = softmax(old / T) and q = softmax(new / T).

    At high temperatures p and q are nearly uniform, and :math:`p \log (p / q)` is a small difference of large terms.
    With :math:`u = \log (q / p)` each class adds :math:`q - p - p u \ge 0` instead, which has the same sum since p and
    q both sum to 1. Of two nearly equal numbers q - p is :math:`(p + q) \tanh (u / 2)`, which loses no digits.

    The gradient is known, :math:`T (q - p)`, and the sum has computed :math:`q - p` already: two tensors of the logits'
    size are kept, the new logits among them. Left to autograd, each step of the sum would keep one, which language
    models with their vocabularies can't afford, and take time, which small networks have none of.
    """

    @staticmethod
    def forward(ctx: Any, new: Tensor, old: Tensor, temperature: float) -> Tensor:
        """Return the divergence of each row.

        Args:
            ctx: Where to keep what the gradient needs.
            new: The new model's logits, ``(n, classes)``.
            old: The reference's logits, ``(n, classes)``.
            temperature: T.

        Returns:
            ``(n,)``.
        """
        log_q = torch.log_softmax(new / temperature, dim=-1).clamp_(min=NEVER)
        log_p = torch.log_softmax(old / temperature, dim=-1).clamp_(min=NEVER)
        u = log_q - log_p
        p, q = log_p.exp_(), log_q.exp_()
        change = (p + q) * torch.tanh(0.5 * u)  # q - p
        ctx.save_for_backward(new, change)
        ctx.temperature = temperature
        return (change - p * u).sum(dim=-1) * temperature**2

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        """Return the gradient of the new logits; the reference has none.

        Args:
            ctx: What was kept.
            gradient: The gradient of the divergence, ``(n,)``.

        Returns:
            ``(n, classes)``, and nothing for the reference and the temperature.
        """
        new, change = ctx.saved_tensors
        if torch.is_grad_enabled():  # the gradient's own gradient is asked for: q moves with the logits
            q = torch.softmax(new / ctx.temperature, dim=-1)
            change = change + (q - q.detach())
        return (ctx.temperature * gradient).unsqueeze(-1) * change, None, None


def softened_divergence(new: Tensor, old: Tensor, temperature: float) -> Tensor:
    r"""Return :math:`T^2 \, \mathrm{KL}(\mathrm{softmax}(old / T) \,\|\, \mathrm{softmax}(new / T))` of each row.

    Args:
        new: The new model's logits, ``(n, classes)``, of 32 bits or more.
        old: The reference's logits, ``(n, classes)``; no gradient flows into them.
        temperature: T, above 0.

    Returns:
        ``(n,)``, not negative but for rounding.

    Example:
        >>> import torch
        >>> softened_divergence(torch.tensor([[0.0, 0.0]]), torch.tensor([[99.0, 0.0]]), 1.0)
        tensor([0.6931])
    """
    divergence: Tensor = SoftenedDivergence.apply(new, old.detach(), temperature)  # type: ignore[no-untyped-call]
    return divergence
