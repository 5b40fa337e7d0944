"""The old model's head, as it was: it answers for new embeddings and never changes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from segue.compatible.checks import check_number
from segue.compatible.class_maps import RowsOfClasses
from segue.compatible.embeddings import unit
from segue.compatible.heads.base import Head
from segue.compatible.heads.cosine import CosineHead
from segue.compatible.heads.linear import LinearHead
from segue.errors import InputError
from segue.flips.checks import counted


class FrozenHead(Head):
    r"""The old head with fixed weights, through which gradients flow into the embeddings alone.

    .. math:: z_c = w_c \cdot f + b_c \quad\text{or}\quad z_c = s \, \cos(w_c, f)

    The weights are copies and no parameters: no optimiser finds them, ``requires_grad_()`` does not reach them, and
    ``train()`` leaves the head in evaluation mode. They move with ``.to()``.

    Args:
        weights: The rows of the classes, ``(rows, d_old)``.
        bias: The bias of a linear head, ``(rows,)``; ``None`` for none.
        scale: s of a cosine head; ``None`` for a linear head.
        class_map: The new class of each row, ``(rows,)``, -1 where the class is gone. ``None`` says that row k stands
            for class k and that there are no other classes.

    Raises:
        InputError: If shapes are not as described, a weight is not finite, a row of a cosine head is zero, or a cosine
            head has a bias.

    Example:
        >>> old = FrozenHead(torch.tensor([[1.0, 0.0], [0.0, 2.0]]), class_map=[3, 0])
        >>> old(torch.tensor([[5.0, 7.0]]))
        tensor([[ 5., 14.]])
        >>> old.rows(torch.tensor([3, 0, 1]))
        tensor([   0,    1, -100])
    """

    weights: Tensor
    bias: Tensor | None

    def __init__(
        self,
        weights: Any,
        bias: Any = None,
        *,
        scale: float | None = None,
        class_map: Sequence[int] | Tensor | None = None,
    ) -> None:
        rows = _finite("weights", weights, 2)
        super().__init__(rows.shape[1], rows.shape[0])
        offsets = None if bias is None else _finite("bias", bias, 1).to(rows.dtype)
        if offsets is not None and offsets.shape[0] != rows.shape[0]:
            held = f"{counted(offsets.shape[0], 'value')} and weights {counted(rows.shape[0], 'row')}"
            raise InputError(f"bias has {held}; pass one per row")
        if scale is not None:
            check_number("scale", scale, 0, open_low=True)
            if offsets is not None:
                raise InputError("a cosine head has no bias; pass bias=None, or scale=None for a linear head")
            zero = (~rows.any(dim=1)).nonzero().squeeze(1)
            if len(zero):
                raise InputError(f"weights are zero in row {int(zero[0])}, which has no direction; leave the class out")
        self.scale = scale
        self.rows = RowsOfClasses(self.classes, class_map).to(rows.device)
        self.register_buffer("weights", rows)
        self.register_buffer("bias", offsets)
        self.eval()

    @classmethod
    def of(cls, head: nn.Module, class_map: Sequence[int] | Tensor | None = None) -> FrozenHead:
        """Freeze a copy of a head.

        Args:
            head: A :class:`LinearHead`, a :class:`CosineHead` (its margin is for training and is dropped), a frozen
                head, or a ``torch.nn.Linear``.
            class_map: The new class of each row, ``(rows,)``; ``None`` keeps a frozen head's own.

        Returns:
            The frozen head.

        Raises:
            InputError: If it is another module.

        Example:
            >>> FrozenHead.of(nn.Linear(4, 3))
            FrozenHead(
              dimension=4, classes=3, linear
              (rows): RowsOfClasses(rows=3, mapped=False)
            )
        """
        if isinstance(head, FrozenHead):
            own = head.rows.class_of_row if head.rows.given else None
            return cls(head.weights, head.bias, scale=head.scale, class_map=own if class_map is None else class_map)
        if isinstance(head, CosineHead):
            return cls(head.weight, scale=head.scale, class_map=class_map)
        if isinstance(head, LinearHead | nn.Linear):
            return cls(head.weight, head.bias, class_map=class_map)
        raise InputError(
            f"head is a {type(head).__name__}; pass a LinearHead, a CosineHead or a torch.nn.Linear, or make one of "
            "weights with FrozenHead(weights, bias)"
        )

    @property
    def cosine(self) -> bool:
        """Whether it scores by cosines, so that lengths of embeddings don't matter."""
        return self.scale is not None

    def logits(self, embeddings: Tensor, labels: Tensor | None) -> Tensor:
        """Return the old head's answer.

        Args:
            embeddings: ``(n, d_old)``.
            labels: Not regarded: a frozen head puts on no margin.

        Returns:
            ``(n, rows)``.
        """
        weights = self.weights.to(embeddings.dtype)
        if self.scale is not None:
            return self.scale * (unit(embeddings) @ unit(weights).T)
        return functional.linear(embeddings, weights, None if self.bias is None else self.bias.to(embeddings.dtype))

    def train(self, mode: bool = True) -> FrozenHead:
        """Stay in evaluation mode, whatever is asked.

        Args:
            mode: Not regarded.

        Returns:
            The module itself.
        """
        super().train(False)
        return self

    def extra_repr(self) -> str:
        """Return the settings as they are printed.

        Returns:
            ``"dimension=128, classes=10, linear"``.
        """
        return f"{super().extra_repr()}, {'linear' if self.scale is None else f'scale={self.scale}'}"


def check_frozen(name: str, head: FrozenHead) -> None:
    """Refuse what is no frozen head.

    Args:
        name: The argument's name.
        head: What the user passed.

    Raises:
        InputError: If it is something else.
    """
    if not isinstance(head, FrozenHead):
        raise InputError(f"{name} is a {type(head).__name__}; pass FrozenHead.of(head), or FrozenHead(weights, bias)")


def _finite(name: str, values: Any, axes: int) -> Tensor:
    wanted = "(rows, d_old)" if axes == 2 else "(rows,)"
    try:
        given = torch.as_tensor(values).detach().clone()
    except (TypeError, ValueError, RuntimeError) as error:
        raise InputError(f"{name} can't be read as numbers ({error}); pass {wanted}") from error
    if given.ndim != axes or given.numel() == 0:
        raise InputError(f"{name} has the shape {tuple(given.shape)}; pass {wanted}")
    numbers = given if given.is_floating_point() else given.to(torch.get_default_dtype())
    if not numbers.isfinite().all():
        raise InputError(f"{name} holds NaN or infinite numbers; pass the old head's weights as they were trained")
    return numbers
