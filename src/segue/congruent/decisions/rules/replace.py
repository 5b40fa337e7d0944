"""Replace: the newest answer always wins. The baseline that everybody runs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segue.congruent.decisions.rules.base import Evidence


@dataclass(frozen=True)
class Replace:
    """Take the new generation's answer."""

    def labels(self, evidence: Evidence) -> NDArray[np.int64]:
        """Return the label of each answered sample from now on, ``(n,)``."""
        return evidence.answers

    def __str__(self) -> str:
        """Return the rule in words."""
        return "take the newest answer"
