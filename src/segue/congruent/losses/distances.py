"""How far the new model's logits are from a reference's, row by row: ``(n, classes) x (n, classes) -> (n,)``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from segue.congruent.losses.checks import check_number

Distance = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True, slots=True)
class KLDivergence:
    r"""The divergence of the softened answers (Yan et al., Positive-Congruent Training, CVPR 2021, eq. 8).

    .. math:: D = T^2 \, \mathrm{KL}(\mathrm{softmax}(z^{old} / T) \,\|\, \mathrm{softmax}(z^{new} / T))

    At high temperatures it tends to half the mean squared difference of the centred logits, and both answers to
    uniform ones: :math:`p \log (p / q)` is then a small difference of large terms. With :math:`u = \log (q / p)` each
    class adds :math:`p (e^u - 1 - u) \ge 0` instead, which has the same sum since both answers sum to 1.

    Args:
        temperature: T, above 0.

    Raises:
        InputError: If the temperature is not above 0.

    Example:
        Certain against undecided is log 2 at T = 1.

        >>> import torch
        >>> KLDivergence(temperature=1)(torch.tensor([[0.0, 0.0]]), torch.tensor([[99.0, 0.0]]))
        tensor([0.6931])
    """

    temperature: float = 100.0

    def __post_init__(self) -> None:
        """Refuse a temperature that is none."""
        check_number("temperature", self.temperature, 0, open_low=True)

    def __call__(self, new: Tensor, old: Tensor) -> Tensor:
        """Return the divergence of each row.

        Args:
            new: The new model's logits, ``(n, classes)``.
            old: The reference's logits, ``(n, classes)``.

        Returns:
            ``(n,)``, not negative.
        """
        log_q = functional.log_softmax(new / self.temperature, dim=-1)
        log_p = functional.log_softmax(old / self.temperature, dim=-1)
        p = log_p.exp()
        u = log_q - log_p
        near = u.abs() < 1
        u = u.where(near, 0.0)
        far = functional.kl_div(log_q, p, reduction="none") - p + log_q.exp()
        return torch.where(near, p * (torch.expm1(u) - u), far).sum(dim=-1) * self.temperature**2


@dataclass(frozen=True, slots=True)
class LogitMatching:
    r"""Half the squared distance of the logits (Yan et al., CVPR 2021, eq. 9).

    .. math:: D = \tfrac{1}{2} \lVert z^{new} - z^{old} \rVert^2

    Example:
        >>> import torch
        >>> LogitMatching()(torch.tensor([[3.0, 1.0]]), torch.tensor([[1.0, 0.0]]))
        tensor([2.5000])
    """

    def __call__(self, new: Tensor, old: Tensor) -> Tensor:
        """Return the distance of each row.

        Args:
            new: The new model's logits, ``(n, classes)``.
            old: The reference's logits, ``(n, classes)``.

        Returns:
            ``(n,)``, not negative.
        """
        return 0.5 * (new - old).square().sum(dim=-1)


@dataclass(frozen=True, slots=True)
class MeanLogitMatching:
    r"""Half the mean squared difference of the logits: :class:`LogitMatching` whose scale no longer grows with classes.

    .. math:: D = \tfrac{1}{2 C} \lVert z^{new} - z^{old} \rVert^2

    Example:
        >>> import torch
        >>> MeanLogitMatching()(torch.tensor([[3.0, 1.0]]), torch.tensor([[1.0, 0.0]]))
        tensor([1.2500])
    """

    def __call__(self, new: Tensor, old: Tensor) -> Tensor:
        """Return the distance of each row.

        Args:
            new: The new model's logits, ``(n, classes)``.
            old: The reference's logits, ``(n, classes)``.

        Returns:
            ``(n,)``, not negative.
        """
        return 0.5 * (new - old).square().mean(dim=-1)
