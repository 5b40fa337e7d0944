"""Which row of an old head, or which old class centre, stands for which class of the new model."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from segue.errors import InputError

LEFT_OUT = -100
"""The row of a class that the old model does not know: what cross-entropy ignores."""

MOST_CLASSES = 2**24


class RowsOfClasses(nn.Module):
    """The row that stands for each class of the new model.

    Without a map, row k stands for class k, and a label beyond the rows is a mistake: classes that came later need a
    map. With one, samples of classes that have no row are told apart, and left out by the losses.

    Args:
        rows: How many rows there are.
        class_map: The new class of each row, ``(rows,)``, -1 where the class is gone; ``None`` for the same classes.

    Raises:
        InputError: If the map is no vector of ``rows`` class indices, or two rows stand for one class.

    Example:
        >>> rows = RowsOfClasses(3, [4, -1, 0])
        >>> rows(torch.tensor([0, 1, 4, 9]))
        tensor([   2, -100,    0, -100])
    """

    class_of_row: Tensor
    row_of_class: Tensor

    def __init__(self, rows: int, class_map: Sequence[int] | Tensor | None = None) -> None:
        super().__init__()
        self.given = class_map is not None
        mapped = torch.arange(rows) if class_map is None else _read(class_map, rows)
        kept = (mapped >= 0).nonzero().squeeze(1)
        self.largest = int(mapped.max())
        # one place more than the map names: that of all classes beyond it, and of negative labels
        row_of_class = torch.full((self.largest + 2,), LEFT_OUT, dtype=torch.int64)
        row_of_class[mapped[kept]] = kept
        self.register_buffer("class_of_row", mapped, persistent=False)
        self.register_buffer("row_of_class", row_of_class, persistent=False)

    def forward(self, labels: Tensor) -> Tensor:
        """Return the row of each label.

        Args:
            labels: Classes of the new model, ``(n,)`` integers.

        Returns:
            ``(n,)`` integers, -100 where the class has no row.

        Raises:
            InputError: If there is no map and a label has no row (looked at on the CPU alone, where it costs nothing),
                or the rows are on another device.
        """
        if labels.device != self.row_of_class.device:
            raise InputError(
                f"the old classes are on {self.row_of_class.device} and labels on {labels.device}; move the loss with "
                ".to(device), its old head and centres go along"
            )
        wanted = labels.long()
        if not self.given and labels.device.type == "cpu" and not torch.compiler.is_compiling() and wanted.numel():
            self._refuse_unknown(wanted)
        found = wanted.where(wanted >= 0, self.largest + 1).clamp(max=self.largest + 1)
        return self.row_of_class[found]

    def _refuse_unknown(self, labels: Tensor) -> None:
        lowest, highest = int(labels.min()), int(labels.max())
        if lowest < 0 or highest > self.largest:
            raise InputError(
                f"labels hold the class {lowest if lowest < 0 else highest}, but the old model's classes are 0 to "
                f"{self.largest}; pass class_map, the new class of each old class, and samples of others are left out"
            )

    def extra_repr(self) -> str:
        """Return how many rows there are.

        Returns:
            ``"rows=3, mapped=True"``.
        """
        return f"rows={len(self.class_of_row)}, mapped={self.given}"


def _read(class_map: Sequence[int] | Tensor, rows: int) -> Tensor:
    wanted = f"pass the new class of each old class, ({rows},) integers, -1 where it is gone"
    try:
        given = torch.as_tensor(class_map).detach().cpu()
    except (TypeError, ValueError, RuntimeError) as error:
        raise InputError(f"class_map can't be read as numbers ({error}); {wanted}") from error
    if given.shape != (rows,):
        raise InputError(f"class_map has the shape {tuple(given.shape)}; {wanted}")
    if given.is_floating_point() or given.is_complex() or given.dtype == torch.bool:
        raise InputError(f"class_map holds {given.dtype}; {wanted}")
    mapped = given.to(torch.int64)
    lowest, highest = int(mapped.min()), int(mapped.max())
    if lowest < -1 or highest >= MOST_CLASSES:
        raise InputError(f"class_map holds {lowest if lowest < -1 else highest}, which is no class index; {wanted}")
    if highest < 0:
        raise InputError("class_map says that every old class is gone; there is nothing to be compatible with")
    times = torch.bincount(mapped[mapped >= 0])
    if int(times.max()) > 1:
        raise InputError(
            f"class_map sends more than one old class to the new class {int(times.argmax())}; give all but one of "
            "them -1"
        )
    return mapped
