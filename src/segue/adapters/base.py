"""What all adapters share: pairs in, a map out, blocks of a gallery through it, a folder to keep it in."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segue.adapters.learned import sound
from segue.adapters.pairs import as_floats, read_pairs, read_vectors
from segue.adapters.parameters import Parameters
from segue.errors import InputError
from segue.flips.checks import counted
from segue.retrieval.scores import in_range
from segue.retrieval.vectors import SLAB, Vectors, blocks


class Adapter(Parameters, ABC):
    """A map from one embedding space to another, learned from items that both models have embedded.

    ``fit(new, old)`` on the vectors of both models makes a map for new queries that search the old gallery as it is;
    ``fit(old, new)`` makes one for the old gallery, which moves into the new space without its items being embedded
    again.

    A subclass writes ``_fit`` (learn from clean arrays, keep what was learned as 32-bit arrays under the names of
    ``_shapes``), ``_shapes`` and ``_map``; where what was learned is no plain array, ``_state`` and ``_restore`` too.

    Args:
        unit: Whether rows of source and target are brought to length 1 before anything else, and what ``transform``
            returns too, as a search by cosine does. False for inner products and distances, where lengths count.

    Attributes:
        source_dimension: Numbers of a vector of the source, once fitted.
        target_dimension: Numbers of a vector of the target, once fitted.
        pairs: How many pairs it was fitted on, once fitted.
    """

    unit: bool
    _labels: ArrayLike | None = None
    source_dimension: int
    target_dimension: int
    pairs: int

    def __init__(self, *, unit: bool = True) -> None:
        self.unit = unit

    @property
    def fitted(self) -> bool:
        """Whether it has learned a map."""
        return hasattr(self, "pairs")

    @property
    def needs_labels(self) -> bool:
        """Whether ``fit`` has to be told the class of each pair: ``fit(source, target, labels=...)``."""
        return False

    def fit(self, source: ArrayLike, target: ArrayLike) -> Self:
        """Learn the map from pairs.

        Args:
            source: Vectors of the items as the one model embeds them, ``(n, d_source)``.
            target: The same items in the same order as the other model embeds them, ``(n, d_target)``.

        Returns:
            The same object, fitted.

        Raises:
            InputError: If a hyper-parameter is out of range, or something is wrong with the vectors: NaN or infinite
                numbers, zeros (where ``unit``), different numbers of rows, fewer than two, all rows the same. It is not
                fitted then.
        """
        self._forget()  # a fit that fails leaves it not fitted
        self._check_unit()
        self._check()
        one, other = read_pairs(source, target, self.unit, self._without_unit)
        with np.errstate(over="ignore"):
            self._fit(one, other)
        self._fitted_on(one, other)
        return self

    def fit_labelled(self, source: ArrayLike, target: ArrayLike, labels: ArrayLike | None) -> Self:
        """Learn the map from pairs whose classes may be known: by ``fit``, with the labels if the map needs them.

        Args:
            source: Vectors of the items as the one model embeds them, ``(n, d_source)``.
            target: The same items in the same order as the other model embeds them, ``(n, d_target)``.
            labels: The class of each pair, ``(n,)``, or ``None``; a map that does not need them does not look at them.

        Returns:
            The same object, fitted.

        Raises:
            InputError: As for ``fit``.
        """
        self._labels = labels
        try:
            return self.fit(source, target)
        finally:
            self._labels = None

    def transform(self, source: ArrayLike, *, out: NDArray[Any] | None = None) -> NDArray[Any]:
        """Map vectors into the target's space, by blocks: a memory-mapped gallery is never copied whole.

        Args:
            source: Vectors of the source's model, ``(n, d_source)``.
            out: Where to write, ``(n, d_target)`` of a floating-point type, such as a writable memory map; it may be
                ``source`` itself where dimensions agree. A new array by default.

        Returns:
            The mapped vectors, ``(n, d_target)``, 32-bit floats: ``out``, where it was given. Of length 1, if ``unit``.

        Raises:
            InputError: If it is not fitted, something is wrong with the vectors, or a row has no place in the target's
                space; then ``out`` may have been written in part.
        """
        self._need_fit()
        vectors = self._read_rows(source, "source")
        if vectors.dimension != self.source_dimension:
            raise InputError(
                f"source has {counted(vectors.dimension, 'dimension')}, but this {type(self).__name__} was fitted on "
                f"vectors of {self.source_dimension:,}; pass vectors of the model it was fitted on"
            )
        mapped = self._space(out, len(vectors))
        for start, block in blocks(vectors.values, max(1, SLAB // max(self.source_dimension, self.target_dimension))):
            rows = self._map(as_floats(block, self.unit)).astype(np.float64, copy=False)
            mapped[start : start + len(rows)] = self._finished(rows, start, mapped.dtype)
        return mapped

    def describe(self) -> str:
        """Say in a sentence or two what it does and what it was fitted on.

        Returns:
            Plain words.
        """
        if not self.fitted:
            return f"{self._words()} Not fitted yet."
        return (
            f"{self._words()} Fitted on {counted(self.pairs, 'pair')}, "
            f"from {counted(self.source_dimension, 'dimension')} to {self.target_dimension:,}."
        )

    def save_pretrained(self, folder: str | os.PathLike[str]) -> None:
        """Keep it in a folder: ``config.json`` for what it is, ``adapter.safetensors`` for what it has learned.

        Args:
            folder: A new or empty folder, or one that holds an adapter, which is replaced.

        Raises:
            InputError: If it is not fitted, the folder holds something else, or it can't be written.
        """
        from segue.adapters.saved import save

        self._need_fit()
        save(self, folder)

    @classmethod
    def from_pretrained(cls, folder: str | os.PathLike[str]) -> Self:
        """Read an adapter from its folder; nothing in it is executed.

        Args:
            folder: Where ``save_pretrained`` wrote it.

        Returns:
            The adapter, fitted. ``Adapter.from_pretrained`` reads any kind.

        Raises:
            InputError: If there is none, it is of another kind than the class it is read with, or it is damaged.
        """
        from segue.adapters.saved import load

        return load(folder, cls)

    @abstractmethod
    def _fit(self, source: NDArray[np.float32], target: NDArray[np.float32]) -> None:
        """Learn from clean rows, ``(n, d_source)`` and ``(n, d_target)``; of length 1, if ``unit``."""

    @abstractmethod
    def _map(self, source: NDArray[np.float32]) -> NDArray[np.floating[Any]]:
        """Map clean rows, ``(m, d_source)`` to ``(m, d_target)``; the base brings them to length 1."""

    def _map_near(self, source: NDArray[np.float32], near: NDArray[np.float32]) -> NDArray[np.floating[Any]]:
        """Map clean rows, knowing the same items' vectors of the target's model, ``(m, d_target)``.

        For where the other encoder can be run as well (:class:`~segue.adapters.spherical.Slerp`); most maps have no use
        for it.

        Args:
            source: Clean rows, ``(m, d_source)``.
            near: The other model's, ``(m, d_target)``.

        Returns:
            As ``_map``.
        """
        return self._map(source)

    @abstractmethod
    def _words(self) -> str:
        """Say in one sentence, with a full stop, what the map does."""

    @abstractmethod
    def _shapes(self) -> dict[str, tuple[int, ...]]:
        """Return the names of the arrays that were learned and their shapes, given dimensions and parameters."""

    def _forget(self) -> None:
        vars(self).pop("pairs", None)

    def _check_unit(self) -> None:
        if not isinstance(self.unit, bool | np.bool_):
            raise InputError(f"unit is {self.unit!r}; pass True for directions or False where lengths count")

    def _check(self) -> None:
        """Refuse hyper-parameters that make no sense, before the data are looked at."""

    def _state(self) -> dict[str, NDArray[Any]]:
        """Return what was learned, to be written to disk: plain arrays by name."""
        return {name: getattr(self, name) for name in self._shapes()}

    def _restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Take what was learned from disk.

        Args:
            state: What ``_state`` returned.

        Raises:
            ValueError: If it does not fit.
        """
        shapes = self._shapes()
        if state.keys() != shapes.keys():
            raise ValueError(f"it holds {', '.join(sorted(state)) or 'nothing'} in place of {', '.join(shapes)}")
        for name, shape in shapes.items():
            setattr(self, name, sound(name, state[name], shape))

    def _fitted_on(self, source: NDArray[np.float32], target: NDArray[np.float32]) -> None:
        self.source_dimension, self.target_dimension = source.shape[1], target.shape[1]
        if not all(np.isfinite(array).all() for array in self._state().values()):
            raise InputError(
                "source and target differ so much in scale that the map between them does not fit 32-bit numbers; "
                "divide one of them by a common number"
            )
        self.pairs = len(source)

    def _need_fit(self) -> None:
        if not self.fitted:
            raise InputError(
                f"this {type(self).__name__} is not fitted; call fit(source, target) first, or read a fitted one with "
                f"from_pretrained(folder)"
            )

    def _read_rows(self, values: ArrayLike, name: str) -> Vectors:
        return read_vectors(values, name, self.unit, self._without_unit)

    @property
    def _without_unit(self) -> str:
        return "fit with unit=False" if "unit" in self._parameter_names() else ""

    def _space(self, out: NDArray[Any] | None, rows: int) -> NDArray[Any]:
        shape = (rows, self.target_dimension)
        if out is None:
            return np.empty(shape, dtype=np.float32)
        if not isinstance(out, np.ndarray) or out.shape != shape or out.dtype.kind != "f" or not out.flags.writeable:
            told = f"{out.shape} {out.dtype}" if isinstance(out, np.ndarray) else type(out).__name__
            raise InputError(f"out is {told}; pass a writable array of shape {shape} and a floating-point type")
        return out

    def _finished(self, rows: NDArray[np.float64], start: int, dtype: np.dtype[Any]) -> NDArray[np.float64]:
        held = (np.abs(rows) <= np.finfo(np.float64 if self.unit else dtype).max).all(axis=1)
        if not held.all():
            raise InputError(
                f"source row {start + int(held.argmin())} is mapped to numbers beyond what {dtype} can hold; pass "
                f"vectors of the scale that this {type(self).__name__} was fitted on"
            )
        if not self.unit:
            return rows
        directed = rows.any(axis=1)
        if not directed.all():
            raise InputError(
                f"source row {start + int(directed.argmin())} is mapped to a zero vector by {type(self).__name__}, "
                f"which has no direction; fit on more pairs, or embed this item with the target's model"
            )
        rows = in_range(rows)
        return np.asarray(rows / np.sqrt(np.einsum("nd,nd->n", rows, rows))[:, None])
