"""MB: the label is the most probable class (Träuble et al., NeurIPS 2021)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segue.congruent.decisions.rules.base import ROUNDING, Evidence


@dataclass(frozen=True)
class MaxBelief:
    """Take the class with the highest posterior; of equally probable ones, the stored label."""

    def labels(self, evidence: Evidence) -> NDArray[np.int64]:
        """Return the label of each answered sample from now on, ``(n,)``."""
        return np.where(evidence.advantage > ROUNDING, evidence.after.argmax(axis=1), evidence.stored)

    def __str__(self) -> str:
        """Return the rule in words."""
        return "take the most probable class"
