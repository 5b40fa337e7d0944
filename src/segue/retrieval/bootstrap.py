r"""The percentile bootstrap of a mean over queries: drawn where queries are few, and in the limit where they are many.

Drawing 2,000 resamples of 10,000 queries takes seconds for every number. By then the bootstrap's distribution is known
without drawing (Hall, The Bootstrap and Edgeworth Expansion, 1992, sections 2.5 and 3.2; from memory of the book, not
confirmed): the mean of ``n`` values with standard deviation ``s`` and skewness ``g`` has the quantiles

.. math:: \bar x + \frac{s}{\sqrt{n}} \Big(z + \frac{g}{\sqrt{n}} \, \frac{z^2 - 1}{6}\Big) + O(n^{-3/2})

(Cornish and Fisher). The term in ``g`` is what the bootstrap knows and Student's interval does not, and it is kept. In
simulations of 600 and of 2,000 queries of which 1 in 100 is far from 0, these quantiles lie about a tenth of a standard
error or less from those of 20,000 resamples, which is what two runs of 2,000 resamples differ by; Student's lie a fifth
and a tenth away, always to the same side. The ends miss the true mean as often as drawn ones do, and on the side of the
tail less often than Student's (``tests/retrieval/test_bootstrap.py``).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, stats

from segue.flips.checks import seed_number
from segue.flips.counts import BOOTSTRAP_RESAMPLES
from segue.flips.estimate import Estimate

# Up to so many different values (or groups) resamples are drawn: a tenth of a second.
MOST_DRAWN = 500

Units = tuple[NDArray[np.float64], NDArray[np.float64]]


def bootstrap(
    values: NDArray[np.float64], groups: NDArray[np.int64] | None, confidence: float, seed: int = 0
) -> Estimate:
    """Return the mean with the interval of the percentile bootstrap over queries, or over groups of queries.

    Args:
        values: The value of each query, ``(q,)``.
        groups: Group number of each query, ``(q,)``; whole groups are resampled.
        confidence: Nominal coverage.
        seed: Seed of the resamples, where any are drawn.

    Returns:
        The mean; a point where there is a single query or group, since nothing can be resampled.

    Example:
        >>> print(bootstrap(np.array([0.0, 1.0]), None, 0.95))  # of two queries drawn twice, both, one or none is hit
        0.5 [0, 1]
    """
    totals, sizes = _units(values, groups)
    mean, tail = float(values.mean()), (1 - confidence) / 2
    if len(totals) < 2:
        return Estimate(mean, mean, mean)
    patterns, multiplicity = np.unique(np.stack([totals, sizes], axis=1), axis=0, return_counts=True)
    if len(patterns) > MOST_DRAWN:
        return Estimate(mean, *(limit((totals, sizes), end) for end in (tail, 1 - tail)))
    draws = np.random.default_rng(seed_number(seed)).multinomial(
        len(totals), multiplicity / len(totals), size=BOOTSTRAP_RESAMPLES
    )
    drawn = draws @ patterns
    low, high = np.quantile(drawn[:, 0] / drawn[:, 1], [tail, 1 - tail])
    return Estimate(mean, float(low), float(high))


def limit(units: Units, probability: float) -> float:
    """Return a quantile of the bootstrap's distribution of a ratio of sums, for many units and without drawing.

    A resampled ratio is at most ``r`` where the resampled mean of ``total - r * size`` is at most 0. So the quantile is
    the ``r`` for which that mean has this quantile at 0.

    Args:
        units: Sum of the values and number of queries of each unit, ``(u,)`` each.
        probability: Which quantile.

    Returns:
        The ratio.
    """
    totals, sizes = units
    z = float(stats.norm.ppf(probability))

    def quantile(ratio: float) -> float:
        residual = totals - ratio * sizes
        mean = float(residual.mean())
        away = residual - mean
        spread = math.sqrt(float(np.mean(away**2)))
        skewness = float(np.mean(away**3)) / spread**3 if spread > 0 else 0.0
        root = math.sqrt(len(residual))
        return mean + spread / root * (z + skewness / root * (z**2 - 1) / 6)

    means = totals / sizes
    least, most = float(means.min()), float(means.max())
    if quantile(least) <= 0 or quantile(most) >= 0:
        return least if quantile(least) <= 0 else most
    return float(optimize.brentq(quantile, least, most, xtol=1e-12, rtol=1e-12))


def _units(values: NDArray[np.float64], groups: NDArray[np.int64] | None) -> Units:
    # Sum of the values, and number of queries, of each query or group.
    if groups is None:
        return values, np.ones(len(values))
    number = np.unique(groups, return_inverse=True)[1]
    return np.bincount(number, weights=values).astype(np.float64), np.bincount(number).astype(np.float64)
