"""Held-out searches through a map: each pair's query goes through a map that was fitted without the pair."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from segue.adapters.base import Adapter
from segue.adapters.spherical import Slerp
from segue.retrieval import Relevance, search
from segue.retrieval.measures import query_values

Side = Literal["queries", "gallery"]
Vectors = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Trial:
    """What maps are tried on.

    Without ``gallery``, the held-out pairs of a fold are each other's gallery, each without itself and its copies.

    Attributes:
        old: The pairs as the old model embeds them, ``(n, d_old)``.
        new: The same items as the new model does, ``(n, d_new)``.
        side: What is mapped: ``"queries"`` (new queries into the old space) or ``"gallery"`` (old vectors into the new
            space).
        folds: Rows of the pairs, each in one fold.
        measure: Quality of a search by name, such as ``cmc@1``.
        labels: Label of each pair, ``(n,)``; ``None`` where relevant is what the new model finds nearest.
        gallery: Stored vectors of the old model to be searched, ``(m, d_old)``; ``None`` for the pairs themselves.
        gallery_labels: Their labels, ``(m,)``.
        both_encoders: Whether a query is embedded by the old model, too.
        copies: Numbers of the pairs, ``(n,)``, the same for pairs that are the same in everything; ``None`` where none
            are.
    """

    old: Vectors
    new: Vectors
    side: Side
    folds: tuple[NDArray[np.int64], ...]
    measure: str
    labels: NDArray[Any] | None
    gallery: Vectors | None
    gallery_labels: NDArray[Any] | None
    both_encoders: bool
    copies: NDArray[np.int64] | None = None

    @property
    def searched(self) -> int:
        """How many items a query searches, at least."""
        return len(self.gallery) if self.gallery is not None else self.fewest - 1

    @property
    def fewest(self) -> int:
        """How many different pairs a fold holds, at least."""
        return min(len(self._searched(fold)[0]) for fold in self.folds)

    def of_old(self) -> NDArray[np.float64]:
        """Return the quality of old queries on the old gallery, ``(n,)``; NaN where nothing is relevant."""
        return self._each(lambda fold: (self.old[fold], self._stored(fold)))

    def of_new(self) -> NDArray[np.float64] | None:
        """Return that of new queries on the new gallery, ``(n,)``; ``None`` where it is not embedded by the new one."""
        if self.gallery is not None:
            return None
        return self._each(lambda fold: (self.new[fold], self.new[self._searched(fold)[0]]))

    def of(self, adapter: Adapter, share: float = 1.0) -> NDArray[np.float64]:
        """Return that of new queries on the old gallery through a map.

        Args:
            adapter: The map, unfitted.
            share: The share of the pairs outside a fold that the map is fitted on.

        Returns:
            ``(n,)``.
        """

        def sides(fold: NDArray[np.int64]) -> tuple[Vectors, Vectors]:
            rest = np.setdiff1d(np.arange(len(self.old)), fold)
            rest = rest[np.random.default_rng(0).permutation(len(rest))[: max(2, round(share * len(rest)))]]
            fitted = self.fitted(adapter, rest)
            if self.side == "gallery":
                return self.new[fold], fitted.transform(self._stored(fold))
            if self.both_encoders and isinstance(fitted, Slerp):
                return fitted.blend(self.new[fold], self.old[fold]), self._stored(fold)
            return fitted.transform(self.new[fold]), self._stored(fold)

        return self._each(sides)

    def fitted(self, adapter: Adapter, rows: NDArray[np.int64] | None = None) -> Adapter:
        """Fit a map.

        Args:
            adapter: The map.
            rows: The pairs to fit on; all by default.

        Returns:
            A fitted copy.
        """
        old, new = (self.old, self.new) if rows is None else (self.old[rows], self.new[rows])
        source, target = (old, new) if self.side == "gallery" else (new, old)
        labels = self.labels if rows is None or self.labels is None else self.labels[rows]
        return adapter.unfitted().fit_labelled(source, target, labels)

    def _stored(self, fold: NDArray[np.int64]) -> Vectors:
        return self.old[self._searched(fold)[0]] if self.gallery is None else self.gallery

    def _searched(self, fold: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        # the pairs that the fold's queries search, each once, and the place of each query's own among them
        if self.copies is None:
            return fold, np.arange(len(fold))
        first, own = np.unique(self.copies[fold], return_index=True, return_inverse=True)[1:]
        return fold[first], own

    def _relevance(self, fold: NDArray[np.int64]) -> Relevance:
        if self.labels is not None and self.gallery_labels is not None:
            return Relevance.from_labels(self.labels[fold], self.gallery_labels)
        items, own = self._searched(fold)
        if self.labels is not None:
            return Relevance.from_labels(self.labels[fold], self.labels[items], exclude=own)
        nearest = search(self.new[fold], self.new[items], k=1, exclude=own).rows[:, 0]
        wanted = {str(query): {str(item): 1} for query, item in enumerate(nearest)}
        queries, gallery = ([str(row) for row in range(len(rows))] for rows in (fold, items))
        return Relevance.from_qrels(wanted, queries, gallery, exclude=own)

    def _each(self, sides: Callable[[NDArray[np.int64]], tuple[Vectors, Vectors]]) -> NDArray[np.float64]:
        values = np.empty(len(self.old))
        for fold in self.folds:
            queries, gallery = sides(fold)
            values[fold] = query_values(self.measure, queries, gallery, self._relevance(fold))
        return values
