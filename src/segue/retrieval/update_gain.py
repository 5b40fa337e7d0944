"""Update gain: how much of an upgrade is there before the gallery is re-embedded (Shen et al., CVPR 2020)."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import optimize

from segue.flips.estimate import Estimate
from segue.flips.graded import Change

# Beyond it a gain is called unbounded.
FARTHEST = 1e6


def update_gain(
    old_old: NDArray[np.float64],
    new_old: NDArray[np.float64],
    best: NDArray[np.float64],
    upgrade: Estimate,
    *,
    groups: NDArray[np.int64] | None = None,
    confidence: float = 0.95,
    seed: int = 0,
) -> Estimate:
    r"""Divide what new queries gain on the old gallery by what the whole upgrade gains.

    .. math:: \Gamma = \frac{M(\phi_{new}, \phi_{old}) - M(\phi_{old}, \phi_{old})}
        {M(\phi^*_{new}, \phi^*_{new}) - M(\phi_{old}, \phi_{old})}

    (Shen et al., CVPR 2020; from memory of the paper, not confirmed.) The interval holds each
    :math:`\gamma` for which the mean over queries of

    .. math:: M_i(new, old) - (1 - \gamma) \, M_i(old, old) - \gamma \, M_i(new^*, new^*)

    is not shown to differ from 0 (Fieller, J. R. Stat. Soc. B 16, 1954), by the interval that
    :class:`segue.flips.graded.Change` gives a mean change of scores. Queries stay paired, nothing is assumed of the
    ratio's distribution, and a gain that rests on few queries is not taken for certain. Where the upgrade is barely
    shown, those samples in which it is show it too large, and the gain too small.

    Args:
        old_old: The old system's metric of each query, ``(q,)``, defined for all.
        new_old: That of new queries on the old gallery, ``(q,)``.
        best: That of the upgrade's goal, ``(q,)``: the paragon, or new queries on the new gallery.
        upgrade: Mean of ``best - old_old`` with its interval.
        groups: Group number of each query, ``(q,)``.
        confidence: Nominal coverage.
        seed: Seed of the cluster bootstrap.

    Returns:
        The gain; undefined and without bounds where the upgrade is not shown to be an improvement, since dividing by
        what may be nothing tells nothing.

    Example:
        >>> old, new = np.array([0.0, 1.0] * 50), np.ones(100)
        >>> half = np.array([0.0, 1.0, 1.0, 1.0] * 25)
        >>> update_gain(old, half, new, Estimate(0.5, 0.4, 0.6)).value
        0.5
        >>> print(update_gain(old, half, old, Estimate(0.0, -0.04, 0.04)))
        nan [-inf, inf]
    """
    if not upgrade.low > 0:
        return Estimate(math.nan, -math.inf, math.inf)
    gained, whole = new_old - old_old, best - old_old
    value = float(gained.sum() / whole.sum())

    def change(gain: float) -> Estimate:
        # Each value is a mean of three numbers in [0, 1] with the weights 1, gain - 1 and -gain.
        span = max(1.0, abs(gain), abs(1 - gain))
        return Change.of(gained - gain * whole, span, groups=groups, seed=seed).mean(confidence)

    low = _crossing(lambda gain: -change(gain).low, value, -0.1)
    high = _crossing(lambda gain: change(gain).high, value, 0.1)
    return Estimate(value, min(low, value), max(high, value))


def _crossing(allowed: Callable[[float], float], start: float, step: float) -> float:
    """Return where a function that is not negative at ``start`` becomes negative in the direction of ``step``."""
    if allowed(start) <= 0:
        return start
    inside, outside = start, start + step
    while allowed(outside) >= 0:
        if abs(step) > FARTHEST:
            return math.copysign(math.inf, step)
        step *= 2
        inside, outside = outside, start + step
    return float(optimize.brentq(allowed, inside, outside, xtol=1e-7, rtol=1e-7))
