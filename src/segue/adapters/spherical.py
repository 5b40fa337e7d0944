"""Spherical interpolation of the old query and the mapped new one (Shoemake, 1985)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segue.adapters.base import Adapter
from segue.adapters.pairs import as_floats, read_vectors
from segue.adapters.ranges import share
from segue.adapters.wrapped import restored, shapes_under, state_under
from segue.errors import InputError
from segue.retrieval.scores import unit as to_length_one
from segue.retrieval.vectors import SLAB, blocks

# Nearer than this, the way is straight to within 32 bits; nearer to opposite, it can't be told where it goes.
SMALL = 1e-6


def slerp(old: ArrayLike, mapped: ArrayLike, amount: float) -> NDArray[np.float32]:
    r"""Go along the great circle from each old vector towards the mapped one.

    .. math::
        \frac{\sin((1 - a) \theta)}{\sin \theta} \, u + \frac{\sin(a \theta)}{\sin \theta} \, v, \quad
        \cos \theta = u \cdot v

    (Shoemake, SIGGRAPH 1985, section 3.3.) The vectors are brought to length 1 first.

    Args:
        old: Vectors of the old model, ``(n, d)``.
        mapped: Vectors of the same items that an adapter has mapped into the old space, ``(n, d)``.
        amount: How far to go, :math:`a`: 0 stays at the old vector, 1 arrives at the mapped one.

    Returns:
        Vectors of length 1, ``(n, d)``.

    Raises:
        InputError: If the amount is not between 0 and 1, shapes differ, a row is NaN, infinite or zero, or two rows
            point in opposite directions, between which there is no shortest way.

    Example:
        >>> slerp([[1.0, 0.0]], [[0.0, 2.0]], 1 / 3).round(6).tolist()  # a third of a right angle: 30 degrees
        [[0.8660249710083008, 0.5]]
    """
    share(amount, "amount")
    one, other = read_vectors(old, "old", unit=True), read_vectors(mapped, "mapped", unit=True)
    if one.values.shape != other.values.shape:
        raise InputError(
            f"old has shape {one.values.shape} and mapped has {other.values.shape}; pass two vectors of one space for "
            f"each item"
        )
    between = np.empty(one.values.shape, dtype=np.float32)
    for start, block in blocks(one.values, max(1, SLAB // one.dimension)):
        begin = to_length_one(block.astype(np.float64))
        end = to_length_one(other.values[start : start + len(block)].astype(np.float64))
        between[start : start + len(block)] = _between(begin, end, amount, start)
    return between


def _between(begin: NDArray[np.float64], end: NDArray[np.float64], amount: float, start: int) -> NDArray[np.float64]:
    # the arc tangent of half the angle is exact at 0 and at 180 degrees, where the arc cosine is not
    apart, together = np.linalg.norm(begin - end, axis=1), np.linalg.norm(begin + end, axis=1)
    opposite = together < SMALL
    if opposite.any() and 0 < amount < 1:
        raise InputError(
            f"row {start + int(opposite.argmax())} of old and of mapped point in opposite directions, between which "
            f"there is no shortest way; pass amount=0 or amount=1, or another adapter"
        )
    if amount in {0, 1}:
        return end if amount else begin
    angle = 2 * np.arctan2(apart, together)
    straight = apart < SMALL
    sine = np.where(straight, 1.0, np.sin(angle))
    first = np.where(straight, 1 - amount, np.sin((1 - amount) * angle) / sine)
    second = np.where(straight, amount, np.sin(amount * angle) / sine)
    return to_length_one(first[:, None] * begin + second[:, None] * end)


class Slerp(Adapter):
    """Blend the mapped query with the old one, where both encoders can be run at query time.

    A map alone often does not reach the old model with the old gallery, while a query half way between the old one and
    the mapped one does (Ricci et al., 2026). ``transform`` maps without the old encoder, as the wrapped adapter does;
    ``blend`` takes the old model's vector as well, and so does a wrapped map that can use it
    (:class:`~segue.adapters.kernel_adjoint.KernelAdjoint`). Vectors are of length 1.

    Args:
        adapter: The map from new to old, which is copied and then fitted; what was passed stays as it is.
        amount: How far to go from the old query to the mapped one: 0 is the old query, 1 the mapped one.

    Attributes:
        mapping: The fitted copy of the adapter.

    Example:
        >>> from segue.adapters import Procrustes
        >>> new, old = [[0.0, 1.0], [1.0, 0.0]], [[1.0, 0.0], [0.0, 1.0]]
        >>> adapter = Slerp(adapter=Procrustes(center=False), amount=0.5).fit(new, old)
        >>> adapter.blend([[0.0, 1.0]], old=[[0.0, 1.0]]).round(4).tolist()
        [[0.707099974155426, 0.707099974155426]]
    """

    mapping: Adapter
    unit = True

    def __init__(self, *, adapter: Adapter, amount: float = 0.5) -> None:
        self.adapter = adapter
        self.amount = amount

    @property
    def needs_labels(self) -> bool:
        """Whether the wrapped adapter does."""
        return isinstance(self.adapter, Adapter) and self.adapter.needs_labels

    def blend(self, source: ArrayLike, old: ArrayLike) -> NDArray[np.float32]:
        """Map new queries and blend them with the old ones.

        Args:
            source: The queries as the new model embeds them, ``(n, d_source)``.
            old: The same queries as the old model embeds them, ``(n, d_target)``.

        Returns:
            Queries for the old gallery, ``(n, d_target)``, of length 1.

        Raises:
            InputError: If it is not fitted, something is wrong with the vectors, or they do not fit each other.
        """
        self._need_fit()
        vectors, before = read_vectors(source, "source", unit=True), read_vectors(old, "old", unit=True)
        wanted = (len(vectors), self.target_dimension)
        if vectors.dimension != self.source_dimension or before.values.shape != wanted:
            raise InputError(
                f"source has shape {vectors.values.shape} and old {before.values.shape}, but this Slerp blends vectors "
                f"of {self.source_dimension:,} and {self.target_dimension:,} dimensions; pass the same items in the "
                f"same order, as the new and as the old model embed them"
            )
        between = np.empty(wanted, dtype=np.float32)
        for start, block in blocks(vectors.values, max(1, SLAB // max(self.source_dimension, self.target_dimension))):
            begin = to_length_one(before.values[start : start + len(block)].astype(np.float64))
            mapped = self.mapping._map_near(as_floats(block, unit=True), begin.astype(np.float32))
            end = self._finished(mapped.astype(np.float64), start, between.dtype)
            between[start : start + len(block)] = _between(begin, end, self.amount, start)
        return between

    def _check(self) -> None:
        share(self.amount, "amount")
        if not isinstance(self.adapter, Adapter):
            raise InputError(f"adapter is a {type(self.adapter).__name__}; pass an adapter such as Procrustes()")
        if not self.adapter.unit:
            raise InputError("adapter has unit=False, but a way along the sphere needs directions; pass unit=True")

    def _fit(self, source: NDArray[np.float32], target: NDArray[np.float32]) -> None:
        self.mapping = self.adapter.unfitted().fit_labelled(source, target, self._labels)

    def _map(self, source: NDArray[np.float32]) -> NDArray[np.floating[Any]]:
        return self.mapping._map(source)

    def _shapes(self) -> dict[str, tuple[int, ...]]:
        return shapes_under("adapter", self.mapping)

    def _state(self) -> dict[str, NDArray[Any]]:
        return state_under("adapter", self.mapping)

    def _restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        self.mapping = restored(self.adapter, self, "adapter", state)

    def _words(self) -> str:
        return f"Goes {self.amount:.0%} of the way from the old query to the new one, mapped by {self.adapter!r}."
