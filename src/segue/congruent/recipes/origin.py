"""The old model as a point among the new architecture's weights: where fine-tuning begins and interpolation ends."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from segue.congruent.interpolation import interpolate, widen
from segue.congruent.interpolation.inputs import inputs_of
from segue.congruent.interpolation.widening import wide_head
from segue.errors import InputError


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
    try:
        interpolate(old, fresh, 1.0, class_map=grown, head=head)
    except InputError as unequal:
        try:
            wide = widen(old, fresh, inputs, class_map=grown, head=head)
        except InputError as unlike:
            raise InputError(f"{unequal}; nor can the new model be a wider one ({unlike})") from unlike
    else:
        return Origin(old, grown, head)
    if grown is None:
        return Origin(wide, None, None)
    rows = wide_head(old, fresh, inputs_of(inputs, "inputs"), grown, head)
    classes = {int(row) for row in rows.new_rows}
    names = sorted(rows.names)
    count = len(dict(wide.state_dict())[names[0]])
    # Its rows of new classes are as fresh as they were: interpolation takes them from the new model.
    return Origin(wide, [row if row in classes else -1 for row in range(count)], names)
