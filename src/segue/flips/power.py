"""How many samples it takes: what n samples can see, and how many a budget needs."""

from __future__ import annotations

import math
from collections.abc import Callable

from scipy import optimize, stats

from segue.errors import InputError
from segue.flips.checks import counted, proportion
from segue.flips.intervals import clopper_pearson

MOST_SAMPLES = 10**12


def smallest_visible_nfr(samples: int, *, budget: float = 0.0, power: float = 0.8, confidence: float = 0.95) -> float:
    """Smallest true negative flip rate that n samples show to be above a budget.

    Args:
        samples: Number of samples.
        budget: The rate that is still tolerated. With 0 the question is when a flip is seen at all.
        power: Probability of seeing it.
        confidence: Coverage of the two-sided exact interval whose lower end must exceed the budget.

    Returns:
        The rate, in [0, 1].

    Raises:
        InputError: If a number is out of range, or even a rate of 1 would not be seen.

    Example:
        >>> round(smallest_visible_nfr(1000), 5)  # 1 - 0.2 ** (1 / 1000)
        0.00161
    """
    _check(samples, budget, power, confidence)
    needed = 1 + _last(lambda k: clopper_pearson(k, samples, confidence).low <= budget, samples)
    if needed > samples:
        raise InputError(
            f"{counted(samples, 'sample')} can't show any rate above {budget:g} at {confidence:g} confidence; use more"
        )
    # P(X >= needed | rate) = power, solved for the rate: a quantile of the beta distribution.
    return float(stats.beta.ppf(power, needed, samples - needed + 1))


def samples_to_pass(budget: float, *, nfr: float = 0.0, power: float = 0.8, confidence: float = 0.95) -> int:
    """Number of samples from which an update with a given true negative flip rate passes a budget.

    Args:
        budget: Upper limit that the whole interval must respect.
        nfr: The update's true rate, below the budget.
        power: Probability of passing.
        confidence: Coverage of the two-sided exact interval.

    Returns:
        The smallest number of samples with that power.

    Raises:
        InputError: If a number is out of range, or the true rate is not below the budget.

    Example:
        >>> samples_to_pass(0.01)  # no flip at all: the rule of three, two-sided
        368
        >>> samples_to_pass(0.01, nfr=0.005)
        2470
    """
    _check(1, budget, power, confidence)
    if not 0 <= nfr < budget:
        raise InputError(f"nfr is {nfr:g} but must be at least 0 and below the budget {budget:g}: it could never pass")

    def size(flips: int) -> int:
        """Return the smallest sample in which this many flips still pass."""
        tail = (1 - confidence) / 2

        def excess(log_n: float) -> float:
            n = math.exp(log_n)
            return float(stats.beta.ppf(1 - tail, flips + 1, max(n - flips, 1e-9))) - budget

        low, high = math.log(flips + 1), math.log(MOST_SAMPLES)
        root = optimize.brentq(excess, low, high) if excess(low) > 0 else low
        n = max(math.floor(math.exp(root)) - 1, flips + 1)
        while clopper_pearson(flips, n, confidence).high > budget:
            n += 1
        return n

    def passes(flips: int) -> bool:
        return float(stats.binom.cdf(flips, size(flips), nfr)) >= power

    if passes(0):
        return size(0)
    most = 1
    while not passes(most):
        most *= 2
        if size(most) >= MOST_SAMPLES // 10:
            raise InputError(
                f"more than {MOST_SAMPLES // 10:,} samples are needed: nfr {nfr:g} is too near to the budget {budget:g}"
            )
    least = most // 2
    while most - least > 1:
        middle = (least + most) // 2
        least, most = (least, middle) if passes(middle) else (middle, most)
    return size(most)


def _check(samples: int, budget: float, power: float, confidence: float) -> None:
    if samples < 1:
        raise InputError(f"samples is {samples}; pass a positive number")
    if not 0 <= budget < 1:
        raise InputError(f"budget is {budget:g}; pass a rate of at least 0 and below 1, such as 0.01")
    proportion(power, "power")
    proportion(confidence, "confidence")


def _last(holds: Callable[[int], bool], most: int) -> int:
    """Return the largest number up to ``most`` for which a condition that ends to hold still holds."""
    low, high = 0, most + 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low
