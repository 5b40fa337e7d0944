"""The old model as a point among the new architecture's weights: where fine-tuning begins and interpolation ends."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from segue.congruent.interpolation import diagonal_fisher, interpolate, widen
from segue.congruent.interpolation.agreement import tensors_of
from segue.congruent.interpolation.head import find_head
from segue.congruent.interpolation.inputs import inputs_of
from segue.congruent.interpolation.widening import wide_head
from segue.errors import InputError
from segue.training.forward import logits_of


@dataclass(frozen=True, eq=False)
class Origin:
    """The old model, in weights that can be averaged with the new model's.

    Attributes:
        model: The old model, or a network of the new width that answers like it.
        class_map: The new class of each of this model's classes, -1 where there is none; ``None`` where they are equal.
        head: Names of its tensors with one row per class, where they can't be told by their shape.
    """

    model: nn.Module
    class_map: Sequence[int] | None
    head: Collection[str] | None

    def towards(self, new: nn.Module, share: float, **settings: Any) -> nn.Module:
        """Interpolate between this model and a new one.

        Args:
            new: The new model.
            share: Share of the old model.
            settings: Keywords of :func:`segue.congruent.interpolation.interpolate`.

        Returns:
            The model in between.
        """
        return interpolate(self.model, new, share, class_map=self.class_map, head=self.head, **settings)

    def fisher(self, data: Any, *, progress: bool = True) -> dict[str, Tensor]:
        """Return how strongly the old model's answers depend on each weight.

        Args:
            data: Training samples.
            progress: Whether to show a bar.

        Returns:
            The diagonal of the Fisher information by parameter; 0 for rows of classes that the old model does not know.
        """
        if self.class_map is None or self.head is None:
            return diagonal_fisher(self.model, data, progress=progress)
        unknown = torch.tensor([place < 0 for place in self.class_map])
        found = diagonal_fisher(_Known(self.model, unknown), data, progress=progress)
        return {name.removeprefix("model."): values for name, values in found.items()}


class _Known(nn.Module):
    """A model that never answers a class that the old one does not know."""

    unknown: Tensor

    def __init__(self, model: nn.Module, unknown: Tensor) -> None:
        super().__init__()
        self.model = model
        self.register_buffer("unknown", unknown)

    def forward(self, *args: Any, **named: Any) -> Tensor:
        logits = logits_of(self.model(*args, **named))
        return logits.masked_fill(self.unknown, -1e9)  # finite: its share of any probability is exactly 0


def origin_of(
    old: nn.Module, fresh: nn.Module, inputs: Tensor | Any, grown: Sequence[int] | None, head: Collection[str] | None
) -> Origin:
    """Find the old model among the weights of the new architecture.

    Args:
        old: The old model.
        fresh: A new model with fresh weights.
        inputs: A few samples, on which a wider network must answer alike.
        grown: The class map where the classes differ or move, else ``None``.
        head: Names of the tensors with one row per class, for class sets whose head can't be told by its shape.

    Returns:
        The origin.

    Raises:
        InputError: If the architectures differ otherwise than in width.
    """
    head = head if grown is not None else None
    if _same_shapes(old, fresh, grown, head):
        found = Origin(old, grown, head)
    else:
        wide = widen(old, fresh, inputs, class_map=grown, head=head)
        found = Origin(wide, None, None)
        if grown is not None:
            names = sorted(wide_head(old, fresh, inputs_of(inputs, "inputs"), grown, head).names)
            rows = len(wide.state_dict()[names[0]])
            # Rows of new classes are as fresh as they were: interpolation takes them from the new model.
            found = Origin(wide, [row if row in grown else -1 for row in range(rows)], names)
    found.towards(fresh, 1.0)  # whatever else can't be averaged is refused here
    return found


def _same_shapes(old: nn.Module, new: nn.Module, grown: Sequence[int] | None, head: Collection[str] | None) -> bool:
    first, second = tensors_of(old), tensors_of(new)
    differing = [name for name in first if name in second and first[name].shape != second[name].shape]
    if grown is None or not differing:
        return not differing
    try:
        rows = find_head(first, second, grown, head)
    except InputError:
        return False
    return set(differing) <= rows.names
