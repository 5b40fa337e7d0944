"""Majority: the class that most generations answered."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segue.congruent.decisions.rules.base import Evidence


@dataclass(frozen=True)
class Majority:
    """Take the answer that most generations gave.

    Of equally frequent ones, the stored label, else the newest, else the first class.
    """

    def labels(self, evidence: Evidence) -> NDArray[np.int64]:
        """Return the label of each answered sample from now on, ``(n,)``."""
        rows = np.arange(len(evidence.stored))
        most = evidence.votes.max(axis=1)
        newest = np.where(
            evidence.votes[rows, evidence.answers] == most, evidence.answers, evidence.votes.argmax(axis=1)
        )
        return np.where(evidence.votes[rows, evidence.stored] == most, evidence.stored, newest)

    def __str__(self) -> str:
        """Return the rule in words."""
        return "take the answer that most generations gave"
