"""The new class of each old class: read once, checked, and applied to logits and labels."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from segue.errors import InputError

MOST_CLASSES = 2**24
"""More classes than a classifier has; a larger index is an identifier taken for one."""


def read_class_map(class_map: Sequence[int] | Tensor) -> Tensor:
    """Return a class map as a vector of integers.

    Args:
        class_map: The new class of each old class, ``(old classes,)``, -1 where the class is gone.

    Returns:
        The map, ``(old classes,)`` of ``int64``, on the CPU.

    Raises:
        InputError: If it is no vector of integers, is empty or has no class left, names a class below -1 or one
            that no model has, or sends two old classes to the same new one.

    Example:
        >>> read_class_map([2, -1, 0])
        tensor([ 2, -1,  0])
    """
    try:
        given = torch.as_tensor(class_map).detach().cpu()
    except (TypeError, ValueError, RuntimeError) as error:
        raise InputError(
            f"class_map can't be read as numbers ({error}); pass one new class index per old class, -1 where it is gone"
        ) from error
    if given.ndim != 1 or given.numel() == 0:
        raise InputError(
            f"class_map has the shape {tuple(given.shape)}; pass one new class index per old class, -1 where it is gone"
        )
    if given.is_floating_point() or given.is_complex() or given.dtype == torch.bool:
        raise InputError(f"class_map holds {given.dtype}; pass integers, the new class index of each old class")
    mapped = given.to(torch.int64)
    lowest, highest = int(mapped.min()), int(mapped.max())
    if lowest < -1:
        raise InputError(f"class_map holds {lowest}; pass class indices from 0, and -1 for a class that is gone")
    if highest < 0:
        raise InputError("class_map says that every old class is gone; there is nothing to compare the models on")
    if highest >= MOST_CLASSES:
        raise InputError(f"class_map names the new class {highest}; pass column indices of new_logits")
    times = torch.bincount(mapped[mapped >= 0])
    if int(times.max()) > 1:
        raise InputError(
            f"class_map sends more than one old class to the new class {int(times.argmax())}; "
            "merged classes can't be compared, give all but one of them -1"
        )
    return mapped


class ClassMap(nn.Module):
    """Which column of the new logits and which of the old ones stand for the same class.

    Its tensors are buffers, so that they go along when the loss is moved to a device; none is saved with a model.

    Args:
        class_map: The new class of each old class, ``(old classes,)``, -1 where the class is gone.

    Raises:
        InputError: If it is none; see :func:`read_class_map`.

    Example:
        Old class 0 is now 2, old class 1 is gone, old class 2 is now 0; class 1 is new.

        >>> classes = ClassMap([2, -1, 0])
        >>> classes.old_labels(torch.tensor([0, 1, 2]))
        tensor([ 2, -1,  0])
        >>> classes.common(torch.tensor([[10, 11, 12]]), torch.tensor([[20, 21, 22]]))
        (tensor([[12, 10]]), tensor([[20, 22]]))
    """

    new_of_old: Tensor
    kept_old: Tensor
    kept_new: Tensor
    old_of_new: Tensor

    def __init__(self, class_map: Sequence[int] | Tensor) -> None:
        super().__init__()
        mapped = read_class_map(class_map)
        kept_old = (mapped >= 0).nonzero().squeeze(1)
        self.largest = int(mapped.max())
        # one more than the map names: the place of all classes beyond it
        old_of_new = torch.full((self.largest + 2,), -1, dtype=torch.int64)
        old_of_new[mapped[kept_old]] = kept_old
        self.register_buffer("new_of_old", mapped, persistent=False)
        self.register_buffer("kept_old", kept_old, persistent=False)
        self.register_buffer("kept_new", mapped[kept_old], persistent=False)
        self.register_buffer("old_of_new", old_of_new, persistent=False)

    def check(self, new: Tensor, old: Tensor) -> None:
        """Refuse logits whose classes are not those of the map; no value is looked at.

        Args:
            new: The new model's logits, ``(..., new classes)``.
            old: The old model's logits, ``(..., old classes)``.

        Raises:
            InputError: If the map has another length than there are old classes, names a class that the new model does
                not have, or is on another device.
        """
        if self.new_of_old.shape[0] != old.shape[-1]:
            raise InputError(
                f"class_map names {self.new_of_old.shape[0]} old classes, but old_logits have {old.shape[-1]}; "
                "pass one new class index per column of old_logits"
            )
        if self.largest >= new.shape[-1]:
            raise InputError(
                f"class_map names the new class {self.largest}, but new_logits have only {new.shape[-1]} classes; "
                "count new classes from 0"
            )
        if self.new_of_old.device != new.device:
            raise InputError(
                f"the loss is on {self.new_of_old.device} and new_logits on {new.device}; "
                "move the loss with .to(device), its class map goes along"
            )

    def common(self, new: Tensor, old: Tensor) -> tuple[Tensor, Tensor]:
        """Return the columns of the classes that both models know, in the order of the old classes.

        Args:
            new: One column per new class, ``(n, new classes)``.
            old: One column per old class, ``(n, old classes)``.

        Returns:
            Both as ``(n, common classes)``.
        """
        return new.index_select(1, self.kept_new), old.index_select(1, self.kept_old)

    def old_labels(self, labels: Tensor) -> Tensor:
        """Return labels in the old model's classes.

        Args:
            labels: The truth in the new model's classes, integers of any shape; a negative one is no class.

        Returns:
            Integers of the same shape, -1 where the old model does not know the class.
        """
        return self.old_of_new[labels.long().clamp(-1, self.largest + 1)]

    def in_new_classes(self, old: Tensor, new_classes: int) -> Tensor:
        """Return the old logits in the order of the new classes, so that a softmax gives unknown classes nothing.

        Args:
            old: The old model's logits, ``(n, old classes)``.
            new_classes: How many classes the new model has.

        Returns:
            ``(n, new classes)``, minus infinity at the classes that the old model does not know.
        """
        placed = old.new_full((old.shape[0], new_classes), float("-inf"))
        return placed.index_copy(1, self.kept_new, old.index_select(1, self.kept_old))
