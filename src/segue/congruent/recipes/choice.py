"""The Pareto front of accuracy and negative flips, and the user's rule that picks a point on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from segue.congruent.recipes.candidate import Candidate
from segue.errors import InputError
from segue.flips.checks import counted

ROUNDING = 1e-9  # accuracies are k / n, margins decimal fractions


class Rule(Protocol):
    """Picks one candidate; its ``str`` says how, in plain words."""

    @property
    def passes(self) -> int:
        """Models that may run at prediction time."""
        ...

    def pick(self, candidates: Sequence[Candidate], plain: Candidate) -> Candidate:
        """Pick a candidate.

        Args:
            candidates: All of them.
            plain: The unconstrained model.

        Returns:
            One of them.
        """
        ...

    def met(self, candidate: Candidate, plain: Candidate) -> bool:
        """Tell whether a candidate does what the rule asks for.

        Args:
            candidate: The candidate.
            plain: The unconstrained model.

        Returns:
            Whether it does; where no candidate does, the rule picks the nearest one.
        """
        ...


@dataclass(frozen=True)
class FewestFlips:
    """Pick the candidate with the fewest negative flips whose accuracy holds up.

    Accuracy holds up if it is not below the unconstrained model's by more than the margin. Among equals in flips the
    more accurate one wins, then the cheaper one. Where no candidate qualifies, the unconstrained one is picked.

    Attributes:
        margin: Accuracy that may be given up, as a share of the samples. With 0, a lucky unconstrained model rules out
            candidates that are as good; the default is a quarter of a point.
        passes: Models that may run at prediction time.

    Raises:
        InputError: If an argument is out of its range.
    """

    margin: float = 0.0025
    passes: int = 1

    def __post_init__(self) -> None:
        """Check the arguments.

        Raises:
            InputError: If one is out of its range.
        """
        if isinstance(self.margin, bool) or not isinstance(self.margin, int | float) or not 0 <= self.margin < 1:
            raise InputError(f"margin is {self.margin!r}; pass a share from 0 to below 1 (write half a point as 0.005)")
        check_passes(self.passes)

    def pick(self, candidates: Sequence[Candidate], plain: Candidate) -> Candidate:
        """Pick a candidate.

        Args:
            candidates: All of them.
            plain: The unconstrained model.

        Returns:
            One of them.

        Raises:
            InputError: If they were measured on fewer than two samples.
        """
        check_samples(plain.counts.samples)
        good = [one for one in candidates if self.met(one, plain)]
        return min(good or [plain], key=lambda one: (one.negative_flip_rate, -one.accuracy, one.trainings, one.passes))

    def met(self, candidate: Candidate, plain: Candidate) -> bool:
        """Tell whether a candidate does what the rule asks for.

        Args:
            candidate: The candidate.
            plain: The unconstrained model.

        Returns:
            Whether it does.
        """
        floor = plain.accuracy - self.margin - ROUNDING
        return candidate.passes <= self.passes and candidate.accuracy >= floor

    def __str__(self) -> str:
        """Return the rule in words."""
        margin = f" by more than {counted(100 * self.margin, 'point')}" if self.margin else ""
        return (
            f"the fewest negative flips at an accuracy not below the unconstrained model's{margin}, with "
            f"{told_passes(self.passes)} at prediction time"
        )


@dataclass(frozen=True)
class MostAccurate:
    """Pick the most accurate candidate within a budget of negative flips.

    Where no candidate is within the budget, the one with the fewest flips is picked.

    Attributes:
        max_negative_flip_rate: The share of the samples that may break.
        passes: Models that may run at prediction time.

    Raises:
        InputError: If an argument is out of its range.
    """

    max_negative_flip_rate: float
    passes: int = 1

    def __post_init__(self) -> None:
        """Check the arguments.

        Raises:
            InputError: If one is out of its range.
        """
        rate = self.max_negative_flip_rate
        if isinstance(rate, bool) or not isinstance(rate, int | float) or not 0 <= rate < 1:
            raise InputError(
                f"max_negative_flip_rate is {self.max_negative_flip_rate!r}; pass a share from 0 to below 1 (write 1% "
                f"as 0.01)"
            )
        check_passes(self.passes)

    def pick(self, candidates: Sequence[Candidate], plain: Candidate) -> Candidate:
        """Pick a candidate.

        Args:
            candidates: All of them.
            plain: The unconstrained model.

        Returns:
            One of them.

        Raises:
            InputError: If they were measured on fewer than two samples.
        """
        check_samples(plain.counts.samples)
        allowed = [one for one in candidates if one.passes <= self.passes] or [plain]
        good = [one for one in allowed if self.met(one, plain)]
        if not good:
            return min(allowed, key=lambda one: (one.negative_flip_rate, -one.accuracy))
        return max(good, key=lambda one: (one.accuracy, -one.negative_flip_rate, -one.trainings))

    def met(self, candidate: Candidate, plain: Candidate) -> bool:
        """Tell whether a candidate does what the rule asks for.

        Args:
            candidate: The candidate.
            plain: The unconstrained model.

        Returns:
            Whether it does.
        """
        within = candidate.negative_flip_rate <= self.max_negative_flip_rate + ROUNDING
        return candidate.passes <= self.passes and within

    def __str__(self) -> str:
        """Return the rule in words."""
        return (
            f"the highest accuracy with at most {100 * self.max_negative_flip_rate:g}% negative flips, with "
            f"{told_passes(self.passes)} at prediction time"
        )


def check_passes(passes: int) -> None:
    """Refuse a number of models that is none.

    Args:
        passes: Models that may run at prediction time.

    Raises:
        InputError: If it is below 1.
    """
    if isinstance(passes, bool) or not isinstance(passes, int) or passes < 1:
        raise InputError(f"passes is {passes!r}; pass how many models may run at prediction time, from 1")


def check_samples(samples: int) -> None:
    """Refuse validation samples on which every rate would be 0% or 100%.

    Args:
        samples: How many there are.

    Raises:
        InputError: If there are fewer than two.
    """
    if samples < 2:
        raise InputError(
            f"validation has {counted(samples, 'sample')}, on which every model breaks all or nothing; hold out some "
            f"hundreds, so that models can be told apart"
        )


def told_passes(passes: int) -> str:
    """Return in words how many models run."""
    return "one model" if passes == 1 else f"at most {passes} models"


def front(candidates: Sequence[Candidate]) -> tuple[Candidate, ...]:
    """Return the candidates that no other beats in both accuracy and negative flips, the most accurate first.

    Args:
        candidates: All of them.

    Returns:
        The Pareto front; of candidates equal in both, the cheapest.
    """
    order = sorted(candidates, key=lambda one: (-one.accuracy, one.negative_flip_rate, one.passes, one.trainings))
    found: list[Candidate] = []
    for one in order:
        if not found or one.negative_flip_rate < found[-1].negative_flip_rate:
            found.append(one)
    return tuple(found)
