"""CR-c: change a label when that is c times as probably right as wrong (Träuble et al., NeurIPS 2021)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segue.congruent.decisions.rules.base import ROUNDING, Evidence
from segue.errors import InputError


@dataclass(frozen=True)
class CostRatio:
    r"""Change to the most probable class when it is more than ``ratio`` times as probable as the stored label.

    .. math:: \frac{p(y = \hat l)}{p(y = l^{t-1})} > c = \left|\frac{c_{NF}}{c_{PF}}\right|

    The comparison is with the *stored* label, as in the paper.

    Args:
        ratio: ``c``: how many mended answers a broken one costs, 1 or more. The paper tries 2, 5 and 10.

    Raises:
        InputError: If the ratio is below 1 or not finite.
    """

    ratio: float = 10.0

    def __post_init__(self) -> None:
        """Refuse a ratio that would prefer breaking to mending.

        Raises:
            InputError: If a value is out of its range.
        """
        if not (math.isfinite(self.ratio) and self.ratio >= 1):
            raise InputError(f"ratio is {self.ratio}; pass how many mended answers a broken one costs, 1 or more")

    def labels(self, evidence: Evidence) -> NDArray[np.int64]:
        """Return the label of each answered sample from now on, ``(n,)``."""
        worth = evidence.advantage > np.log(self.ratio) + ROUNDING
        return np.where(worth, evidence.after.argmax(axis=1), evidence.stored)

    def __str__(self) -> str:
        """Return the rule in words."""
        return f"change a label when another is more than {self.ratio:g} times as probable"
