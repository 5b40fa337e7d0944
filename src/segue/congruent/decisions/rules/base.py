"""What an update rule sees, and what it answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

ROUNDING = 1e-9
"""Beliefs whose logarithms differ by less are equal: sums in another order must not change a label."""


@dataclass(frozen=True, eq=False)
class Evidence:
    """All that is known of the ``n`` samples that a new generation answered; classes are positions.

    Attributes:
        stored: The stored label, ``(n,)``.
        answers: The new generation's answer, ``(n,)``.
        before: Logarithm of the posterior without that answer, ``(n, classes)``.
        after: Logarithm of the posterior with it, ``(n, classes)``.
        votes: How many generations gave each answer, the new one included, ``(n, classes)``.
    """

    stored: NDArray[np.int64]
    answers: NDArray[np.int64]
    before: NDArray[np.float64]
    after: NDArray[np.float64]
    votes: NDArray[np.uint16]

    @property
    def advantage(self) -> NDArray[np.float64]:
        """Log of how many times the most probable class is as probable as the stored label, at least 0, ``(n,)``."""
        chosen: NDArray[np.float64] = self.after.max(axis=1) - self.of_stored(self.after)
        return chosen

    def of_stored(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return each sample's value of its stored label, ``(n,)``."""
        found: NDArray[np.float64] = values[np.arange(len(values)), self.stored]
        return found


class UpdateRule(Protocol):
    """Decides which stored labels change; its ``str`` says how, in plain words."""

    def labels(self, evidence: Evidence) -> NDArray[np.int64]:
        """Return the label of each answered sample from now on.

        Args:
            evidence: What is known.

        Returns:
            Positions of classes, ``(n,)``.
        """
        ...
