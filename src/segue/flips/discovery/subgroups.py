r"""The search for slices in which flips concentrate: histograms, conjunctions and their likelihood ratio.

The score of a slice is the logarithm of the likelihood ratio of "flips have one rate inside and a lower one outside"
over "one rate everywhere", the scan statistic of Kulldorff (Communications in Statistics 26, 1997) for 0/1 data:

.. math:: \Lambda = k \ln\frac{k/n}{K/N} + (n-k) \ln\frac{1-k/n}{1-K/N}
          + (K-k) \ln\frac{(K-k)/(N-n)}{K/N} + (N-n-K+k) \ln\frac{1-(K-k)/(N-n)}{1-K/N}

where ``k`` of the ``n`` samples inside and ``K`` of all ``N`` flipped, and 0 where the rate inside is not the higher
one. It weighs how many flips a slice explains against how small it is, without a parameter to set.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from segue.flips.discovery.cuts import CodedColumn

Part = tuple[int, int, int]
"""One condition: number of the column, lowest and highest code."""
Parts = tuple[Part, ...]

Floats = NDArray[np.float64]

BEAM = 60
"""How many pairs of conditions are extended by a third."""
PER_COLUMNS = 3
"""How many conditions on the same columns are kept, each the best that overlaps little with those before."""
OVERLAP = 0.5
"""What of their union two conditions on the same columns may share to be kept both."""
MOST_PAIRS = 1500
"""How many pairs of columns are searched together; those whose conditions show least alone are left out beyond."""


@dataclass(frozen=True, order=True)
class Found:
    """A slice of the discovery part.

    Attributes:
        rank: Minus the score less the price of its conditions: the smaller the better.
        parts: Its conditions, by ascending number of the column.
        score: The log likelihood ratio.
    """

    rank: float
    parts: Parts
    score: float = field(compare=False)


@dataclass(frozen=True)
class Limits:
    """What the search may report.

    Attributes:
        most_conditions: Conditions in a conjunction, 1 to 3.
        fewest: Samples that a slice has at least in the discovery part.
        largest: Share of the discovery part that a slice has at most.
        price: What each value, and each end of a range, must add to the score (natural logarithm).
    """

    most_conditions: int = 3
    fewest: int = 20
    largest: float = 0.75
    price: float = 3.0


def log_likelihood_ratio(k: Floats, n: Floats, flips: float, samples: float) -> Floats:
    """Return the score of slices; see the module's formula.

    Args:
        k: (Effective) flips in each slice.
        n: (Effective) samples in each slice.
        flips: All flips.
        samples: All samples.

    Returns:
        The scores, of the shape of ``k``.
    """
    flat = _fit(np.float64(flips), np.float64(samples))
    ratio = _fit(k, n) + _fit(np.maximum(flips - k, 0.0), np.maximum(samples - n, 0.0)) - flat
    return np.where(k * samples > flips * n, np.maximum(ratio, 0.0), 0.0)


def _fit(hits: Floats | np.float64, trials: Floats | np.float64) -> Floats:
    """Return the log likelihood of 0/1 data under their own rate."""
    return _xlogx(hits) + _xlogx(np.maximum(trials - hits, 0.0)) - _xlogx(trials)


def _xlogx(x: Floats | np.float64) -> Floats:
    return np.asarray(x * np.log(np.maximum(x, 1e-300)))


class Search:
    """The discovery part as codes, and the slices in it.

    Conditions are ranges of codes, so that the flips and samples of all of a column's conditions (of all pairs of two
    columns' conditions) are sums over one histogram, and the time grows with the samples only through the histograms:
    with the square of the number of columns, not with the number of conditions.

    Args:
        columns: The coded columns, over all samples.
        rows: The samples of the discovery part.
        flipped: Whether each of all samples flipped, ``(n,)``.
        mass: How many independent samples each of all samples is worth, ``(n,)``; ``None`` for one each.
        limits: What may be reported.
    """

    def __init__(
        self,
        columns: Sequence[CodedColumn],
        rows: NDArray[np.intp],
        flipped: NDArray[np.bool_],
        mass: Floats | None,
        limits: Limits,
    ) -> None:
        self.columns = columns
        self.limits = limits
        self.codes = [column.codes[rows] for column in columns]
        self.flipped = flipped[rows]
        self.hit_rows = np.flatnonzero(self.flipped)
        self.hit_codes = [codes[self.hit_rows] for codes in self.codes]
        self.mass = None if mass is None else mass[rows]
        self.hit_mass = None if self.mass is None else self.mass[self.hit_rows]
        self.samples = float(len(rows)) if self.mass is None else float(self.mass.sum())
        self.flips = float(len(self.hit_rows)) if self.hit_mass is None else float(self.hit_mass.sum())
        self.rows = rows
        self.members = [column.members(column.ranges) for column in columns]
        self.prices = [limits.price * column.all_ends(column.ranges) for column in columns]

    def run(self) -> tuple[list[Found], int]:
        """Search conjunctions of up to three conditions.

        All single conditions and all pairs of conditions on the coarse cut points are tried; the best pairs are
        extended by all third conditions; the best of all are moved to finer cut points and stripped of conditions
        that do not earn their price.

        Returns:
            The best slices, best first, and the number of pairs of columns that were too many to search.
        """
        searchable = [number for number, column in enumerate(self.columns) if len(column.ranges)]
        best_single = dict.fromkeys(searchable, 0.0)
        pool: list[Found] = []
        for number in searchable:
            found = list(self._singles(number, (), None))
            best_single[number] = max((one.score for one in found), default=0.0)
            pool += found
        left_out = 0
        if self.limits.most_conditions >= 2:
            couples = sorted(
                itertools.combinations(searchable, 2),
                key=lambda pair: (-best_single[pair[0]] - best_single[pair[1]], pair),
            )
            left_out = max(0, len(couples) - MOST_PAIRS)
            pairs = sorted(one for a, b in couples[:MOST_PAIRS] for one in self._pairs(a, b))
            pool += pairs[: 4 * BEAM]
            if self.limits.most_conditions >= 3:
                triples: set[Found] = set()
                for one in pairs[:BEAM]:
                    inside = self.inside(one.parts)
                    used = {part[0] for part in one.parts}
                    for number in searchable:
                        if number not in used:
                            triples.update(self._singles(number, one.parts, inside))
                pool += sorted(triples)[: 2 * BEAM]
        pool.sort()
        polished = {self.polish(one) for one in pool[: 2 * BEAM]}
        return sorted(polished), left_out

    def inside(self, parts: Parts) -> NDArray[np.intp]:
        """Return which samples of the discovery part satisfy all conditions, as row numbers."""
        inside: NDArray[np.intp] | None = None
        for number, low, high in parts:
            codes = self.codes[number] if inside is None else self.codes[number][inside]
            holds = np.flatnonzero((codes >= low) & (codes <= high))
            inside = holds if inside is None else inside[holds]
        return np.arange(len(self.rows)) if inside is None else inside

    def _count(
        self, codes: NDArray[np.integer], rows: NDArray[np.intp] | None, size: int, mass: Floats | None
    ) -> Floats:
        weights = None if mass is None else (mass if rows is None else mass[rows])
        return np.bincount(codes, weights=weights, minlength=size).astype(np.float64)

    def _price(self, parts: Parts) -> float:
        return self.limits.price * sum(self.columns[number].ends(low, high) for number, low, high in parts)

    def _score(self, k: Floats, n: Floats, price: Floats | float) -> Floats:
        allowed = (n >= self.limits.fewest) & (n <= self.limits.largest * self.samples) & (k > 0)
        ratio = log_likelihood_ratio(k, n, self.flips, self.samples)
        return np.where(allowed & (ratio > 0), ratio - price, -np.inf)

    def _singles(self, number: int, given: Parts, inside: NDArray[np.intp] | None) -> Iterator[Found]:
        """Yield the best conditions on one column that overlap little, within the slice of the given ones."""
        column, members = self.columns[number], self.members[number]
        if inside is None:
            codes, hits = self.codes[number], self.hit_codes[number]
            rows, hit_rows = None, None
            histogram = self._count(codes, rows, column.size, self.mass)
            hit_histogram = self._count(hits, hit_rows, column.size, self.hit_mass)
        else:
            hit = inside[self.flipped[inside]]
            histogram = self._count(self.codes[number][inside], inside, column.size, self.mass)
            hit_histogram = self._count(self.codes[number][hit], hit, column.size, self.mass)
        n, k = members @ histogram, members @ hit_histogram
        score = self._score(k, n, self._price(given) + self.prices[number])
        for _ in range(PER_COLUMNS):
            best = int(np.argmax(score))
            if score[best] == -np.inf:
                return
            parts = tuple(sorted((*given, _part(number, column, best))))
            yield Found(-float(score[best]), parts, float(score[best]) + self._price(parts))
            shared = members @ (histogram * members[best])
            score[shared > OVERLAP * (n + n[best] - shared)] = -np.inf

    def _pairs(self, a: int, b: int) -> Iterator[Found]:
        """Yield the best pairs of conditions on two columns that overlap little."""
        first, second = self.columns[a], self.columns[b]
        shape = (first.size, second.size)
        size = first.size * second.size
        histogram = self._count(
            self.codes[a].astype(np.intp) * second.size + self.codes[b], None, size, self.mass
        ).reshape(shape)
        hits = self._count(
            self.hit_codes[a].astype(np.intp) * second.size + self.hit_codes[b], None, size, self.hit_mass
        ).reshape(shape)
        rows, across = self.members[a], self.members[b].T
        n, k = rows @ histogram @ across, rows @ hits @ across
        score = self._score(k, n, self.prices[a][:, None] + self.prices[b][None, :])
        for _ in range(PER_COLUMNS):
            row, col = np.unravel_index(int(np.argmax(score)), score.shape)
            if score[row, col] == -np.inf:
                return
            parts = (_part(a, first, row), _part(b, second, col))
            best = float(score[row, col])
            yield Found(-best, parts, best + self._price(parts))
            shared = (rows * rows[row]) @ histogram @ (across * across[:, [col]])
            score[shared > OVERLAP * (n + n[row, col] - shared)] = -np.inf

    def polish(self, one: Found) -> Found:
        """Move the ends of ranges to finer cut points and drop conditions that do not earn their price.

        Args:
            one: A slice.

        Returns:
            The slice, or a better one near it.
        """
        best = one
        for _ in range(3):
            before = best
            for part in before.parts:
                best = min(best, self._move(best, part[0]))
            if len(best.parts) > 1:
                shorter = [tuple(p for p in best.parts if p != part) for part in best.parts]
                best = min([best, *(self.found(parts) for parts in shorter)])
            if best.parts == before.parts:
                break
        return best

    def found(self, parts: Parts) -> Found:
        """Return a slice with its score."""
        inside = self.inside(parts)
        hit = inside[self.flipped[inside]]
        n = np.array(float(len(inside)) if self.mass is None else self.mass[inside].sum())
        k = np.array(float(len(hit)) if self.mass is None else self.mass[hit].sum())
        price = self._price(parts)
        score = float(self._score(k, n, price))
        return Found(-score, parts, score + price)

    def _move(self, one: Found, number: int) -> Found:
        column = self.columns[number]
        mine = next((part for part in one.parts if part[0] == number), None)
        if mine is None or mine[1] >= column.ordered:
            return one
        others = tuple(part for part in one.parts if part[0] != number)
        inside = self.inside(others)
        hit = inside[self.flipped[inside]]
        n = self._ranges(self._count(self.codes[number][inside], inside, column.size, self.mass), column)
        k = self._ranges(self._count(self.codes[number][hit], hit, column.size, self.mass), column)
        ranges = column.fine_ranges
        score = self._score(k, n, self._price(others) + self.limits.price * column.fine_ends)
        best = int(np.argmax(score))
        moved = tuple(sorted((*others, (number, int(ranges[best, 0]), int(ranges[best, 1])))))
        return Found(-float(score[best]), moved, float(score[best]) + self._price(moved))

    def _ranges(self, histogram: Floats, column: CodedColumn) -> Floats:
        ranges = column.fine_ranges
        sums = np.concatenate([[0.0], np.cumsum(histogram)])
        return np.asarray(sums[ranges[:, 1] + 1] - sums[ranges[:, 0]])


def _part(number: int, column: CodedColumn, choice: int | np.integer) -> Part:
    low, high = column.ranges[choice].tolist()
    return number, low, high
