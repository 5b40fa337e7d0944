"""Where in their rankings the relevant items of queries stand: all that a metric of a ranking needs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segue.errors import InputError
from segue.flips.checks import counted
from segue.retrieval.embedded import refuse_other_relevance
from segue.retrieval.hits import Hits
from segue.retrieval.relevance import Relevance


@dataclass(frozen=True, eq=False)
class Judged:
    """The graded items of each query's ranking, as far down as it goes.

    Attributes:
        query: The query of each item, ``(m,)``, ascending.
        rank: Its rank from 1, ``(m,)``, ascending within a query.
        grade: Its grade, above 0, ``(m,)``.
        depth: How far down the rankings go; ``None`` where they hold the whole gallery.
        relevance: What there was to find.
    """

    query: NDArray[np.int64]
    rank: NDArray[np.int64]
    grade: NDArray[np.float64]
    depth: int | None
    relevance: Relevance

    def __len__(self) -> int:
        """Return the number of queries."""
        return len(self.relevance)

    def cut(self, k: int | None) -> float:
        """Return the rank down to which a metric looks.

        Args:
            k: The caller's cut; ``None`` for all that there is.

        Returns:
            The rank; infinite for the whole gallery.

        Raises:
            InputError: If it is below 1, or deeper than the rankings are.
        """
        if k is None:
            return float("inf") if self.depth is None else float(self.depth)
        if isinstance(k, bool) or not isinstance(k, (int, np.integer)) or k < 1:
            raise InputError(f"k is {k!r}; pass a whole number of at least 1")
        if self.depth is not None and k > self.depth:
            raise InputError(f"k is {k}, but the hits go down to rank {self.depth} only; search with k={k} or more")
        return float(k)

    def relevant(self, k: int | None) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return query and rank of the items down to rank ``k`` that are relevant, yes or no.

        Args:
            k: The cut; ``None`` for all that there is.

        Returns:
            Queries ascending, ``(m,)``, and ranks ascending within them, ``(m,)``.
        """
        kept = (self.rank <= self.cut(k)) & (self.grade >= self.relevance.at_least)
        return self.query[kept], self.rank[kept]

    def defined(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return a metric's values with NaN for the queries to which nothing is relevant.

        Args:
            values: One value per query, ``(q,)``.

        Returns:
            The same, NaN where the metric has no meaning.
        """
        return np.where(self.relevance.totals > 0, values, np.nan)


def judge(hits: Hits, relevance: Relevance) -> Judged:
    """Find the relevant items among the hits.

    Args:
        hits: What was found for each query.
        relevance: What is relevant to the same queries in the same gallery.

    Returns:
        The ranks of what is relevant, for the metrics.

    Raises:
        InputError: If relevance is something else, queries or galleries differ, or a query found the copy of itself
            that relevance leaves out.

    Example:
        >>> hits = Hits(np.array([[2, 0, 1]]), np.array([[0.9, 0.8, 0.1]]))
        >>> judge(hits, Relevance.from_labels([5], [5, 7, 5])).rank.tolist()
        [1, 2]
    """
    refuse_other_relevance(relevance)
    grades = relevance.grades_of(hits.rows)
    own = (hits.rows == relevance.exclude[:, None]) & (hits.rows >= 0)
    if own.any():
        first = int(np.flatnonzero(own.any(axis=1))[0])
        raise InputError(
            f"hits hold the own copies of {counted(int(own.sum()), 'query').replace('querys', 'queries')}, first of "
            f"query {first}, which relevance excludes; pass the same exclude to the search"
        )
    query, place = np.nonzero(grades > 0)
    depth = None if hits.k >= relevance.gallery and (hits.rows >= 0).sum(axis=1).min() >= _held(relevance) else hits.k
    return Judged(query, place + 1, grades[query, place], depth, relevance)


def _held(relevance: Relevance) -> int:
    return relevance.gallery - int((relevance.exclude >= 0).any())
