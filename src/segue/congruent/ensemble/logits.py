"""The mean of several models' logits (Yan et al., Positive-Congruent Training, CVPR 2021, on ensembles)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn

from segue.errors import InputError
from segue.training.frozen import Frozen


class LogitEnsemble(nn.Module):
    r"""Answer with the weighted mean of the members' logits.

    .. math:: z(x) = \frac{\sum_m w_m z_m(x)}{\sum_m w_m}

    Members are frozen copies: they stay in evaluation mode and get no gradients, whatever becomes of the module around
    them. Train members first. Inputs are passed on as they are given.

    Args:
        members: The models; each must return logits of the same classes, in the same order.
        weights: One weight per member, not negative; by default all are equal.

    Raises:
        InputError: If there is no member, or weights are not as described.

    Example:
        >>> small, large = nn.Linear(1, 2, bias=False), nn.Linear(1, 2, bias=False)
        >>> _ = nn.init.constant_(small.weight, 1.0), nn.init.constant_(large.weight, 4.0)
        >>> LogitEnsemble([small, large])(torch.ones(1, 1))
        tensor([[2.5000, 2.5000]])
        >>> LogitEnsemble([small, large], weights=[2, 1])(torch.ones(1, 1))
        tensor([[2., 2.]])
    """

    weights: Tensor

    def __init__(self, members: Iterable[nn.Module], weights: Sequence[float] | Tensor | None = None) -> None:
        super().__init__()
        if isinstance(members, nn.Module) and not isinstance(members, nn.ModuleList):
            raise InputError("members is a single module; pass a list of models")
        found = list(members)
        if not found:
            raise InputError("members is empty; pass the models whose logits are averaged")
        for place, member in enumerate(found):
            if not isinstance(member, nn.Module):
                raise InputError(f"members[{place}] is a {type(member).__name__}; pass a torch module")
        self.members = nn.ModuleList(Frozen(member) for member in found)
        self.register_buffer("weights", _shares(weights, len(found)))

    def member_logits(self, inputs: Any = None, **named: Tensor) -> Tensor:
        """Answer a batch member by member.

        Args:
            inputs: The models' input; or pass their inputs by name.
            named: The models' inputs by name.

        Returns:
            Logits ``(members, n, classes)``, at least float32.

        Raises:
            InputError: If members return logits of different shapes.
        """
        found = [cast("Tensor", member(inputs, **named)) for member in self.members]
        for place, logits in enumerate(found):
            if logits.dim() != 2 or logits.shape != found[0].shape:
                raise InputError(
                    f"members[{place}] returned logits of shape {tuple(logits.shape)} but members[0] of "
                    f"{tuple(found[0].shape)}; all members must return (n, classes) with the same classes"
                )
        return torch.stack([logits.to(torch.promote_types(logits.dtype, torch.float32)) for logits in found])

    def forward(self, inputs: Any = None, **named: Tensor) -> Tensor:
        """Answer a batch.

        Args:
            inputs: The models' input; or pass their inputs by name.
            named: The models' inputs by name.

        Returns:
            Mean logits ``(n, classes)``, at least float32.

        Raises:
            InputError: If members return logits of different shapes.
        """
        logits = self.member_logits(inputs, **named)
        return torch.einsum("m,mnc->nc", self.weights.to(logits), logits)


def _shares(weights: Sequence[float] | Tensor | None, members: int) -> Tensor:
    if weights is None:
        return torch.full((members,), 1.0 / members)
    try:
        found = torch.as_tensor(weights, dtype=torch.float64)
    except (TypeError, ValueError, RuntimeError):
        raise InputError("weights must be numbers, one per member") from None
    if found.shape != (members,):
        raise InputError(f"weights has shape {tuple(found.shape)} for {members} members; pass one number per member")
    if not torch.isfinite(found).all() or (found < 0).any() or not found.sum() > 0:
        raise InputError("weights must be finite, not negative and not all zero")
    return (found / found.sum()).float().cpu()
