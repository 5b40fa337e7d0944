"""Which objectives an integration takes, and the mean loss of a batch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor

from segue.congruent.losses import CongruentLoss
from segue.errors import InputError

Objective = Callable[..., Tensor]


def check_objective(objective: Any) -> None:
    """Refuse what can't be all that is minimised: a loss without the label term, or one that is no mean.

    Args:
        objective: What the user passed.

    Raises:
        InputError: If it is no function, lacks the label term, or does not reduce by the mean.

    Example:
        >>> from segue.congruent.losses import FocalDistillation
        >>> check_objective(FocalDistillation())
        Traceback (most recent call last):
        segue.errors.InputError: FocalDistillation holds no label term; pass Penalized(FocalDistillation(...), \
weight=...) or Mixed of segue.congruent.objective
    """
    kind = type(objective).__name__
    if not callable(objective) or isinstance(objective, type):
        told = f"the class {objective.__name__}" if isinstance(objective, type) else f"a {kind}"
        raise InputError(f"objective is {told}; pass a loss such as Mixed(FocalDistillation(), weight=0.9)")
    if isinstance(objective, CongruentLoss) and not objective.includes_labels:
        raise InputError(
            f"{kind} holds no label term; pass Penalized({kind}(...), weight=...) or Mixed of segue.congruent.objective"
        )
    reduction = getattr(objective, "reduction", "mean")
    if reduction != "mean":
        raise InputError(f"objective has reduction={reduction!r}; leave it at 'mean', the trainer does the rest")


def check_scalar(value: Any) -> Tensor:
    """Return an objective's value if it is one number.

    Args:
        value: What the objective returned.

    Returns:
        The value.

    Raises:
        InputError: If it is anything else.
    """
    if not isinstance(value, Tensor) or value.ndim != 0:
        told = f"shape {tuple(value.shape)}" if isinstance(value, Tensor) else f"a {type(value).__name__}"
        raise InputError(f"the objective returned {told}; it should return one number, the mean over the batch")
    return value
