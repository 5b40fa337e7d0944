"""Interval of a rate of true accepts at a threshold that other data set."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from segue.flips.checks import seed_number
from segue.flips.counts import BOOTSTRAP_RESAMPLES
from segue.flips.estimate import Estimate
from segue.flips.intervals import clopper_pearson


def true_accepts(
    wanted: NDArray[np.float64], unwanted: NDArray[np.float64], passing: int, confidence: float, seed: int
) -> Estimate:
    """Bootstrap both sides: who should pass, and who sets the threshold.

    The threshold of a resample is an order statistic, which is drawn as such (the ``j``-th of ``m`` draws with
    replacement has the rank of a beta variable); how many of the wanted pass it is binomial. Where the wanted all pass
    or all fail that has no width, and the exact interval of a proportion is kept instead, the wider end counting.

    Args:
        wanted: Scores of who should pass, ``(g,)``; -inf for those that can't.
        unwanted: Scores of who should not, in falling order, ``(m,)``.
        passing: How many of these may pass.
        confidence: Nominal coverage.
        seed: Seed of the resamples.

    Returns:
        The share of the wanted that score above the threshold.
    """
    draws = np.random.default_rng(seed_number(seed))
    rising = np.sort(wanted)
    at = draws.beta(passing + 1, len(unwanted) - passing, size=BOOTSTRAP_RESAMPLES)
    thresholds = unwanted[np.minimum((at * len(unwanted)).astype(np.int64), len(unwanted) - 1)]
    shares = 1 - np.searchsorted(rising, thresholds, side="right") / len(rising)
    resampled = draws.binomial(len(rising), shares) / len(rising)
    tail = 50 * (1 - confidence)
    low, high = np.percentile(resampled, [tail, 100 - tail])
    exact = clopper_pearson(int((wanted > unwanted[passing]).sum()), len(wanted), confidence)
    return Estimate(exact.value, min(exact.low, float(low)), max(exact.high, float(high)))
