"""Adapters within adapters: what each has learned, under a name of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from segue.adapters.base import Adapter


def state_under(name: str, member: Adapter) -> dict[str, NDArray[Any]]:
    """Return what a member has learned, under names that begin with its own.

    Args:
        name: The member's name.
        member: The fitted member.

    Returns:
        Arrays by name.
    """
    return {f"{name}.{inner}": array for inner, array in member._state().items()}


def shapes_under(name: str, member: Adapter) -> dict[str, tuple[int, ...]]:
    """Return the shapes of what a member has learned, under names that begin with its own.

    Args:
        name: The member's name.
        member: The fitted member.

    Returns:
        Shapes by name.
    """
    return {f"{name}.{inner}": shape for inner, shape in member._shapes().items()}


def restored(adapter: Adapter, whole: Adapter, name: str, state: Mapping[str, NDArray[Any]]) -> Adapter:
    """Return a member of an adapter that is read from disk.

    Args:
        adapter: The member, unfitted.
        whole: What it is a member of, whose dimensions are known.
        name: The member's name.
        state: Everything that was kept of the whole.

    Returns:
        The member, fitted; a ``ValueError`` says that what was kept does not fit.
    """
    member, prefix = adapter.unfitted(), f"{name}."
    member.source_dimension, member.target_dimension = whole.source_dimension, whole.target_dimension
    member.pairs = whole.pairs
    member._restore({inner.removeprefix(prefix): array for inner, array in state.items() if inner.startswith(prefix)})
    return member
