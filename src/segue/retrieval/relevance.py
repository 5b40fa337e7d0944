"""Which gallery items are relevant to which query, and how much."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segue.errors import InputError
from segue.flips.checks import class_column, counted, values_of
from segue.retrieval.nearest import own_rows
from segue.retrieval.notebook import Shown
from segue.retrieval.qrels import Qrels, positions, read_qrels


@dataclass(frozen=True, eq=False)
class Relevance(Shown):
    """What is relevant: made by :meth:`from_labels` or :meth:`from_qrels`.

    Queries with the same relevant items share a list of them: all queries of one label, or the judgements of one
    query. Items without a judgement have grade 0, and so have, for ranking, those with a negative one.

    Attributes:
        lists: The list of each query, ``(q,)``; -1 where nothing is relevant.
        starts: Where each list begins and, one further, where it ends, ``(lists + 1,)``.
        rows: The lists' gallery rows, ascending within a list.
        grades: Their grades, above 0.
        gallery: Number of gallery items.
        exclude: The gallery row of each query's own copy, which is neither found nor relevant, ``(q,)``; -1 for none.
        at_least: The grade from which an item counts as relevant in metrics that know only yes and no.

    Example:
        >>> relevance = Relevance.from_labels(["cat", "dog", "owl"], ["dog", "cat", "cat"])
        >>> relevance.totals.tolist()
        [2, 1, 0]
        >>> print(relevance)
        3 queries, 3 gallery items, 1 relevant item for a query on average; nothing is relevant to 1 of the queries.
    """

    lists: NDArray[np.int64]
    starts: NDArray[np.int64]
    rows: NDArray[np.int64]
    grades: NDArray[np.float64]
    gallery: int
    exclude: NDArray[np.int64]
    at_least: float = 1.0

    @classmethod
    def from_labels(
        cls, query_labels: ArrayLike, gallery_labels: ArrayLike, *, exclude: ArrayLike | None = None
    ) -> Relevance:
        """Call relevant what has the query's label: the same person, product or class.

        Args:
            query_labels: Label of each query, ``(q,)``: integers or strings.
            gallery_labels: Label of each gallery item, ``(n,)``.
            exclude: The gallery row of each query's own copy, ``(q,)``, -1 for none; the same as for the search.

        Returns:
            The relevance, of grade 1.

        Raises:
            InputError: If labels are missing or no labels, or one side holds numbers and the other text.
        """
        asked = class_column(query_labels, "query_labels")
        held = class_column(gallery_labels, "gallery_labels")
        if (asked.dtype.kind == "U") != (held.dtype.kind == "U"):
            raise InputError(
                f"query_labels holds {values_of(asked)} and gallery_labels {values_of(held)}; pass one type for both"
            )
        labels, code = np.unique(held, return_inverse=True)
        place = np.minimum(np.searchsorted(labels, asked), len(labels) - 1)
        return cls(
            lists=np.where(labels[place] == asked, place, -1).astype(np.int64),
            starts=np.concatenate([[0], np.cumsum(np.bincount(code, minlength=len(labels)))]).astype(np.int64),
            rows=np.argsort(code, kind="stable").astype(np.int64),
            grades=np.ones(len(held)),
            gallery=len(held),
            exclude=own_rows(exclude, len(asked), len(held)),
        )

    @classmethod
    def from_qrels(
        cls,
        qrels: Qrels,
        query_ids: Iterable[Any],
        gallery_ids: Iterable[Any],
        *,
        exclude: ArrayLike | None = None,
        at_least: float = 1.0,
    ) -> Relevance:
        """Take relevance from graded judgements.

        Args:
            qrels: A mapping ``{query: {item: grade}}``, triples, a data frame, or the path of a TREC file; see
                :func:`segue.retrieval.qrels.read_qrels`.
            query_ids: Id of each query, ``(q,)``, in the order of the query vectors. Ids are compared as text.
            gallery_ids: Id of each gallery item, ``(n,)``, in the order of the gallery.
            exclude: The gallery row of each query's own copy, ``(q,)``, -1 for none; the same as for the search.
            at_least: The grade from which an item counts as relevant where only yes and no are known (trec_eval's
                ``-l``). Graded metrics use all grades above 0.

        Returns:
            The relevance. A query without judgements stays, with nothing relevant.

        Raises:
            InputError: If ids repeat, the judgements name ids that are not there, or can't be read.
        """
        if not isinstance(at_least, (int, float, np.integer, np.floating)) or not 0 < at_least < np.inf:
            told = repr(at_least) if isinstance(at_least, str) else at_least
            raise InputError(f"at_least is {told}; pass a grade above 0, such as 1")
        asked, held = positions(query_ids, "query_ids"), positions(gallery_ids, "gallery_ids")
        triples = read_qrels(qrels)
        for name, place, known in (("query", 0, asked), ("item", 1, held)):
            unknown = dict.fromkeys(str(triple[place]) for triple in triples if triple[place] not in known)
            if unknown:
                side = "query_ids" if name == "query" else "gallery_ids"
                raise InputError(
                    f"qrels names {counted(len(unknown), f'{name} id')} not in {side}, first {next(iter(unknown))!r}; "
                    f"add them to {side} or leave their judgements out"
                )
        judged = sorted((asked[query], held[item], grade) for query, item, grade in triples if grade > 0)
        table = np.array(judged, dtype=np.float64).reshape(-1, 3)
        count = np.bincount(table[:, 0].astype(np.int64), minlength=len(asked))
        return cls(
            lists=np.where(count > 0, np.arange(len(asked)), -1).astype(np.int64),
            starts=np.concatenate([[0], np.cumsum(count)]).astype(np.int64),
            rows=table[:, 1].astype(np.int64),
            grades=table[:, 2],
            gallery=len(held),
            exclude=own_rows(exclude, len(asked), len(held)),
            at_least=float(at_least),
        )

    def __len__(self) -> int:
        """Return the number of queries."""
        return len(self.lists)

    @cached_property
    def totals(self) -> NDArray[np.int64]:
        """Number of relevant items of each query (grade ``at_least`` or above, own copy left out), ``(q,)``."""
        enough = np.concatenate([[0], np.cumsum(self.grades >= self.at_least)])
        per_list = np.append(np.diff(enough[self.starts]), 0)
        return np.asarray(per_list[self.lists] - (self.own_grades >= self.at_least), dtype=np.int64)

    @cached_property
    def own_grades(self) -> NDArray[np.float64]:
        """What the grade of each query's own copy would be, ``(q,)``; 0 where it has none."""
        return self._looked_up(self.exclude[:, None])[:, 0]

    @property
    def without_relevant(self) -> NDArray[np.int64]:
        """The queries to which nothing is relevant: positions in ascending order."""
        return np.flatnonzero(self.totals == 0)

    def items(self, query: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return what is graded above 0 for a query.

        Args:
            query: The query's position.

        Returns:
            Gallery rows in ascending order, and their grades.
        """
        if self.lists[query] < 0:
            return self.rows[:0], self.grades[:0]
        part = slice(self.starts[self.lists[query]], self.starts[self.lists[query] + 1])
        kept = self.rows[part] != self.exclude[query]
        return self.rows[part][kept], self.grades[part][kept]

    def grades_of(self, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the grades of given gallery rows.

        Args:
            rows: Rows of each query, ``(q, k)``; -1 for none.

        Returns:
            Grades, ``(q, k)``; 0 for what is not relevant, not judged, not there or the query's own copy.

        Raises:
            InputError: If there is not one line of rows per query, or a row is outside the gallery.
        """
        if rows.ndim != 2 or len(rows) != len(self):
            raise InputError(
                f"rows has shape {rows.shape} and relevance {counted(len(self), 'query')}; pass hits of the same "
                f"queries"
            )
        if rows.size and rows.max() >= self.gallery:
            raise InputError(
                f"rows names row {rows.max():,} and relevance knows {counted(self.gallery, 'gallery item')}; pass "
                f"hits from the same gallery"
            )
        return np.where(rows == self.exclude[:, None], 0.0, self._looked_up(rows))

    def select(self, queries: ArrayLike | slice) -> Relevance:
        """Return the relevance of some queries.

        Args:
            queries: Their positions, flags, or a slice.

        Returns:
            The same lists for fewer queries.
        """
        chosen = queries if isinstance(queries, slice) else np.asarray(queries)
        return replace(self, lists=self.lists[chosen], exclude=self.exclude[chosen])

    def __str__(self) -> str:
        """Return in words how much is relevant."""
        without = len(self.without_relevant)
        mean = f"{self.totals.mean():.3g} relevant item{'' if self.totals.mean() == 1 else 's'} for a query on average"
        told = f"{counted(len(self), 'query')}, {counted(self.gallery, 'gallery item')}, {mean}"
        return f"{told}; nothing is relevant to {without:,} of the queries." if without else f"{told}."

    def to_dict(self) -> dict[str, Any]:
        """Return the counts, ready for JSON."""
        return {
            "queries": len(self),
            "gallery": self.gallery,
            "relevant_per_query": float(self.totals.mean()),
            "without_relevant": len(self.without_relevant),
            "own_copies": int((self.exclude >= 0).sum()),
            "at_least": self.at_least,
        }

    @cached_property
    def _places(self) -> NDArray[np.int64]:
        # List and row as one number, ascending, to look pairs up by bisection.
        return np.repeat(np.arange(len(self.starts) - 1), np.diff(self.starts)) * self.gallery + self.rows

    def _looked_up(self, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        if not len(self._places):
            return np.zeros(rows.shape)
        wanted = np.where((rows >= 0) & (self.lists >= 0)[:, None], self.lists[:, None] * self.gallery + rows, -1)
        place = np.minimum(np.searchsorted(self._places, wanted), len(self._places) - 1)
        return np.where(self._places[place] == wanted, self.grades[place], 0.0)
