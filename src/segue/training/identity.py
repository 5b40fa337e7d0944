"""What makes a model the same model and a loss the same loss: classes, settings and numbers, not names or addresses."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

# What every module has of its own; all else in it was put there by whoever wrote its class. A frozen one has another
# train() of its own.
_OF_EVERY_MODULE = frozenset(vars(nn.Module())) | {"train"}


def digest_of(thing: Any) -> str:
    """Return a short hash of what a model, a loss, a tensor or a setting is.

    Modules are told apart by their classes, their settings (numbers, strings and truth values) and their tensors,
    functions by their name and what is bound to them. Two equal things of two processes have equal hashes.

    Args:
        thing: A module, a function, an array, a number, a string, or a list or mapping of such.

    Returns:
        16 hexadecimal digits.

    Example:
        >>> digest_of(nn.Dropout(0.1)) == digest_of(nn.Dropout(0.1)), digest_of(nn.Dropout(0.1)) == digest_of(nn.Tanh())
        (True, False)
        >>> digest_of(nn.Dropout(0.1)) == digest_of(nn.Dropout(0.2))
        False
    """
    digest = hashlib.blake2b(digest_size=8)
    for part in _parts(thing):
        digest.update(part)
    return digest.hexdigest()


def settings_of(thing: Any, depth: int = 3) -> dict[str, Any]:
    """Return the settings of an object: its attributes that are numbers, strings, functions, arrays or of such made.

    Args:
        thing: The object; of a module, only what its class has beyond every module.
        depth: How deep objects within objects are looked into.

    Returns:
        The settings by name, in alphabetical order; functions by their names, arrays and tensors as hashes.

    Example:
        >>> settings_of(nn.Dropout(0.1))
        {'inplace': False, 'p': 0.1}
    """
    found = {name: value for name, value in getattr(thing, "__dict__", {}).items() if name not in _OF_EVERY_MODULE}
    if dataclasses.is_dataclass(thing):  # one with slots has no __dict__
        found |= {field.name: getattr(thing, field.name) for field in dataclasses.fields(thing)}
    return {name: _told(found[name], depth) for name in sorted(found)}


def _told(value: Any, depth: int) -> Any:
    if value is None or isinstance(value, bool | int | float | complex | str | bytes | torch.dtype | torch.device):
        return value
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Tensor | np.ndarray):
        return digest_of(value)
    if isinstance(value, Mapping):
        return {str(name): _told(part, depth) for name, part in value.items()}
    if isinstance(value, tuple | list):
        return [_told(part, depth) for part in value]
    if isinstance(value, set | frozenset):
        return sorted(repr(_told(part, depth)) for part in value)
    if isinstance(value, functools.partial):
        return ["partial", *(_told(part, depth) for part in (value.func, value.args, value.keywords))]
    if hasattr(value, "__qualname__"):  # functions, methods and classes
        return f"{value.__module__}.{value.__qualname__}"
    name = f"{type(value).__module__}.{type(value).__qualname__}"
    # Modules within modules are met by themselves; those hidden in other objects count by their class.
    return [name, settings_of(value, depth - 1)] if depth and not isinstance(value, nn.Module) else name


def _parts(thing: Any) -> Iterator[bytes | memoryview]:
    if isinstance(thing, Tensor):
        plain = thing.detach().cpu().contiguous()
        yield f"{plain.dtype}{tuple(plain.shape)}".encode()
        yield plain.flatten().view(torch.uint8).numpy().data
    elif isinstance(thing, np.ndarray):
        yield f"{thing.dtype}{thing.shape}".encode()
        yield thing.tobytes()
    elif isinstance(thing, nn.Module):
        for name, module in thing.named_modules():
            yield f"{name}:{type(module).__module__}.{type(module).__qualname__}{settings_of(module)}".encode()
        for name, tensor in [*thing.named_parameters(), *thing.named_buffers()]:
            yield name.encode()
            yield from _parts(tensor)
    else:
        yield repr(_told(thing, 3)).encode()
