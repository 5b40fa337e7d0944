"""What congruent training bought and what it cost: the two challengers compared on the same samples."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segue.flips import Estimate, compare
from segue.report import words

CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Bargain:
    """Two updates of one old model, sample by sample.

    Attributes:
        broken: Answers that the plain update breaks, and those that the congruent one breaks.
        spared: By how much the congruent update's negative flip rate is lower.
        accuracy_change: The congruent model's accuracy less the plain one's.
    """

    broken: tuple[int, int]
    spared: Estimate
    accuracy_change: Estimate

    def __str__(self) -> str:
        """Return in one sentence what was bought, and for what."""
        return f"Trained congruently, the challenger {self._bought}, {self._cost}."

    @property
    def _bought(self) -> str:
        plain, congruent = self.broken
        if self.spared.low > 0:
            told = f"breaks {congruent:,} right answers instead of {plain:,}"
        elif self.spared.high < 0:
            told = f"breaks more right answers, {congruent:,} instead of {plain:,}"
        else:
            told = f"does not clearly break fewer right answers, {congruent:,} against {plain:,}"
        change = Estimate(-self.spared.value, -self.spared.high, -self.spared.low)
        return f"{told} (negative flip rate {_points(change)})"

    @property
    def _cost(self) -> str:
        change = self.accuracy_change
        if change.high < 0:
            return f"and that costs accuracy: {_points(change)}"
        if change.low > 0:
            return f"and is more accurate as well: {_points(change)}"
        return f"at no clear change in accuracy: {_points(change)}"


def strike(
    labels: NDArray[np.int64], old: NDArray[np.int64], plain: NDArray[np.int64], congruent: NDArray[np.int64]
) -> Bargain:
    """Compare a plain and a congruent update of one old model, with intervals for paired samples.

    Args:
        labels: The truth, ``(n,)``.
        old: The old model's answers, ``(n,)``.
        plain: The new model's answers, ``(n,)``.
        congruent: The answers of the new model trained congruently, ``(n,)``.

    Returns:
        What was bought and what it cost.

    Example:
        The plain update breaks the last two samples, the congruent one the last; each is right on two of four.

        >>> labels, old = np.array([1, 1, 1, 1]), np.array([0, 0, 1, 1])
        >>> bargain = strike(labels, old, np.array([1, 1, 0, 0]), np.array([1, 0, 1, 0]))
        >>> bargain.broken, bargain.spared.value, bargain.accuracy_change.value
        ((2, 1), 0.25, 0.0)
    """
    kept = [~((old == labels) & (new != labels)) for new in (plain, congruent)]
    # A sample that is kept counts as right: the change in that accuracy is the difference of the negative flip rates.
    ones = np.ones(len(labels), dtype=int)
    spared = compare(ones, *(part.astype(int) for part in kept), confidence=CONFIDENCE).accuracy_change
    change = compare(labels, plain, congruent, confidence=CONFIDENCE).accuracy_change
    plain_broken, congruent_broken = (int((~part).sum()) for part in kept)
    return Bargain((plain_broken, congruent_broken), spared, change)


def _points(change: Estimate) -> str:
    low, high = (words.points(value, unit=False) for value in (change.low, change.high))
    return f"{words.points(change.value)}, {CONFIDENCE:.0%} interval {low} to {high}"
