"""Weight interpolation, BCWI (Schumann et al., Backward Compatibility During Data Updates, EACL 2024)."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from numbers import Real
from typing import Any

import torch
from torch import Tensor, nn

from segue.congruent.interpolation.agreement import agree, averageable, check_module, copied, tensors_of
from segue.congruent.interpolation.batchnorm import measure_statistics
from segue.congruent.interpolation.head import find_head
from segue.errors import InputError


def interpolate(
    old: nn.Module,
    new: nn.Module,
    alpha: float,
    *,
    fisher: Mapping[str, Tensor] | None = None,
    class_map: Sequence[int] | Tensor | None = None,
    head: Collection[str] | None = None,
    recalibration: Any | None = None,
) -> nn.Module:
    r"""Make the model that lies between an old model and a new one that was fine-tuned from it.

    .. math:: \theta = \alpha\,\theta_{old} + (1 - \alpha)\,\theta_{new}

    and with the old model's Fisher information ``F`` (Fisher BCWI), element by element,

    .. math:: \theta = \frac{\alpha\,F\,\theta_{old} + (1 - \alpha)\,\theta_{new}}{\alpha\,F + (1 - \alpha)}

    **The new model must have been initialised with the old one's weights and trained on from there.** Two models
    trained apart have no common line of good models between them, even with equal architectures and data: the result
    is then worse than both. :func:`segue.congruent.interpolation.sweep` shows it.

    At 0 and 1 the result has the very weights of the new and the old model. Weights that are equal in both stay as they
    are. All floating-point parameters and buffers are interpolated (buffers always without ``F``), single integers such
    as BatchNorm's counter of batches are the nearer model's, integer tables must be equal. Neither model is changed.

    Args:
        old: The old model.
        new: The new model, fine-tuned from the old one.
        alpha: Share of the old model, from 0 to 1.
        fisher: ``F`` by parameter, of :func:`segue.congruent.interpolation.diagonal_fisher`.
        class_map: Where the class sets differ, the new class of each old class, ``(old classes,)``, -1 where it is
            gone. The head's rows of new classes are the new model's at every alpha.
        head: Names of the tensors with one row per class (or of the layer that holds them), for a ``class_map`` whose
            head can't be told by its shape.
        recalibration: Training inputs on which BatchNorm statistics are measured anew where ``0 < alpha < 1``; see
            :func:`segue.congruent.interpolation.recalibrate`.

    Returns:
        A new model in evaluation mode, with the new model's class and device.

    Raises:
        InputError: If the two are no pair of models whose weights can be averaged, or an argument is not as described.

    Example:
        >>> old, new = nn.Linear(1, 1, bias=False), nn.Linear(1, 1, bias=False)
        >>> _ = nn.init.constant_(old.weight, 1.0), nn.init.constant_(new.weight, 3.0)
        >>> interpolate(old, new, 0.25).weight.item()  # 0.25 * 1 + 0.75 * 3
        2.5
        >>> interpolate(old, new, 0.25, fisher={"weight": torch.tensor([[3.0]])}).weight.item()  # (0.75 + 2.25) / 1.5
        2.0
    """
    share = check_alpha(alpha)
    check_module(old, "old")
    check_module(new, "new")
    if old is new:
        raise InputError("old and new are the same object; keep a copy of the old model before it is fine-tuned")
    first, second = tensors_of(old), tensors_of(new)
    rows = find_head(first, second, class_map, head)
    agree(old, new, rows)
    _check_fisher(fisher, old)
    model = copied(new, "new")
    with torch.no_grad():
        for name, target in tensors_of(model).items():
            ours = rows.carried(name, first[name], target).to(target.device)
            weight = share if fisher is None or name not in fisher else _weight(share, fisher[name], target)
            if isinstance(weight, Tensor):
                weight = rows.carried(name, weight, torch.ones_like(target))
            # buffers that agree are left alone, since they may be expanded views, which can't be written
            if isinstance(target, nn.Parameter) or not torch.equal(ours, second[name]):
                target.copy_(_between(ours, second[name], weight, share))
    if recalibration is not None and 0 < share < 1:
        measure_statistics(model, recalibration)
    return model


def check_alpha(alpha: float) -> float:
    """Refuse a share that is none.

    Args:
        alpha: What was passed.

    Returns:
        The share.

    Raises:
        InputError: If it is no number from 0 to 1.
    """
    if isinstance(alpha, bool) or not isinstance(alpha, Real) or not (math.isfinite(alpha) and 0 <= alpha <= 1):
        raise InputError(f"alpha is {alpha!r}; pass a number from 0 (the new model) to 1 (the old model)")
    return float(alpha)


def _weight(alpha: float, fisher: Tensor, like: Tensor) -> Tensor:
    # Of the old model, element by element: alpha F / (alpha F + 1 - alpha); 0 / 0 at alpha = 1 is the old model's.
    old = alpha * fisher.to(like.device)
    return torch.nan_to_num(old / (old + (1 - alpha)), nan=1.0)


def _between(old: Tensor, new: Tensor, weight: float | Tensor, alpha: float) -> Tensor:
    if alpha <= 0 or alpha >= 1:
        return old if alpha >= 1 else new
    if not averageable(new):
        return old if alpha > 0.5 else new
    # lerp keeps equal weights bit for bit, which alpha * x + (1 - alpha) * x does not; equal infinities stay as well
    mixed = torch.lerp(new, old, weight.to(new.dtype) if isinstance(weight, Tensor) else weight)
    return torch.where(old == new, new, mixed)


def _check_fisher(fisher: Mapping[str, Tensor] | None, old: nn.Module) -> None:
    if fisher is None:
        return
    if not isinstance(fisher, Mapping):
        raise InputError(f"fisher is a {type(fisher).__name__}; pass what diagonal_fisher(old, inputs) returned")
    for name, parameter in old.named_parameters(remove_duplicate=False):
        if name not in fisher:
            raise InputError(f"fisher lacks {name!r}; compute it for this old model with diagonal_fisher(old, inputs)")
        found = fisher[name]
        if not isinstance(found, Tensor) or found.shape != parameter.shape:
            shape = tuple(found.shape) if isinstance(found, Tensor) else type(found).__name__
            raise InputError(
                f"fisher[{name!r}] is {shape} but the weight has shape {tuple(parameter.shape)}; pass one number per "
                f"weight"
            )
        if not torch.isfinite(found).all() or (found < 0).any():
            raise InputError(f"fisher[{name!r}] has values that are negative or not finite; compute it again")
