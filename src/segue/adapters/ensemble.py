"""The mean direction of several maps' results."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segue.adapters.base import Adapter
from segue.adapters.directions import directions
from segue.adapters.wrapped import restored, shapes_under, state_under
from segue.errors import InputError


class Ensemble(Adapter):
    r"""Map by several adapters and take the mean of the directions they give.

    .. math:: y \propto \sum_k \frac{f_k(x)}{\|f_k(x)\|}

    Maps of different kinds err differently, and what they agree on remains (ensemble averaging; Perrone and Cooper,
    1993). Vectors are of length 1. It costs what its members cost together.

    Args:
        adapters: The maps, which are copied and then fitted; what was passed stays as it is.

    Attributes:
        members: The fitted copies.

    Example:
        >>> from segue.adapters import Procrustes, Ridge
        >>> old, new = [[1.0, 0.0], [0.0, 1.0]], [[0.0, 1.0], [1.0, 0.0]]
        >>> maps = [Procrustes(center=False), Ridge(strength=0, center=False)]
        >>> Ensemble(adapters=maps).fit(old, new).transform([[1.0, 0.0]]).round(4).tolist()
        [[0.0, 1.0]]
    """

    members: tuple[Adapter, ...]
    unit = True

    def __init__(self, *, adapters: Sequence[Adapter]) -> None:
        self.adapters = adapters

    @property
    def needs_labels(self) -> bool:
        """Whether one of its members does."""
        return any(adapter.needs_labels for adapter in self.adapters if isinstance(adapter, Adapter))

    def _check(self) -> None:
        if not isinstance(self.adapters, (list, tuple)) or not self.adapters:
            raise InputError("adapters is no list of adapters; pass at least one, such as [Ridge(), KernelRidge()]")
        for place, adapter in enumerate(self.adapters):
            if not isinstance(adapter, Adapter):
                raise InputError(f"adapters[{place}] is a {type(adapter).__name__}; pass an adapter such as Ridge()")
            if not adapter.unit:
                raise InputError(
                    f"adapters[{place}] has unit=False, but a mean of directions needs them; pass unit=True"
                )

    def _fit(self, source: NDArray[np.float32], target: NDArray[np.float32]) -> None:
        self.members = tuple(adapter.unfitted().fit_labelled(source, target, self._labels) for adapter in self.adapters)

    def _map(self, source: NDArray[np.float32]) -> NDArray[np.floating[Any]]:
        return _sum_of_directions(member._map(source) for member in self.members)

    def _map_near(self, source: NDArray[np.float32], near: NDArray[np.float32]) -> NDArray[np.floating[Any]]:
        return _sum_of_directions(member._map_near(source, near) for member in self.members)

    def _shapes(self) -> dict[str, tuple[int, ...]]:
        shapes: dict[str, tuple[int, ...]] = {}
        for place, member in enumerate(self.members):
            shapes |= shapes_under(f"adapters.{place}", member)
        return shapes

    def _state(self) -> dict[str, NDArray[Any]]:
        state: dict[str, NDArray[Any]] = {}
        for place, member in enumerate(self.members):
            state |= state_under(f"adapters.{place}", member)
        return state

    def _restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        strange = [
            name for name in state if name.split(".")[1:2] not in [[str(at)] for at in range(len(self.adapters))]
        ]
        if strange:
            raise ValueError(f"it holds {strange[0]}, which belongs to none of the adapters")
        self.members = tuple(
            restored(adapter, self, f"adapters.{place}", state) for place, adapter in enumerate(self.adapters)
        )

    def _words(self) -> str:
        return f"Takes the mean direction of {len(self.adapters)} maps: {', '.join(map(repr, self.adapters))}."


def _sum_of_directions(results: Iterable[NDArray[Any]]) -> NDArray[np.float64]:
    return np.asarray(np.sum([directions(rows) for rows in results], axis=0, dtype=np.float64))
