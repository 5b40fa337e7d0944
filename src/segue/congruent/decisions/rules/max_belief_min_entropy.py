"""MBME: change a label only when the belief became more certain (Träuble et al., NeurIPS 2021)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segue.congruent.decisions.posterior import entropy
from segue.congruent.decisions.rules.base import ROUNDING, Evidence
from segue.congruent.decisions.rules.max_belief import MaxBelief


@dataclass(frozen=True)
class MaxBeliefMinEntropy:
    """Take the class with the highest posterior where the new answer lowered the entropy; else keep the label."""

    def labels(self, evidence: Evidence) -> NDArray[np.int64]:
        """Return the label of each answered sample from now on, ``(n,)``."""
        surer = entropy(evidence.after) < entropy(evidence.before) - ROUNDING
        return np.where(surer, MaxBelief().labels(evidence), evidence.stored)

    def __str__(self) -> str:
        """Return the rule in words."""
        return "take the most probable class where the new answer made the belief more certain"
