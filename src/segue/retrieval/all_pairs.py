"""All pairs of queries and gallery items, a block at a time: who is genuine, who an impostor, and what they score."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from segue.flips.counts import BOTH_RIGHT, BOTH_WRONG_SAME, N_CELLS, NEGATIVE_FLIP, POSITIVE_FLIP
from segue.retrieval.order import keys, unpacked
from segue.retrieval.relevance import Relevance
from segue.retrieval.scores import score_matrix
from segue.retrieval.vectors import Metric, Vectors

OWN, GENUINE, IMPOSTOR = 0, 1, 2
_HALF = 1 << 16
# The cell of a pair by whether the old and the new system accept it: 2 * old + new.
_CELLS = {
    GENUINE: [BOTH_WRONG_SAME, POSITIVE_FLIP, NEGATIVE_FLIP, BOTH_RIGHT],
    IMPOSTOR: [BOTH_RIGHT, NEGATIVE_FLIP, POSITIVE_FLIP, BOTH_WRONG_SAME],
}


@dataclass(frozen=True)
class Block:
    """A stretch of queries against a stretch of the gallery.

    Attributes:
        rows: First query, and the one behind the last.
        columns: First gallery row, and the one behind the last.
    """

    rows: tuple[int, int]
    columns: tuple[int, int]


def cut(queries: int, items: int, dimension: int, memory: int) -> tuple[Block, ...]:
    """Cut all pairs into blocks.

    Args:
        queries: Number of queries.
        items: Number of gallery items.
        dimension: The larger dimension of the systems.
        memory: Bytes of working memory.

    Returns:
        The blocks.
    """
    pairs = max(1, memory // 4 // 64)
    columns = min(items, pairs, max(1, memory // 4 // (24 * dimension)))
    rows = max(1, min(pairs // columns, memory // 4 // (24 * dimension)))
    return tuple(
        Block((row, min(row + rows, queries)), (column, min(column + columns, items)))
        for row in range(0, queries, rows)
        for column in range(0, items, columns)
    )


@dataclass(frozen=True, eq=False)
class AllPairs:
    """Every query with every gallery item but its own copy.

    Attributes:
        queries: The queries, ``(q, d)``.
        gallery: The gallery, ``(n, d)``.
        relevance: Which pairs are genuine: those of relevant items. All others are impostors.
        metric: How vectors are compared.
        blocks: The pairs in blocks (:func:`cut`), the same ones for two systems that are compared.
        memory: Bytes of working memory. Scores that fit in half of it are computed once, others at every reading.
    """

    queries: Vectors
    gallery: Vectors
    relevance: Relevance
    metric: Metric
    blocks: tuple[Block, ...]
    memory: int

    @cached_property
    def genuine(self) -> int:
        """Number of genuine pairs."""
        return int(self.relevance.totals.sum())

    @cached_property
    def impostors(self) -> int:
        """Number of impostor pairs."""
        copies = int((self.relevance.exclude >= 0).sum())
        return len(self.relevance) * self.relevance.gallery - copies - self.genuine

    def kinds(self, block: Block) -> NDArray[np.int8]:
        """Say what each pair of a block is.

        Args:
            block: The block.

        Returns:
            :data:`OWN`, :data:`GENUINE` or :data:`IMPOSTOR` for each pair, ``(rows, columns)``.
        """
        (first, last), (start, stop) = block.rows, block.columns
        kinds = np.full((last - first, stop - start), IMPOSTOR, dtype=np.int8)
        for line, query in zip(kinds, range(first, last), strict=True):
            items, grades = self.relevance.items(query)
            items = items[grades >= self.relevance.at_least]
            line[items[slice(*np.searchsorted(items, (start, stop)))] - start] = GENUINE
        own = self.relevance.exclude[first:last] - start
        inside = np.flatnonzero((own >= 0) & (own < stop - start))
        kinds[inside, own[inside]] = OWN
        return kinds

    def scores(self, block: Block) -> NDArray[np.float32]:
        """Score the pairs of a block.

        Args:
            block: The block.

        Returns:
            The scores, ``(rows, columns)``.
        """
        if 8 * len(self.relevance) * self.relevance.gallery > self.memory:
            return self._scored(block)
        if block not in self._kept:
            self._kept[block] = self._scored(block)
        return self._kept[block]

    def threshold(self, passing: int) -> float:
        """Return the score that must be exceeded so that no more than some impostors pass.

        It is the one of :func:`segue.retrieval.metrics.threshold.threshold_above`, found without keeping the scores:
        a 32-bit score is looked for by its upper and then by its lower half, among counts.

        Args:
            passing: How many impostors may pass; fewer than there are.

        Returns:
            The threshold.
        """
        upper = 0
        before = 0
        for half in ("upper", "lower"):
            counts = np.zeros(_HALF, dtype=np.int64)
            for block in self.blocks:
                # smaller for higher scores, in the order of rankings
                code = (keys(self.scores(block), np.zeros(1, dtype=np.int64)) >> np.uint64(32)).astype(np.int64)
                code = code[self.kinds(block) == IMPOSTOR]
                part = code >> 16 if half == "upper" else code[code >> 16 == upper] & (_HALF - 1)
                counts += np.bincount(part, minlength=_HALF)
            place = int(np.searchsorted(before + np.cumsum(counts), passing, side="right"))
            before += int(counts[:place].sum())
            upper = place if half == "upper" else upper << 16 | place
        return float(unpacked(np.array([upper], dtype=np.uint64) << np.uint64(32))[1][0])

    @cached_property
    def _kept(self) -> dict[Block, NDArray[np.float32]]:
        return {}

    def _scored(self, block: Block) -> NDArray[np.float32]:
        rows = np.arange(*block.rows)
        return score_matrix(self.queries.values, rows, self.gallery.values, *block.columns, self.metric)


def decisions(old: AllPairs, new: AllPairs, at_old: float, at_new: float) -> dict[int, NDArray[np.int64]]:
    """Count who is right about each query's pairs: a pair is accepted when its score is above the threshold.

    Args:
        old: The old system's pairs.
        new: The new system's, of the same queries and items, in the same blocks.
        at_old: The old system's threshold.
        at_new: The new system's.

    Returns:
        For :data:`GENUINE` and :data:`IMPOSTOR` the pairs of each query in the five cells of
        :mod:`segue.flips.counts`, ``(q, 5)``: right is to accept a genuine pair, and to reject an impostor.
    """
    queries = len(old.relevance)
    found = {kind: np.zeros((queries, N_CELLS), dtype=np.int64) for kind in (GENUINE, IMPOSTOR)}
    for block in old.blocks:
        kinds = old.kinds(block)
        # 64-bit thresholds, so that a caller's number is not rounded to a score
        accepted = 2 * (old.scores(block) > np.float64(at_old)) + (new.scores(block) > np.float64(at_new))
        first, last = block.rows
        line = np.broadcast_to(4 * np.arange(last - first)[:, None], kinds.shape)
        for kind, cells in _CELLS.items():
            here = kinds == kind
            counts = np.bincount(line[here] + accepted[here], minlength=4 * (last - first))
            found[kind][first:last, cells] += counts.reshape(-1, 4)
    return found
