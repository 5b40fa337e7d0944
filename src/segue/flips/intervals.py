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


def relative_flip_rate(
    both_right: float, negative_flips: float, positive_flips: float, both_wrong: float, confidence: float = 0.95
) -> Estimate:
    r"""Relative negative flip rate with its profile-likelihood interval.

    .. math:: \mathrm{NFR_{rel}} = \frac{P(o = y, n \neq y)}{P(o = y)\,P(n \neq y)}

    which is 1 when the two models' errors are independent (Yan et al., CVPR 2021, section 3). The interval holds all
    values whose best multinomial fit is not rejected by the likelihood-ratio test, so it stays meaningful when there
    is no flip at all, where the delta method has nothing to say.

    Args:
        both_right: Samples that both models got right.
        negative_flips: Samples that only the old model got right.
        positive_flips: Samples that only the new model got right.
        both_wrong: Samples that both got wrong.
        confidence: Nominal coverage.

    Returns:
        The relative rate; 0 with the interval [0, inf) where the old model has no right or the new no wrong answer.

    Example:
        >>> print(relative_flip_rate(both_right=80, negative_flips=5, positive_flips=10, both_wrong=5))
        0.5882 [0.2639, 0.8988]
    """
    a, b, c, d = both_right, negative_flips, positive_flips, both_wrong
    n = a + b + c + d
    if a + b <= 0 or b + d <= 0:
        return Estimate(0.0, 0.0, math.inf)
    value = b * n / ((a + b) * (b + d))
    best = float(special.xlogy(np.array([a, b, c, d]), np.array([a, b, c, d]) / n).sum())
    limit = float(stats.chi2.ppf(confidence, 1)) / 2

    def profile(theta: float) -> float:
        """Return the largest log-likelihood with the relative rate held at theta."""

        def loss(right_old: float) -> float:
            ratio = (1 / theta - right_old) / (1 - right_old)  # P(new wrong | old wrong) / P(new wrong | old right)
            linear = (b + d) * (1 + ratio) + a + c * ratio
            broken = 2 * (b + d) / (linear + math.sqrt(max(linear**2 - 4 * ratio * n * (b + d), 0.0)))
            cells = (
                right_old * (1 - broken),
                right_old * broken,
                (1 - right_old) * (1 - ratio * broken),
                (1 - right_old) * ratio * broken,
            )
            return -float(sum(special.xlogy(k, max(p, 1e-300)) for k, p in zip((a, b, c, d), cells, strict=True)))

        most = min(1.0, 1 / theta)
        found = optimize.minimize_scalar(
            loss, bounds=(1e-12 * most, (1 - 1e-12) * most), method="bounded", options={"xatol": 1e-9}
        )
        return -float(found.fun)

    def excess(log_theta: float) -> float:
        return best - profile(math.exp(log_theta)) - limit

    low, high = 0.0, math.inf
    centre = math.log(value) if value > 0 else math.log(0.5 / max(b + d, 1.0))
    if b > 0:
        step = centre - 0.5
        while excess(step) < 0 and step > centre - 60:
            step -= 1.0
        low = math.exp(optimize.brentq(excess, step, centre)) if excess(step) >= 0 else 0.0
    elif excess(centre) > 0:
        while excess(centre) > 0:
            centre -= 1.0
    step = centre + 0.25
    while excess(step) < 0 and step < centre + 60:
        step += 0.5
    if excess(step) >= 0:
        high = math.exp(optimize.brentq(excess, centre, step))
    return Estimate(value, low, high)


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
    value = float(tally.sums @ contrast) / total
    spread = float(tally.sums @ contrast**2) / total - value**2
    size = _effective(tally, spread, tally.variance((contrast - value) / total), _indicator(EVERY), confidence)
    share = tally.sums / total
    score = paired_difference(share[NEGATIVE_FLIP] * size, share[POSITIVE_FLIP] * size, size, confidence)
    return _widened(tally, score, lambda sums: (sums @ contrast) / sums.sum(axis=1), confidence)


def relative_rate(tally: Tally, confidence: float = 0.95) -> Estimate:
    """Relative negative flip rate of a tally; see :func:`relative_flip_rate`.

    Args:
        tally: The sums.
        confidence: Nominal coverage.

    Returns:
        The relative rate, with effective sizes and the cluster bootstrap where samples are weighted or grouped.
    """
    a, b, c, *rest = (float(number) for number in tally.sums)
    d = sum(rest)
    n = a + b + c + d
    if tally.independent or a + b <= 0 or b + d <= 0:
        return relative_flip_rate(a, b, c, d, confidence)
    flip, right, wrong = (
        _indicator(cells)
        for cells in (
            (NEGATIVE_FLIP,),
            (BOTH_RIGHT, NEGATIVE_FLIP),
            (NEGATIVE_FLIP, BOTH_WRONG_SAME, BOTH_WRONG_DIFFER),
        )
    )
    size = tally.units(_indicator(EVERY) > 0)
    if b > 0:
        influence = flip / b - right / (a + b) - wrong / (b + d) + 1 / n
        one_sample = float(tally.sums / n @ (n * influence) ** 2)
        size = _effective(tally, one_sample, tally.variance(influence), _indicator(EVERY), confidence)
    scale = size / n
    fitted = relative_flip_rate(a * scale, b * scale, c * scale, d * scale, confidence)

    def resampled(sums: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray((sums @ flip) * sums.sum(axis=1) / ((sums @ right) * (sums @ wrong)))

    return _widened(tally, fitted, resampled, confidence)


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
