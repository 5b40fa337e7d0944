"""A map that also draws each vector to the classes it seems to be of, where the pairs have labels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import softmax

from segue.adapters.base import Adapter
from segue.adapters.calibration import read_labels, refuse_one_class
from segue.adapters.directions import directions
from segue.adapters.learned import sound
from segue.adapters.ranges import above_zero, share
from segue.adapters.wrapped import restored, shapes_under, state_under
from segue.errors import InputError

OWN = ("discriminants", "thresholds", "offsets")


class ClassAware(Adapter):
    r"""Map by another adapter, and draw each result to the classes that its vector seems to be of.

    .. math:: y \propto \frac{f(x)}{\|f(x)\|} + a \sum_c p_c(x) \, (m_c - \bar m)

    f is the other map, :math:`m_c` the mean of the target's vectors of class c, :math:`\bar m` the mean of all
    :math:`m_c`, and :math:`p_c(x)` the probability of the class by linear discriminant analysis of the source's vectors
    (Fisher, 1936), whose covariance is shrunk towards a sphere (Friedman, 1989). What f blurs, the neighbourhood of
    items of a class, is drawn together again: a search for items of the same label gains, and finding one certain item
    among those of its class may lose. The combination is our own.

    Made for labels that return, such as topics, categories or persons: items of a class that no pair is of are drawn
    to classes that they are not of. Whether it helps is measured: :func:`segue.adapters.fit_best` tries it where
    labels are passed. Vectors are of length 1.

    Args:
        adapter: The map, which is copied and then fitted; what was passed stays as it is.
        amount: :math:`a`, above 0. A stored gallery that is mapped keeps more of itself with about 0.5; queries do best
            with 2 and more.
        shrinkage: How far the covariance is shrunk, from 0 to 1.

    Attributes:
        mapping: The fitted copy of the adapter.
        discriminants: Directions of the classes in the source's space, ``(d_source, classes)``.
        thresholds: What is added to the classes' scores, ``(classes,)``.
        offsets: :math:`m_c - \bar m`, ``(classes, d_target)``.

    Example:
        A rotation alone leaves the second query nearer to the wrong axis.

        >>> from segue.adapters import Procrustes
        >>> new = [[1.0, 0.1], [1.0, -0.1], [0.1, 1.0], [-0.1, 1.0]]
        >>> adapter = ClassAware(adapter=Procrustes(center=False), amount=2.0).fit(new, new, labels=[0, 0, 1, 1])
        >>> mapped = adapter.transform([[1.0, 0.9], [0.9, 1.0]])
        >>> bool((mapped[0] @ mapped[1]) < 0.1)  # they were 3 degrees apart
        True
    """

    mapping: Adapter
    discriminants: NDArray[np.float32]
    thresholds: NDArray[np.float32]
    offsets: NDArray[np.float32]
    unit = True

    def __init__(self, *, adapter: Adapter, amount: float = 1.0, shrinkage: float = 0.1) -> None:
        self.adapter = adapter
        self.amount = amount
        self.shrinkage = shrinkage

    @property
    def needs_labels(self) -> bool:
        """It does."""
        return True

    def fit(self, source: ArrayLike, target: ArrayLike, *, labels: ArrayLike | None = None) -> Self:
        """Learn the map and the classes from pairs.

        Args:
            source: Vectors of the items as the one model embeds them, ``(n, d_source)``.
            target: The same items in the same order as the other model embeds them, ``(n, d_target)``.
            labels: The class of each pair, ``(n,)`` integers or strings, at least two classes.

        Returns:
            The same object, fitted.

        Raises:
            InputError: As for :meth:`segue.adapters.base.Adapter.fit`, and if there are no labels, they do not fit the
                pairs, or are all of one class.
        """
        self._forget()
        labels = self._labels if labels is None else labels
        if labels is None:
            raise InputError(
                "ClassAware learns from labels; pass fit(source, target, labels=...), or fit_labelled() of a map "
                "around it"
            )
        classes = read_labels(labels, len(self._read_rows(source, "source")), "labels", "source")
        refuse_one_class(classes, "labels")
        self._labels = classes
        try:
            return super().fit(source, target)
        finally:
            self._labels = None

    def _check(self) -> None:
        above_zero(self.amount, "amount")
        share(self.shrinkage, "shrinkage")
        if not isinstance(self.adapter, Adapter):
            raise InputError(f"adapter is a {type(self.adapter).__name__}; pass an adapter such as KernelRidge()")
        if not self.adapter.unit:
            raise InputError("adapter has unit=False, but classes are added to directions; pass unit=True")

    def _fit(self, source: NDArray[np.float32], target: NDArray[np.float32]) -> None:
        assert self._labels is not None
        self.mapping = self.adapter.unfitted().fit_labelled(source, target, self._labels)
        _, owner = np.unique(self._labels, return_inverse=True)
        counts = np.bincount(owner)
        means = _class_means(source, owner, counts)
        weights = np.linalg.pinv(_shrunk_covariance(source - means[owner], self.shrinkage), hermitian=True) @ means.T
        thresholds = np.log(counts / len(owner)) - 0.5 * np.einsum("cd,dc->c", means, weights)
        centres = _class_means(target, owner, counts)
        self.discriminants, self.thresholds = weights.astype(np.float32), thresholds.astype(np.float32)
        self.offsets = (centres - centres.mean(axis=0)).astype(np.float32)

    def _map(self, source: NDArray[np.float32]) -> NDArray[np.floating[Any]]:
        return self._drawn(self.mapping._map(source), source)

    def _map_near(self, source: NDArray[np.float32], near: NDArray[np.float32]) -> NDArray[np.floating[Any]]:
        return self._drawn(self.mapping._map_near(source, near), source)

    def _drawn(self, mapped: NDArray[np.floating[Any]], source: NDArray[np.float32]) -> NDArray[np.float64]:
        chances = softmax(source.astype(np.float64) @ self.discriminants + self.thresholds, axis=1)
        return np.asarray(directions(mapped) + self.amount * (chances @ self.offsets))

    def _shapes(self) -> dict[str, tuple[int, ...]]:
        classes = len(self.thresholds)
        own = {
            "discriminants": (self.source_dimension, classes),
            "thresholds": (classes,),
            "offsets": (classes, self.target_dimension),
        }
        return own | shapes_under("adapter", self.mapping)

    def _state(self) -> dict[str, NDArray[Any]]:
        return {name: getattr(self, name) for name in OWN} | state_under("adapter", self.mapping)

    def _restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        missing = [name for name in OWN if name not in state]
        if missing:
            raise ValueError(f"it holds no {missing[0]}")
        self.thresholds = sound("thresholds", state["thresholds"], (len(state["thresholds"]),))
        self.mapping = restored(self.adapter, self, "adapter", state)
        shapes = self._shapes()
        strange = [name for name in state if name not in shapes]
        if strange:
            raise ValueError(f"it holds {strange[0]}, which belongs to none of its parts")
        for name in ("discriminants", "offsets"):
            setattr(self, name, sound(name, state[name], shapes[name]))

    def _words(self) -> str:
        return f"Maps by {self.adapter!r} and draws each result to the classes that it seems to be of."


def _class_means(rows: NDArray[np.float32], owner: NDArray[np.int64], counts: NDArray[np.int64]) -> NDArray[np.float64]:
    sums = np.zeros((len(counts), rows.shape[1]))
    np.add.at(sums, owner, rows)
    return sums / counts[:, None]


def _shrunk_covariance(residuals: NDArray[np.float64], shrinkage: float) -> NDArray[np.float64]:
    dimension = residuals.shape[1]
    covariance = residuals.T @ residuals / len(residuals)
    return np.asarray((1 - shrinkage) * covariance + shrinkage * np.trace(covariance) / dimension * np.eye(dimension))
