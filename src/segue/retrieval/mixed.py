"""Rankings of a gallery of which a part has been re-embedded, for every part at once.

An item's score depends on nothing but its own vector and the query's. So the items that are re-embedded at one step are
searched once as they were and once as they will be, and the ranking after any number of steps is put together from
these: two searches of the gallery in all, whatever the number of steps. Measures that look deep into the ranking of a
small gallery score it as a whole, twice, and count who stands ahead of what is relevant.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from segue.errors import require
from segue.retrieval.full_ranking import all_keys
from segue.retrieval.hits import Hits
from segue.retrieval.judged import Judged, judge
from segue.retrieval.measures import NamedMeasure
from segue.retrieval.order import LAST, first, keys, unpacked
from segue.retrieval.relevance import Relevance
from segue.retrieval.vectors import Metric, Vectors

Keys = NDArray[np.uint64]

# What scoring a proposed pair alone costs, in pairs of a product of matrices (measured: 6 at 64 dimensions).
PAIR_ALONE = 8
# What the exact search proposes beyond what is wanted.
SPARE = 10


@dataclass(frozen=True, eq=False)
class Side:
    """A gallery and the queries that search it.

    Attributes:
        queries: The queries, ``(q, d)``.
        gallery: The gallery, ``(n, d)``.
    """

    queries: Vectors
    gallery: Vectors


@dataclass(frozen=True, eq=False)
class MixedGallery:
    """A gallery that is re-embedded step by step.

    Attributes:
        before: What stands there at the start.
        after: What stands there at the end.
        steps: The gallery rows that are re-embedded in each step, ascending within a step.
        relevance: What is relevant to the queries.
        metric: How vectors are compared.
        memory: Bytes of working memory.
    """

    before: Side
    after: Side
    steps: tuple[NDArray[np.int64], ...]
    relevance: Relevance
    metric: Metric
    memory: int

    @cached_property
    def step_of(self) -> NDArray[np.int64]:
        """The step in which each row is re-embedded, from 0, ``(n,)``."""
        number = np.empty(self.relevance.gallery, dtype=np.int64)
        for step, rows in enumerate(self.steps):
            number[rows] = step
        return number

    def values(self, measure: NamedMeasure) -> NDArray[np.float64]:
        """Measure the rankings after each number of steps.

        Args:
            measure: The measure.

        Returns:
            One value per number of steps and query, ``(steps + 1, q)``; NaN where nothing is relevant.
        """
        queries, steps = len(self.relevance), len(self.steps)
        k = measure.k
        if k is not None and PAIR_ALONE * (k + SPARE) * steps > self.relevance.gallery:
            k = None
        if k is None:
            longest = int(np.diff(self.relevance.starts).max(initial=0))
            needed = 40 * self.relevance.gallery + 64 * longest * (steps + 1)
        else:
            require("faiss", "retrieval", "the search")
            needed = 16 * k * (steps + 8)
        chunk = max(1, self.memory // 2 // needed)
        values = np.empty((steps + 1, queries))
        for start in range(0, queries, chunk):
            rows = np.arange(start, min(start + chunk, queries))
            part = self.relevance.select(rows)
            judged = self._whole(rows, part) if k is None else self._cut(rows, part, k)
            for step, rankings in enumerate(judged):
                values[step, rows] = measure.of(rankings)
        return values

    def _cut(self, rows: NDArray[np.int64], relevance: Relevance, k: int) -> Iterator[Judged]:
        empty = np.full((len(rows), k), LAST, dtype=np.uint64)
        waiting = [empty]
        for step in self.steps[::-1]:
            waiting.append(_merged(waiting[-1], self._nearest(self.before, rows, relevance, step, k)))
        done = empty
        for number, still in enumerate(waiting[::-1]):
            if number:
                done = _merged(done, self._nearest(self.after, rows, relevance, self.steps[number - 1], k))
            yield judge(Hits(*unpacked(_merged(done, still))), relevance)

    def _nearest(
        self, side: Side, rows: NDArray[np.int64], relevance: Relevance, step: NDArray[np.int64], k: int
    ) -> Keys:
        # Keys of the k nearest items of one step, (c, k).
        from segue.retrieval.exact import exact

        held, asked = side.gallery, side.queries
        queries = Vectors(asked.values[rows], asked.name, asked.longest)
        nearest = np.full((len(rows), k), LAST, dtype=np.uint64)
        size = max(1, self.memory // 8 // held.values[:1].nbytes)
        for piece in (step[start : start + size] for start in range(0, len(step), size)):
            place = np.minimum(np.searchsorted(piece, relevance.exclude), len(piece) - 1)
            own = np.where(piece[place] == relevance.exclude, place, -1)
            items = Vectors(held.values[piece], held.name, held.longest)
            found, scores = unpacked(exact(queries, items, min(k, len(piece)), self.metric, own, self.memory // 4))
            nearest = _merged(nearest, np.where(found < 0, LAST, keys(scores, piece[found])))
        return nearest

    def _whole(self, rows: NDArray[np.int64], relevance: Relevance) -> Iterator[Judged]:
        before, after = (
            all_keys(side.queries, rows, side.gallery, relevance, self.metric, self.memory)
            for side in (self.before, self.after)
        )
        times = len(self.steps) + 1
        ranks: list[list[NDArray[np.int64]]] = [[] for _ in range(times)]
        grades: list[list[NDArray[np.float64]]] = [[] for _ in range(times)]
        lengths = []
        for query in range(len(rows)):
            found, graded = relevance.items(query)
            lengths.append(len(found))
            of_query = self._ranks(before[query], after[query], found)
            order = np.argsort(of_query, axis=1)
            for time in range(times):
                ranks[time].append(of_query[time, order[time]])
                grades[time].append(graded[order[time]])
        number = np.repeat(np.arange(len(rows)), lengths)
        for time in range(times):
            yield Judged(number, np.concatenate(ranks[time]), np.concatenate(grades[time]), None, relevance)

    def _ranks(self, before: Keys, after: Keys, found: NDArray[np.int64]) -> NDArray[np.int64]:
        # Ranks of the found items of one query after each number of steps, (steps + 1, found).
        wanted = np.concatenate([before[found], after[found]])
        order = np.argsort(wanted)
        place = np.empty_like(order)
        place[order] = np.arange(len(order))
        # how many items stand ahead of each wanted key: those still waiting, and those already done
        waiting, done = (self._ahead(side, wanted[order]) for side in (before, after))
        ahead = done + (waiting[-1] - waiting)
        moved = self.step_of[found] < np.arange(len(self.steps) + 1)[:, None]
        standing = np.where(moved, place[len(found) :], place[: len(found)])
        return np.asarray(np.take_along_axis(ahead, standing, axis=1) + 1)

    def _ahead(self, side: Keys, wanted: Keys) -> NDArray[np.int64]:
        # Items of the first 0, 1, ... steps that stand ahead of each wanted key, (steps + 1, wanted).
        width = len(wanted) + 1
        behind = np.searchsorted(wanted, side, side="right")
        steps = len(self.steps)
        counts = np.bincount(self.step_of * width + behind, minlength=steps * width).reshape(steps, width)
        ahead = np.zeros((steps + 1, len(wanted)), dtype=np.int64)
        np.cumsum(counts[:, :-1].cumsum(axis=1), axis=0, out=ahead[1:])
        return ahead


def _merged(one: Keys, other: Keys) -> Keys:
    return first(np.concatenate([one, other], axis=1), one.shape[1])
