"""The divergence of two softened answers, exact in 32 bits at any temperature, and light on memory."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

# the logarithm of a probability that is none: with minus infinity, 0 x log 0 would not be a number
NEVER = -1e30


class SoftenedDivergence(torch.autograd.Function):
    r"""Compute :math:`T^2 \, \mathrm{KL}(p \,\|\, q)` of p = softmax(old / T) and q = softmax(new / T).

    At high temperatures p and q are nearly uniform, and :math:`p \log (p / q)` is a small difference of large terms.
    With :math:`u = \log (q / p)` each class adds :math:`p (e^u - 1 - u) \ge 0` instead, which has the same sum since p
    and q both sum to 1; where :math:`e^u` could overflow, :math:`p \, e^u` is read from q.

    The gradient is known, :math:`T (q - p)`, and two tensors of the logits' size are kept for it. Left to autograd,
    each step of the sum above would keep one, which language models with their vocabularies can't afford.
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
        log_q = functional.log_softmax(new / temperature, dim=-1).clamp(min=NEVER)
        log_p = functional.log_softmax(old / temperature, dim=-1).clamp(min=NEVER)
        p = log_p.exp()
        ctx.save_for_backward(new, p)
        ctx.temperature = temperature
        u = log_q - log_p
        change = torch.where(u < 1, p * torch.expm1(u), log_q.exp() - p)
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
        new, p = ctx.saved_tensors
        q = functional.softmax(new / ctx.temperature, dim=-1)
        return (ctx.temperature * gradient).unsqueeze(-1) * (q - p), None, None


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
