"""About how many samples would settle an undecided check."""

from __future__ import annotations

import math

from scipy import stats

from segue.errors import InputError
from segue.flips.estimate import Estimate
from segue.flips.power import samples_to_pass

POWER = 0.8


def samples_to_settle(estimate: Estimate, limit: float, samples: int, confidence: float = 0.95) -> int | None:
    r"""About how many samples would put the whole interval on the estimate's side of the limit.

    The interval's arm towards the limit shrinks with the square root of the number of samples, so that

    .. math:: n' = n \left(\frac{|end - value|}{|limit - value|} \cdot \frac{z_{1-\alpha/2} + z_{power}}
              {z_{1-\alpha/2}}\right)^2

    samples do with a power of 80% if the estimate is the truth.

    Args:
        estimate: The number with its interval, which holds the limit.
        limit: The limit.
        samples: ``n``.
        confidence: Coverage of the interval.

    Returns:
        The number of samples, rounded up to two digits; ``None`` where the estimate is undefined or as good as on
        the limit.

    Example:
        >>> samples_to_settle(Estimate(0.008, 0.005, 0.012), limit=0.01, samples=1000)
        8200
    """
    end = estimate.high if estimate.value < limit else estimate.low
    arm, gap = abs(end - estimate.value), abs(limit - estimate.value)
    if not (math.isfinite(arm) and math.isfinite(gap)) or gap <= 1e-9 * max(abs(limit), 1e-9):
        return None
    z = float(stats.norm.ppf((1 + confidence) / 2))
    needed = samples * (arm / gap * (z + float(stats.norm.ppf(POWER))) / z) ** 2
    return rounded_up(max(needed, samples + 1)) if needed < 1e12 else None


def flips_to_settle(estimate: Estimate, limit: float, samples: int, confidence: float = 0.95) -> int | None:
    """The same for the negative flip rate of independent samples, whose interval is exact.

    Args:
        estimate: The rate with its exact interval, which holds the limit.
        limit: The limit.
        samples: How many samples there are.
        confidence: Coverage of the interval.

    Returns:
        The number of samples, rounded up to two digits; ``None`` where it can't be said.

    Example:
        >>> flips_to_settle(Estimate(0.0, 0.0, 0.036), limit=0.01, samples=100)
        370
    """
    if not 0 <= estimate.value < limit:
        return samples_to_settle(estimate, limit, samples, confidence)
    try:
        needed = samples_to_pass(limit, nfr=estimate.value, power=POWER, confidence=confidence)
    except InputError:  # too near to the limit for any number of samples
        return None
    return rounded_up(max(needed, samples + 1))


def rounded_up(number: float) -> int:
    """Round up to two significant digits, since more would pretend to know better.

    Args:
        number: A positive number.

    Returns:
        The rounded number.

    Example:
        >>> rounded_up(368), rounded_up(2183), rounded_up(7)
        (370, 2200, 7)
    """
    whole = math.ceil(number)
    step: int = 10 ** max(len(str(whole)) - 2, 0)
    return -(-whole // step) * step
