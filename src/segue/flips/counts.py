"""The five cells that hold all there is to know of an update's flips, and the sums over groups and weights.

Every sample falls into one cell. Writing ``o`` and ``n`` for the old and the new answer and ``y`` for the label:

====================  ==========================
both right            ``o = y`` and ``n = y``
negative flip         ``o = y`` and ``n != y``
positive flip         ``o != y`` and ``n = y``
both wrong, same      ``o != y`` and ``n = o``
both wrong, differ    ``o != y``, ``n != y``, ``n != o``
====================  ==========================
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from segue.flips.checks import seed_number

BOTH_RIGHT, NEGATIVE_FLIP, POSITIVE_FLIP, BOTH_WRONG_SAME, BOTH_WRONG_DIFFER = range(5)
N_CELLS = 5

BOOTSTRAP_RESAMPLES = 2000
MOST_BOOTSTRAP_PATTERNS = 50_000


@dataclass(frozen=True, slots=True)
class Counts:
    """How many samples fall into each cell.

    Example:
        >>> counts = Counts(both_right=80, negative_flips=5, positive_flips=10, both_wrong_same=3, both_wrong_differ=2)
        >>> counts.samples, counts.right_old, counts.right_new
        (100, 85, 90)
    """

    both_right: int
    negative_flips: int
    positive_flips: int
    both_wrong_same: int
    both_wrong_differ: int

    @property
    def samples(self) -> int:
        """All samples."""
        return (
            self.both_right + self.negative_flips + self.positive_flips + self.both_wrong_same + self.both_wrong_differ
        )

    @property
    def right_old(self) -> int:
        """Samples that the old model got right."""
        return self.both_right + self.negative_flips

    @property
    def right_new(self) -> int:
        """Samples that the new model got right."""
        return self.both_right + self.positive_flips

    @property
    def both_wrong(self) -> int:
        """Samples that both models got wrong, with the same answer or another."""
        return self.both_wrong_same + self.both_wrong_differ

    def to_dict(self) -> dict[str, int]:
        """Return the five counts by name."""
        return asdict(self)


def cell_of(old_right: NDArray[np.bool_], new_right: NDArray[np.bool_], same: NDArray[np.bool_]) -> NDArray[np.int8]:
    """Return the cell of every sample, ``(n,)`` integers in the order of this module's constants.

    Args:
        old_right: Whether the old answer is right, ``(n,)``.
        new_right: Whether the new answer is right, ``(n,)``.
        same: Whether both models gave the same answer, ``(n,)``; read only where both are wrong.

    Returns:
        One cell number per sample.
    """
    cells = np.where(
        old_right,
        np.where(new_right, BOTH_RIGHT, NEGATIVE_FLIP),
        np.where(new_right, POSITIVE_FLIP, np.where(same, BOTH_WRONG_SAME, BOTH_WRONG_DIFFER)),
    )
    return cells.astype(np.int8)


@dataclass(frozen=True)
class Tally:
    """The sums over a set of samples from which every rate and every interval follows.

    Attributes:
        counts: Number of samples per cell, ``(5,)``.
        weights: Sum of the sample weights per cell, ``(5,)``; ``None`` where samples are unweighted.
        squares: Sum of the squared weights per cell, ``(5,)``; ``None`` where samples are unweighted.
        groups: Sum of the weights (of ones where unweighted) per group and cell, ``(groups, 5)``; ``None`` where the
            samples are independent of each other.
        seed: Seed of the cluster bootstrap.
    """

    counts: NDArray[np.int64]
    weights: NDArray[np.float64] | None = None
    squares: NDArray[np.float64] | None = None
    groups: NDArray[np.float64] | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse a seed that nothing can be drawn with."""
        seed_number(self.seed)

    @classmethod
    def of(
        cls,
        cells: NDArray[np.int8],
        weights: NDArray[np.float64] | None = None,
        groups: NDArray[np.int64] | None = None,
        seed: int = 0,
    ) -> Tally:
        """Add up samples.

        Args:
            cells: Cell of every sample, ``(n,)``.
            weights: Weight of every sample, ``(n,)``.
            groups: Group number of every sample, ``(n,)``; only the numbers that occur are counted as groups.
            seed: Seed of the cluster bootstrap.

        Returns:
            The sums.
        """
        counts = np.bincount(cells, minlength=N_CELLS).astype(np.int64)
        sums = squares = by_group = None
        if weights is not None:
            sums = np.bincount(cells, weights=weights, minlength=N_CELLS).astype(np.float64)
            squares = np.bincount(cells, weights=weights**2, minlength=N_CELLS).astype(np.float64)
        if groups is not None:
            present, number = np.unique(groups, return_inverse=True)
            flat = np.bincount(number * N_CELLS + cells, weights=weights, minlength=len(present) * N_CELLS)
            by_group = flat.reshape(len(present), N_CELLS).astype(np.float64)
        return cls(counts, sums, squares, by_group, seed)

    @property
    def independent(self) -> bool:
        """Whether the samples are unweighted and ungrouped, so that exact binomial intervals apply."""
        return self.weights is None and self.groups is None

    @property
    def sums(self) -> NDArray[np.float64]:
        """The weight in each cell, ``(5,)``: the counts themselves where samples are unweighted."""
        return self.counts.astype(np.float64) if self.weights is None else self.weights

    def as_counts(self) -> Counts:
        """Return the unweighted counts by name."""
        return Counts(*(int(count) for count in self.counts))

    @property
    def effective_samples(self) -> float | None:
        """Kish's effective number of samples by their weights alone, whatever the groups; ``None`` if unweighted."""
        if self.weights is None or self.squares is None:
            return None
        squared = float(self.squares.sum())
        return float(self.weights.sum()) ** 2 / squared if squared > 0 else 0.0

    def variance(self, influence: NDArray[np.float64]) -> float:
        r"""Variance of a statistic from its influence on each cell (Taylor linearisation).

        .. math:: V = \sum_u \Big(\sum_{i \in u} w_i h(\mathrm{cell}_i)\Big)^2

        where the units ``u`` are the groups, or single samples where there are none; with ``G`` groups the sum is
        multiplied by ``G / (G - 1)`` (Korn and Graubard, Analysis of Health Surveys, 1999, section 2.4).

        Args:
            influence: ``h``, the influence of one unit of weight in each cell on the statistic, ``(5,)``.

        Returns:
            The variance of the statistic.
        """
        if self.groups is not None:
            count = len(self.groups)
            return float(np.sum((self.groups @ influence) ** 2)) * (count / (count - 1) if count > 1 else 1.0)
        squares = self.counts if self.squares is None else self.squares
        return float(np.sum(squares * influence**2))

    def units(self, among: NDArray[np.bool_]) -> float:
        r"""Kish's effective number of units among some cells, ``(sum m)^2 / sum m^2`` over groups or samples.

        The size of a simple random sample that tells as much when nothing is known of how alike the members of a
        group are, and so each group is taken for a single observation (Kish, Survey Sampling, 1965).

        Args:
            among: The cells that count, ``(5,)``.

        Returns:
            The effective number; 0 where the cells are empty.
        """
        if self.groups is not None:
            mass = self.groups @ among.astype(np.float64)
            total, squared = float(mass.sum()), float(np.sum(mass**2))
        else:
            squares = self.counts if self.squares is None else self.squares
            total, squared = float(self.sums[among].sum()), float(squares[among].sum())
        return total**2 / squared if squared > 0 else 0.0

    @cached_property
    def replicates(self) -> NDArray[np.float64] | None:
        """Cell sums of cluster-bootstrap resamples, ``(resamples, 5)``: whole groups drawn with replacement.

        Groups with the same five sums are drawn together (the multinomial over distinct patterns is the same
        distribution as drawing group by group), which makes a million customers as cheap as a thousand. ``None``
        where there are no groups, or more distinct patterns than are worth resampling: the linearised variance is
        as good as exact by then.
        """
        if self.groups is None or len(self.groups) < 2:
            return None
        patterns, multiplicity = np.unique(self.groups, axis=0, return_counts=True)
        if len(patterns) > MOST_BOOTSTRAP_PATTERNS:
            return None
        draws = np.random.default_rng(self.seed)
        total = int(multiplicity.sum())
        shares = multiplicity / total
        rows = max(1, 2_000_000 // len(patterns))
        parts = [
            draws.multinomial(total, shares, size=min(rows, BOOTSTRAP_RESAMPLES - start)) @ patterns
            for start in range(0, BOOTSTRAP_RESAMPLES, rows)
        ]
        return np.concatenate(parts).astype(np.float64)
