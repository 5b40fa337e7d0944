"""The rows of a head whose classes changed: which old row stands for which new one."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from segue.errors import InputError


@dataclass(frozen=True, eq=False)
class Head:
    """The tensors with one row per class, and the rows that the old and the new model share.

    Attributes:
        names: Their names.
        old_rows: Old rows that live on, ``(kept,)``.
        new_rows: The new row of each of them, ``(kept,)``.
    """

    names: frozenset[str]
    old_rows: Tensor
    new_rows: Tensor

    def carried(self, name: str, old: Tensor, new: Tensor) -> Tensor:
        """Return an old tensor in the new model's shape.

        Args:
            name: The tensor's name.
            old: The old model's tensor, ``(old classes, ...)``.
            new: The new model's, ``(new classes, ...)``.

        Returns:
            For a tensor of the head, the new one with the rows of the classes that live on taken from the old one;
            any other as it is.
        """
        if name not in self.names:
            return old
        rows = new.detach().clone()
        rows[self.new_rows.to(rows.device)] = old.detach()[self.old_rows.to(old.device)].to(rows.device)
        return rows


NO_HEAD = Head(frozenset(), torch.empty(0, dtype=torch.int64), torch.empty(0, dtype=torch.int64))


def find_head(
    old: Mapping[str, Tensor],
    new: Mapping[str, Tensor],
    class_map: Sequence[int] | Tensor | None,
    head: Collection[str] | None,
) -> Head:
    """Find the tensors with a row per class by their shapes, or by the names that the caller gave.

    Args:
        old: The old model's tensors by name.
        new: The new model's.
        class_map: The new class of each old class, -1 where it is gone; ``None`` where the classes are the same.
        head: Names of the tensors, or of the layers that hold them; ``None`` finds the one layer whose shapes differ.

    Returns:
        The head; one without names where the classes are the same.

    Raises:
        InputError: If the map is none, or which tensors it means can't be told.

    Example:
        >>> old, new = {"fc.bias": torch.zeros(2)}, {"fc.bias": torch.ones(3)}
        >>> find_head(old, new, [2, 0], None).carried("fc.bias", old["fc.bias"], new["fc.bias"])
        tensor([0., 1., 0.])
    """
    if class_map is None:
        if head is not None:
            raise InputError("head was given without class_map; pass class_map=[new class of each old class]")
        return NO_HEAD
    kept = read_classes(class_map)
    shared = [name for name in old if name in new]
    differing = [name for name in shared if old[name].shape != new[name].shape]
    if head is None:
        names = _by_shape(old, new, differing, kept)
    else:
        names = _by_name(old, new, head, len(kept))
        left = [name for name in differing if name not in names]
        if left:
            raise InputError(f"{_told(left)} differ in shape too, but head does not name them; name them as well")
    for name in names:
        _check_rows(name, old[name], new[name], len(kept))
    sizes = {len(new[name]) for name in names}
    if len(sizes) > 1:
        raise InputError(
            f"{_told(sorted(names))} have {' and '.join(map(str, sorted(sizes)))} rows in new; they can't all have one "
            f"row per class: name the head's tensors with head=[...]"
        )
    classes = sizes.pop()
    if int(kept.max()) >= classes:
        raise InputError(
            f"class_map leads to class {int(kept.max())}, but the new head has {classes} rows (0 to {classes - 1})"
        )
    rows = torch.nonzero(kept >= 0).flatten()
    return Head(frozenset(names), rows, kept[rows])


def read_classes(class_map: Sequence[int] | Tensor) -> Tensor:
    """Read a class map.

    Args:
        class_map: The new class of each old class, ``(old classes,)``, -1 where it is gone.

    Returns:
        The same as a tensor of integers, on the CPU.

    Raises:
        InputError: If it is none, keeps no class, or leads two classes to one.
    """
    sentence = "class_map must list the new class of old class 0, 1, ... as integers, -1 where it is gone"
    try:
        kept = torch.as_tensor(class_map)
    except (TypeError, ValueError, RuntimeError):
        raise InputError(sentence) from None
    if kept.dim() != 1 or not len(kept) or kept.is_floating_point() or kept.dtype == torch.bool or int(kept.min()) < -1:
        raise InputError(sentence)
    kept = kept.to(device="cpu", dtype=torch.int64)
    alive = kept[kept >= 0]
    if not len(alive):
        raise InputError("class_map keeps no old class; there is nothing to interpolate")
    values, counts = torch.unique(alive, return_counts=True)
    if (counts > 1).any():
        raise InputError(
            f"class_map leads {int(counts.max())} old classes to new class {int(values[counts.argmax()])}; keep the "
            f"row of one of them and give -1 for the others"
        )
    return kept


def _by_shape(old: Mapping[str, Tensor], new: Mapping[str, Tensor], differing: list[str], kept: Tensor) -> set[str]:
    if not differing:
        if torch.equal(kept, torch.arange(len(kept))):
            raise InputError(
                "class_map was given, but all shapes agree and no class moves; leave it out, or name the head's "
                "tensors with head=[...]"
            )
        raise InputError(
            "class_map moves classes, but all shapes agree, so that the head can't be told by its shape; name its "
            "tensors with head=[...]"
        )
    # Tied tensors count once; weight and bias of one layer belong together.
    layers = {name.rpartition(".")[0] for name in {id(new[name]): name for name in differing}.values()}
    if len(layers) > 1:
        raise InputError(
            f"{_told(differing)} differ in shape between old and new, in {len(layers)} layers; name those with a row "
            f"per class with head=[...]"
        )
    return set(differing)


def _by_name(old: Mapping[str, Tensor], new: Mapping[str, Tensor], head: Collection[str], classes: int) -> set[str]:
    names: set[str] = set()
    for given in [head] if isinstance(head, str) else head:
        inside = [name for name in old if name == given or name.startswith(f"{given}.")]
        # a counter beside a layer's weights has no row per class
        rows = [name for name in inside if name == given or (old[name].dim() and len(old[name]) == classes)]
        if not rows or any(name not in new for name in rows):
            raise InputError(
                f"head names {given!r}, but no tensor or layer with {classes} rows is called so in both models"
            )
        names.update(rows)
    if not names:
        raise InputError("head is empty; name the tensors with a row per class")
    return names


def _check_rows(name: str, old: Tensor, new: Tensor, classes: int) -> None:
    if old.dim() == 0 or len(old) != classes or new.dim() == 0 or old.shape[1:] != new.shape[1:]:
        raise InputError(
            f"{name!r} has shape {tuple(old.shape)} in old and {tuple(new.shape)} in new, but class_map names "
            f"{classes} old classes; a head has one row per class and equal rows otherwise"
        )


def _told(names: Sequence[str]) -> str:
    return ", ".join(map(repr, names[:6])) + (", ..." if len(names) > 6 else "")
