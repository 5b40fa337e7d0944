"""May the weights of two models be averaged? Same layers, same names, same shapes, same ties."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from segue.congruent.interpolation.head import NO_HEAD, Head
from segue.errors import InputError

# What these do in evaluation mode is nothing: one model may have them and the other not.
_SILENT = (nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d, nn.AlphaDropout, nn.FeatureAlphaDropout, nn.Identity)


def tensors_of(model: nn.Module) -> dict[str, Tensor]:
    """Return all parameters and buffers by name; a tied tensor stands under each of its names.

    Args:
        model: The model.

    Returns:
        The model's own tensors, not copies.
    """
    return dict(
        itertools.chain(model.named_parameters(remove_duplicate=False), model.named_buffers(remove_duplicate=False))
    )


def copied(model: nn.Module, name: str) -> nn.Module:
    """Return a copy of a model in evaluation mode.

    Args:
        model: The model.
        name: What the caller calls it.

    Returns:
        The copy.

    Raises:
        InputError: If it is no module, or can't be copied.
    """
    check_module(model, name)
    try:
        return copy.deepcopy(model).eval()
    except Exception as error:
        raise InputError(
            f"{name} can't be copied ({str(error).splitlines()[0] if str(error) else type(error).__name__}); remove "
            f"tensors with a gradient history from its attributes, and old-style weight_norm"
        ) from error


def check_module(model: nn.Module, name: str) -> None:
    """Refuse what is no torch module, or one whose weights do not exist yet.

    Args:
        model: What was passed.
        name: What the caller calls it.

    Raises:
        InputError: If it is none.
    """
    if not isinstance(model, nn.Module):
        raise InputError(f"{name} is a {type(model).__name__}; pass a torch module")
    for tensor_name, tensor in tensors_of(model).items():
        if is_lazy(tensor):
            raise InputError(f"{name} has no weights in {tensor_name!r} yet; call the model on one batch first")


def agree(old: nn.Module, new: nn.Module, head: Head = NO_HEAD, names: tuple[str, str] = ("old", "new")) -> None:
    """Refuse two models whose weights can't be averaged.

    Args:
        old: The one.
        new: The other.
        head: Tensors with a row per class, whose number of rows may differ.
        names: What the caller calls them.

    Raises:
        InputError: If a layer, a name, a shape, a type or a tie differs, a weight is not finite, or an integer table
            differs.
    """
    one, other = names
    first, second = tensors_of(old), tensors_of(new)
    for has, lacks, which, without in ((first, second, one, other), (second, first, other, one)):
        more = [name for name in has if name not in lacks]
        if more:
            raise InputError(
                f"{which} has {len(more)} weights that {without} lacks ({_some(more)}); both must be the same "
                f"architecture, unwrapped in the same way"
            )
    same_layers(old, new, names)
    for name, tensor in first.items():
        _same_tensor(name, tensor, second[name], head, names)
    tied = [set(map(frozenset, _ties(tensors))) for tensors in (first, second)]
    if tied[0] != tied[1]:
        apart = next(iter(tied[0] ^ tied[1]))
        where, not_where = (one, other) if apart in tied[0] else (other, one)
        raise InputError(
            f"{' and '.join(sorted(map(repr, apart)))} are one tensor in {where} but not in {not_where}; tie the "
            f"weights in both models or in neither"
        )


def same_layers(old: nn.Module, new: nn.Module, names: tuple[str, str]) -> None:
    """Refuse two models of which a layer of one name is of different kinds.

    Args:
        old: The one.
        new: The other.
        names: What the caller calls them.

    Raises:
        InputError: If a layer is; what does nothing in evaluation mode may differ.
    """
    second = dict(new.named_modules())
    for name, layer in old.named_modules():
        twin = second.get(name)
        if twin is None or any(True for _ in layer.children()) or isinstance(layer, _SILENT):
            continue
        if type(layer).__name__ != type(twin).__name__ and not isinstance(twin, _SILENT):
            raise InputError(
                f"layer {name!r} is a {type(layer).__name__} in {names[0]} but a {type(twin).__name__} in {names[1]}; "
                f"weights can only be averaged within one architecture"
            )


def _same_tensor(name: str, old: Tensor, new: Tensor, head: Head, names: tuple[str, str]) -> None:
    if name not in head.names and old.shape != new.shape:
        raise InputError(
            f"{name!r} has shape {tuple(old.shape)} in {names[0]} but {tuple(new.shape)} in {names[1]}; both must be "
            f"the same architecture (where only the classes of the head differ, pass class_map)"
        )
    if old.dtype != new.dtype:
        raise InputError(
            f"{name!r} is {old.dtype} in {names[0]} but {new.dtype} in {names[1]}; convert one model with "
            f"model.to(dtype)"
        )
    if not averageable(old):
        table = old.dim() > 0 and name not in head.names
        if table and not torch.equal(old, new.to(old.device)):
            raise InputError(
                f"{name!r} is a table of {old.dtype} that differs between {names[0]} and {names[1]}; there is no "
                f"average of such numbers: give both models the same table, or the weights before quantisation"
            )
    elif isinstance(old, nn.Parameter):
        for tensor, model in ((old, names[0]), (new, names[1])):
            if not torch.isfinite(tensor).all():
                raise InputError(f"{name!r} of {model} holds NaN or infinity; train the model again or mend its file")


def averageable(tensor: Tensor) -> bool:
    """Say whether a tensor holds numbers of which there is an average.

    Args:
        tensor: The tensor.

    Returns:
        Whether they are floating-point or complex.
    """
    return tensor.is_floating_point() or tensor.is_complex()


def _ties(tensors: Mapping[str, Tensor]) -> list[list[str]]:
    groups: dict[int, list[str]] = {}
    for name, tensor in tensors.items():
        groups.setdefault(id(tensor), []).append(name)
    return [group for group in groups.values() if len(group) > 1]


def _some(names: list[str]) -> str:
    return ", ".join(map(repr, names[:3])) + (", ..." if len(names) > 3 else "")
