"""The front between quality on the old and on the new gallery, and the user's rule that picks a point on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from segue.compatible.recipes.candidate import Candidate
from segue.errors import InputError
from segue.flips.checks import counted

ROUNDING = 1e-9  # qualities are means over queries, margins decimal fractions


@dataclass(frozen=True)
class BestOnOldGallery:
    """Pick what finds most in the old gallery, among those that hold up once everything is re-embedded.

    A candidate holds up if its quality on its own gallery is not below the paragon's by more than the margin. Where
    none does, the one that comes closest is picked.

    Attributes:
        margin: Quality that may be given up, as a share: 0.01 is a point.

    Raises:
        InputError: If the margin is out of its range.
    """

    margin: float = 0.01

    def __post_init__(self) -> None:
        """Check the margin.

        Raises:
            InputError: If it is out of its range.
        """
        if isinstance(self.margin, bool) or not isinstance(self.margin, int | float) or not 0 <= self.margin < 1:
            raise InputError(f"margin is {self.margin!r}; pass a share from 0 to below 1 (write one point as 0.01)")

    def pick(self, candidates: Sequence[Candidate], paragon: Candidate) -> Candidate:
        """Pick a candidate.

        Args:
            candidates: All that were trained to be compatible.
            paragon: The model without a constraint; picked only where there is no other.

        Returns:
            One of them.
        """
        good = [one for one in candidates if self.met(one, paragon)]
        if good:
            return max(good, key=lambda one: (one.new_old, one.new_new))
        return max(candidates, key=lambda one: (one.new_new, one.new_old), default=paragon)

    def met(self, candidate: Candidate, paragon: Candidate) -> bool:
        """Tell whether a candidate holds up on its own gallery.

        Args:
            candidate: The candidate.
            paragon: The model without a constraint.

        Returns:
            Whether it does.
        """
        return candidate.new_new >= paragon.new_new - self.margin - ROUNDING

    def __str__(self) -> str:
        """Return the rule in words."""
        by = f" by more than {counted(100 * self.margin, 'point')}" if self.margin else ""
        return f"the best on the old gallery among those that are not below the paragon on their own gallery{by}"


def front(candidates: Sequence[Candidate]) -> tuple[Candidate, ...]:
    """Return the candidates that no other beats on both galleries, the best on its own gallery first.

    Args:
        candidates: All of them.

    Returns:
        The Pareto front.
    """
    found: list[Candidate] = []
    for one in sorted(candidates, key=lambda one: (-one.new_new, -one.new_old)):
        if not found or one.new_old > found[-1].new_old:
            found.append(one)
    return tuple(found)
