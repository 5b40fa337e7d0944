"""The new class of each old class, read once and checked."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

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
        InputError: If it is no vector of integers, is empty or has no class left, names a class below -1 or none that a model has, or sends two
            old classes to the same new one.

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
    if int(mapped.min()) < -1:
        raise InputError(
            f"class_map holds {int(mapped.min())}; pass class indices from 0, and -1 for a class that is gone"
        )
    if int(mapped.max()) >= MOST_CLASSES:
        raise InputError(f"class_map names the new class {int(mapped.max())}; pass column indices of new_logits")
    kept = mapped[mapped >= 0]
    if kept.numel() == 0:
        raise InputError("class_map says that every old class is gone; there is nothing to compare the models on")
    times = torch.bincount(kept)
    if int(times.max()) > 1:
        twice = int(times.argmax())
        raise InputError(
            f"class_map sends more than one old class to the new class {twice}; a merged class can't be compared"
        )
    return mapped


def old_classes(class_map: Tensor) -> Tensor:
    """Return the old class of each new class up to the largest that the map names, and one more -1 for all the others.

    Args:
        class_map: The new class of each old class, ``(old classes,)`` integers.

    Returns:
        ``(largest new class + 2,)`` integers, -1 where the old model does not know the class.

    Example:
        >>> import torch
        >>> old_classes(torch.tensor([2, -1, 0]))
        tensor([ 2, -1,  0, -1])
    """
    inverse = torch.full((int(class_map.max()) + 2,), -1, dtype=torch.int64)
    kept = class_map >= 0
    inverse[class_map[kept]] = kept.nonzero().squeeze(1)
    return inverse
