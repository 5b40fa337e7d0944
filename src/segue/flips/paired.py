"""Tests of "the two models are equally accurate" on the same samples."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy import stats

from segue.flips.counts import N_CELLS, NEGATIVE_FLIP, POSITIVE_FLIP, Tally


@dataclass(frozen=True, slots=True)
class PairedTest:
    """A test of equal accuracy: its name and two-sided p-value."""

    name: str
    p_value: float

    def __str__(self) -> str:
        """Return ``name p = value``."""
        told = "< 0.0001" if self.p_value < 0.0001 else f"= {self.p_value:.4f}"
        return f"{self.name} p {told}"

    def to_dict(self) -> dict[str, Any]:
        """Return name and p-value."""
        return asdict(self)


def mcnemar(negative_flips: int, positive_flips: int) -> float:
    """Exact McNemar test (McNemar, Psychometrika 12, 1947): two-sided p-value of equal accuracy.

    Given how many samples flip at all, negative and positive flips are equally likely when neither model is better.

    Args:
        negative_flips: Samples that only the old model got right.
        positive_flips: Samples that only the new model got right.

    Returns:
        The p-value; 1 where nothing flips, since then nothing speaks against equality.

    Example:
        >>> mcnemar(0, 5)
        0.0625
        >>> mcnemar(0, 0)
        1.0
    """
    discordant = negative_flips + positive_flips
    if discordant == 0:
        return 1.0
    return float(stats.binomtest(negative_flips, discordant, 0.5).pvalue)


def paired_test(tally: Tally) -> PairedTest:
    """Test whether both models are equally accurate.

    Args:
        tally: The sums.

    Returns:
        Exact McNemar for independent samples; for weighted or grouped ones the z (t with few groups) test on the sum
        of differences per unit, which does not assume that the members of a group flip independently (Obuchowski,
        Stat. Med. 17, 1998).
    """
    if tally.independent:
        return PairedTest("exact McNemar", mcnemar(int(tally.counts[NEGATIVE_FLIP]), int(tally.counts[POSITIVE_FLIP])))
    contrast = np.zeros(N_CELLS)
    contrast[NEGATIVE_FLIP], contrast[POSITIVE_FLIP] = -1.0, 1.0
    variance = tally.variance(contrast)
    name = "weighted McNemar" if tally.groups is None else "clustered McNemar"
    if variance <= 0:
        return PairedTest(name, 1.0)
    score = abs(float(tally.sums @ contrast)) / math.sqrt(variance)
    if tally.groups is None:
        return PairedTest(name, float(2 * stats.norm.sf(score)))
    return PairedTest(name, float(2 * stats.t.sf(score, max(len(tally.groups) - 1, 1))))
