"""How far the new model's logits are from a reference's, row by row: ``(n, classes) x (n, classes) -> (n,)``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from segue.congruent.losses.checks import at_least_float32, check_number
from segue.congruent.losses.divergence import softened_divergence

Distance = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True, slots=True)
class KLDivergence:
    r"""The divergence of the softened answers (Yan et al., Positive-Congruent Training, CVPR 2021, eq. 8).

    .. math:: D = T^2 \, \mathrm{KL}(\mathrm{softmax}(z^{old} / T) \,\|\, \mathrm{softmax}(z^{new} / T))

    At high temperatures it tends to half the mean squared difference of the centred logits. It is exact in 32 bits
    there, too: see :mod:`segue.congruent.losses.divergence`. A class to which the reference gives minus infinity has no
    share in its answer.

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
        return softened_divergence(at_least_float32(new), at_least_float32(old), self.temperature)


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
