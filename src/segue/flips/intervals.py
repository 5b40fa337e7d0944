"""How sure one can be: intervals for rates, paired differences and the relative negative flip rate.

The intervals for independent samples take plain counts and are exact or score based. Weighted and grouped samples use
the same intervals with an *effective* number of samples, found from the variance that the weights and the groups
cause (Korn and Graubard, Survey Methodology 24, 1998); grouped samples also get the cluster bootstrap, and the wider
of the two ends is kept, since a bootstrap of a rare event that few groups show is too narrow.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special, stats

from segue.flips.counts import BOTH_RIGHT, BOTH_WRONG_DIFFER, BOTH_WRONG_SAME, NEGATIVE_FLIP, POSITIVE_FLIP, Tally
from segue.flips.estimate import Estimate

Cells = tuple[int, ...]
Statistic = Callable[[NDArray[np.float64]], NDArray[np.float64]]

EVERY: Cells = (BOTH_RIGHT, NEGATIVE_FLIP, POSITIVE_FLIP, BOTH_WRONG_SAME, BOTH_WRONG_DIFFER)
OLD_RIGHT: Cells = (BOTH_RIGHT, NEGATIVE_FLIP)
NEW_RIGHT: Cells = (BOTH_RIGHT, POSITIVE_FLIP)
OLD_WRONG: Cells = (POSITIVE_FLIP, BOTH_WRONG_SAME, BOTH_WRONG_DIFFER)
NEW_WRONG: Cells = (NEGATIVE_FLIP, BOTH_WRONG_SAME, BOTH_WRONG_DIFFER)
BOTH_WRONG: Cells = (BOTH_WRONG_SAME, BOTH_WRONG_DIFFER)
CHANGED: Cells = (NEGATIVE_FLIP, POSITIVE_FLIP, BOTH_WRONG_DIFFER)


def clopper_pearson(successes: float, trials: float, confidence: float = 0.95) -> Estimate:
    """Exact interval of a proportion (Clopper and Pearson, Biometrika 26, 1934).

    Args:
        successes: Number of successes; may be fractional (an effective number).
        trials: Number of trials; may be fractional.
        confidence: Coverage that the interval has at least.

    Returns:
        The proportion; undefined, with the interval [0, 1], where there are no trials.

    Example:
        >>> print(clopper_pearson(0, 100))
        0 [0, 0.03622]
    """
    if trials <= 0:
        return Estimate(math.nan, 0.0, 1.0)
    tail = (1 - confidence) / 2
    failures = max(trials - successes, 0.0)
    low = float(special.betaincinv(successes, failures + 1, tail)) if successes > 0 else 0.0
    high = float(special.betaincinv(successes + 1, failures, 1 - tail)) if failures > 0 else 1.0
    return Estimate(successes / trials, low, high)


def paired_difference(
    negative_flips: float, positive_flips: float, samples: float, confidence: float = 0.95
) -> Estimate:
    r"""Score interval of the accuracy change of two models on the same samples (Tango, Stat. Med. 17, 1998).

    The ends are the two values :math:`\Delta` at which the score test of ``accuracy change = Delta`` just rejects:

    .. math:: \frac{c - b - n\Delta}{\sqrt{n\,(2\hat q + \Delta(1 - \Delta))}} = \pm z

    with ``b`` negative and ``c`` positive flips and :math:`\hat q` the probability of a negative flip that fits best
    under :math:`\Delta` (a quadratic's root).

    Args:
        negative_flips: ``b``.
        positive_flips: ``c``.
        samples: ``n``, both models' right and wrong samples included.
        confidence: Nominal coverage.

    Returns:
        The change, in [-1, 1].

    Example:
        >>> print(paired_difference(negative_flips=2, positive_flips=12, samples=50))
        0.2 [0.06111, 0.3447]
    """
    if samples <= 0:
        return Estimate(math.nan, -1.0, 1.0)
    b, c, n = negative_flips, positive_flips, samples
    z = float(stats.norm.ppf((1 + confidence) / 2))
    change = (c - b) / n

    def score(delta: float) -> float:
        linear = -c - b + (2 * n - c + b) * delta
        constant = -b * delta * (1 - delta)
        q = (math.sqrt(max(linear**2 - 8 * n * constant, 0.0)) - linear) / (4 * n)
        variance = n * (2 * q + delta * (1 - delta))
        if variance <= 0:
            return 0.0 if change == delta else math.copysign(math.inf, change - delta)
        return float((c - b - n * delta) / math.sqrt(variance))

    def end(edge: float, sign: float) -> float:
        if abs(score(edge)) <= z:
            return edge
        return float(optimize.brentq(lambda delta: max(min(score(delta), 1e6), -1e6) - sign * z, change, edge))

    return Estimate(change, end(-1.0, 1.0), end(1.0, -1.0))


def rate(tally: Tally, hits: Cells, among: Cells = EVERY, confidence: float = 0.95) -> Estimate:
    """Share of the samples in the cells ``among`` that lie in the cells ``hits``, with its interval.

    Args:
        tally: The sums.
        hits: Cells that count as successes; a subset of ``among``.
        among: Cells that count as trials. The interval is conditional on how many there are.
        confidence: Nominal coverage.

    Returns:
        The rate: Clopper-Pearson for independent samples; with the effective number of samples for weighted ones;
        and the wider of that and the cluster bootstrap for grouped ones.
    """
    if tally.independent:
        return clopper_pearson(int(tally.counts[list(hits)].sum()), int(tally.counts[list(among)].sum()), confidence)
    hit, trial = _indicator(hits), _indicator(among)
    total = float(tally.sums @ trial)
    if total <= 0:
        return Estimate(math.nan, 0.0, 1.0)
    value = min(float(tally.sums @ hit) / total, 1.0)
    variance = tally.variance((hit - value * trial) / total)
    size = _effective(tally, value * (1 - value), variance, trial, confidence)
    exact = clopper_pearson(value * size, size, confidence)
    return _widened(
        tally, Estimate(value, exact.low, exact.high), lambda sums: (sums @ hit) / (sums @ trial), confidence
    )


def accuracy_change(tally: Tally, confidence: float = 0.95) -> Estimate:
    """Accuracy of the new model minus that of the old one, with its paired interval.

    Args:
        tally: The sums.
        confidence: Nominal coverage.

    Returns:
        The change in [-1, 1]: Tango's score interval, with the effective number of samples for weighted or grouped
        samples and widened to the cluster bootstrap for grouped ones.
    """
    if tally.independent:
        return paired_difference(
            int(tally.counts[NEGATIVE_FLIP]), int(tally.counts[POSITIVE_FLIP]), int(tally.counts.sum()), confidence
        )
    contrast = _indicator((POSITIVE_FLIP,)) - _indicator((NEGATIVE_FLIP,))
    total = float(tally.sums.sum())
    if total <= 0:
        return Estimate(math.nan, -1.0, 1.0)
    value = float(tally.sums @ contrast) / total
    spread = float(tally.sums @ contrast**2) / total - value**2
    size = _effective(tally, spread, tally.variance((contrast - value) / total), _indicator(EVERY), confidence)
    share = tally.sums / total
    score = paired_difference(share[NEGATIVE_FLIP] * size, share[POSITIVE_FLIP] * size, size, confidence)
    return _widened(tally, score, lambda sums: (sums @ contrast) / sums.sum(axis=1), confidence)


def relative_rate(tally: Tally, confidence: float = 0.95) -> Estimate:
    r"""Relative negative flip rate (Yan et al., CVPR 2021, section 3) with its interval.

    .. math:: \mathrm{NFR_{rel}} = \frac{P(o = y, n \neq y)}{P(o = y)\,P(n \neq y)}
        = \frac{r_1}{\pi r_1 + (1 - \pi) r_0}

    where :math:`r_1` and :math:`r_0` are the new model's error rates on the samples that the old one got right and
    wrong, and :math:`\pi` the old accuracy. It is 1 when the two models' errors are independent. The intervals of the
    three, which come from different samples or margins, are combined by the method of variance estimates recovery
    (Donner and Zou, Stat. Methods Med. Res. 21, 2012), so that it stays meaningful without any flip, where the delta
    method has nothing to say.

    Args:
        tally: The sums.
        confidence: Nominal coverage.

    Returns:
        The relative rate; 0 with the interval [0, inf) where the old model has no right or the new no wrong answer.

    Example:
        >>> print(relative_rate(Tally(np.array([80, 5, 10, 5, 0]))))
        0.5882 [0.226, 0.9688]
    """
    sums = tally.sums
    if not sums[list(OLD_RIGHT)].any() or not sums[list(NEW_WRONG)].any():
        return Estimate(0.0, 0.0, math.inf)

    def relative(right: float, on_right: float, on_wrong: float) -> float:
        if on_right == 0:
            return 0.0
        return on_right / (right * on_right + (1 - right) * on_wrong)

    accuracy = rate(tally, OLD_RIGHT, EVERY, confidence)
    on_right = rate(tally, (NEGATIVE_FLIP,), OLD_RIGHT, confidence)
    on_wrong = rate(tally, BOTH_WRONG, OLD_WRONG, confidence)
    centre = (accuracy.value, on_right.value, 0.0 if math.isnan(on_wrong.value) else on_wrong.value)
    value = relative(*centre)
    moved = [
        relative(*(end if place == index else middle for place, middle in enumerate(centre))) - value
        for index, part in enumerate((accuracy, on_right, on_wrong))
        for end in (part.low, part.high)
    ]
    below, above = (math.hypot(*(min(0.0, sign * step) for step in moved)) for sign in (1, -1))
    return Estimate(value, max(0.0, value - below), value + above)


def product(share: Estimate, mean: Estimate) -> Estimate:
    """Interval of a share times a mean among that share, both zero or more (variance estimates recovery, as above).

    Args:
        share: How many.
        mean: How much, among those.

    Returns:
        The product.

    Example:
        >>> print(product(Estimate(0.1, 0.05, 0.2), Estimate(0.5, 0.4, 0.6)))
        0.05 [0.02307, 0.101]
    """
    value = share.value * mean.value
    below = math.hypot(share.value * (mean.value - mean.low), (share.value - share.low) * mean.value)
    above = math.hypot(share.value * (mean.high - mean.value), (share.high - share.value) * mean.value)
    return Estimate(value, max(0.0, value - below), value + above)


def difference(first: Estimate, second: Estimate) -> Estimate:
    """Interval of the difference of two quantities (variance estimates recovery, as above).

    Args:
        first: What is subtracted from.
        second: What is subtracted.

    Returns:
        The difference.
    """
    value = first.value - second.value
    below = math.hypot(first.value - first.low, second.high - second.value)
    above = math.hypot(first.high - first.value, second.value - second.low)
    return Estimate(value, value - below, value + above)


def _indicator(cells: Cells) -> NDArray[np.float64]:
    chosen = np.zeros(5)
    chosen[list(cells)] = 1.0
    return chosen


def _effective(tally: Tally, simple: float, variance: float, among: NDArray[np.float64], confidence: float) -> float:
    """Return the number of independent, unweighted samples that would tell as much.

    ``simple`` is the variance of one such sample and ``variance`` the actual variance of the statistic. Where the
    variance can't be seen (no event, or nothing but events) each group or weight is taken at its Kish size. With few
    groups, Student's quantile in place of the normal one makes up for the unsure variance.
    """
    units = tally.units(among > 0)
    count = float(tally.counts @ among)
    if tally.squares is not None:
        # One light sample that flips has a tiny variance; no more is known for that than Kish's size allows.
        squares = float(tally.squares @ among)
        count = min(count, float(tally.sums @ among) ** 2 / squares) if squares > 0 else 0.0
    if simple <= 0 or variance <= 0:
        return min(units, count)
    size = simple / variance
    if tally.groups is not None:
        occupied = int(np.count_nonzero(tally.groups @ among))
        if occupied < 2:
            return min(units, count)
        level = (1 + confidence) / 2
        size *= float(stats.norm.ppf(level) / stats.t.ppf(level, occupied - 1)) ** 2
    return min(size, count)


def _widened(tally: Tally, estimate: Estimate, statistic: Statistic, confidence: float) -> Estimate:
    replicates = tally.replicates
    if replicates is None:
        return estimate
    with np.errstate(divide="ignore", invalid="ignore"):
        values = statistic(replicates)
    values = values[np.isfinite(values)]
    if not len(values):
        return estimate
    tail = 50 * (1 - confidence)
    low, high = np.percentile(values, [tail, 100 - tail])
    return Estimate(estimate.value, min(estimate.low, float(low)), max(estimate.high, float(high)))
