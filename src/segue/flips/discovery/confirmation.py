r"""The test that a slice found on one part of the data must pass on another.

The null hypothesis of a slice is that flips are no more frequent inside than outside. Given how many samples lie
inside, how many there are and how many flipped, the number of flips inside is then hypergeometric, and Fisher's exact
one-sided test needs no model of the two networks.

Weighted or grouped samples are worth fewer independent ones. With weights ``w``, slice indicator ``s`` with weighted
share :math:`\bar s`, flips ``f`` with weighted rate :math:`\bar f`, and a correlation :math:`\rho` of flips within a
group that is estimated on all samples, so that a slice's own excess does not hide it, the variance of the excess

.. math:: T = \sum_i w_i (s_i - \bar s)(f_i - \bar f)

under the null hypothesis is :math:`\bar f(1-\bar f)\,B` with

.. math:: B = \sum_i a_i^2\,\phi + \rho\,\max\Big(0, \sum_g \big(\sum_{i \in g} a_i\big)^2 - \sum_i a_i^2\Big),
          \qquad a_i = w_i (s_i - \bar s)

where :math:`\phi = \sum_i w_i^2 (f_i - \bar f)^2 / (\bar f(1-\bar f) \sum_i w_i^2)` lets heavy samples flip more often
than light ones. ``T`` has the variance of :math:`N = (\sum w)^2\, \bar s(1-\bar s) / B` independent samples, and the
test is a binomial one with the counts scaled to ``N`` (the idea of Rao and Scott, J. Am. Stat. Assoc. 76, 1981): exact
in its skewness, which a normal approximation of rare flips is not, and a little conservative.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats

Floats = NDArray[np.float64]

# Of sums of up to millions of weights, relative.
ROUNDING = 1e-9


def exact_excess(flips_inside: int, inside: int, flips: int, samples: int) -> float:
    """One-sided p-value of Fisher's exact test that flips are more frequent inside a slice than outside.

    Args:
        flips_inside: Flips in the slice.
        inside: Samples in the slice.
        flips: All flips.
        samples: All samples.

    Returns:
        The p-value; 1 where the slice is empty or holds all samples.

    Example:
        >>> round(exact_excess(3, 3, 3, 6), 6)  # one of the 20 ways to choose 3 of 6
        0.05
    """
    return float(min(stats.hypergeom.sf(flips_inside - 1, samples, flips, inside), 1.0))


def effective_excess(rate_inside: float, rate: float, share: float, samples: float, skew: float = 1.0) -> float:
    r"""The same for an effective, possibly fractional number of independent samples.

    The flips inside are binomial either as a share of all flips or as a rate among the samples inside; both have a
    larger variance than the hypergeometric they stand for, and the smaller of the two is taken. Where weights differ,
    a sum of weighted flips is more skewed than as many equal ones by the factor

    .. math:: \kappa = \sum w^3 \sum w \Big/ \big(\sum w^2\big)^2

    over the flips, and the binomial is shifted and made shorter so that its first three moments are right.

    Args:
        rate_inside: (Weighted) rate of flips in the slice.
        rate: (Weighted) rate of flips among all samples.
        share: (Weighted) share of the slice.
        samples: Effective number of samples.
        skew: The factor :math:`\kappa`, at least 1.

    Returns:
        The p-value.
    """
    # equal rates are no excess, whatever the rounding of their weights
    if not (0 < rate < 1 and 0 < share < 1) or rate_inside <= rate * (1 + ROUNDING):
        return 1.0
    expected = rate * share * samples
    inside = expected / skew**2 + (rate_inside * share * samples - expected) / skew
    trials, chance = (rate * samples, share) if rate < share else (share * samples, rate)
    return float(special.betainc(inside, max(trials / skew**2 - inside, 0.0) + 1.0, chance))


@dataclass(frozen=True)
class Outcomes:
    """Which samples flipped, and how much they count.

    Attributes:
        flipped: Whether each sample flipped, ``(n,)``.
        weights: Their weights, ``(n,)``; ``None`` for one each.
        groups: Number of the group of each, ``(n,)``; ``None`` where samples are independent.
    """

    flipped: NDArray[np.bool_]
    weights: Floats | None = None
    groups: NDArray[np.int64] | None = None

    def part(self, rows: NDArray[np.bool_] | NDArray[np.intp]) -> Outcomes:
        """Return some of the samples, chosen by truth values or row numbers."""
        return Outcomes(
            self.flipped[rows],
            None if self.weights is None else self.weights[rows],
            None if self.groups is None else self.groups[rows],
        )

    @property
    def independent(self) -> bool:
        """Whether each sample counts once and on its own."""
        return self.weights is None and self.groups is None

    @property
    def mass(self) -> Floats:
        """The weights, or ones, ``(n,)``."""
        return np.ones(len(self.flipped)) if self.weights is None else self.weights


def group_correlation(outcomes: Outcomes) -> float:
    r"""Correlation of two samples' flips within a group, by moments, at least 0.

    .. math:: \rho = \frac{\sum_g \big[(\sum_{i \in g} r_i)^2 - \sum_{i \in g} r_i^2\big]}
              {\bar f (1 - \bar f) \sum_g \big[(\sum_{i \in g} w_i)^2 - \sum_{i \in g} w_i^2\big]},
              \qquad r_i = w_i (f_i - \bar f)

    Args:
        outcomes: The samples.

    Returns:
        The correlation, in [0, 1]; 0 where there are no groups, or no group has two samples.

    Example:
        >>> alike = Outcomes(np.array([True, True, False, False]), groups=np.array([0, 0, 1, 1]))
        >>> group_correlation(alike)
        1.0
    """
    w = outcomes.mass
    if outcomes.groups is None or not w.any():
        return 0.0
    rate = float(np.average(outcomes.flipped, weights=w))
    residual = w * (outcomes.flipped - rate)
    together = _between(residual, outcomes.groups)
    pairs = rate * (1 - rate) * _between(w, outcomes.groups)
    return min(max(together / pairs, 0.0), 1.0) if pairs > 0 else 0.0


def excess_p_value(inside: NDArray[np.bool_], outcomes: Outcomes) -> float:
    """One-sided p-value that flips are more frequent inside a slice than outside.

    Args:
        inside: Whether each sample lies in the slice, ``(n,)``.
        outcomes: The samples.

    Returns:
        The p-value; 1 where the slice is empty, holds all samples, or has no excess.
    """
    flipped = outcomes.flipped
    if outcomes.independent:
        return exact_excess(int((inside & flipped).sum()), int(inside.sum()), int(flipped.sum()), len(inside))
    w = outcomes.mass
    total, within = float(w.sum()), float(w[inside].sum())
    if not 0 < within < total:
        return 1.0
    share, rate = within / total, float(w[flipped].sum()) / total
    if not 0 < rate < 1:
        return 1.0
    leverage = w * (inside - share)
    alone = float(np.sum(leverage**2))
    spread = alone * float(np.sum(w**2 * (flipped - rate) ** 2) / (rate * (1 - rate) * np.sum(w**2)))
    if outcomes.groups is not None:
        spread += group_correlation(outcomes) * max(_between(leverage, outcomes.groups), 0.0)
    samples = total**2 * share * (1 - share) / spread
    hits = w[flipped]
    skew = float(np.sum(hits**3) * np.sum(hits) / np.sum(hits**2) ** 2)
    return effective_excess(float(w[inside & flipped].sum()) / within, rate, share, samples, max(skew, 1.0))


def _between(values: Floats, groups: NDArray[np.int64]) -> float:
    """Return the sum of the products of all ordered pairs of samples within a group."""
    return float(np.sum(np.bincount(groups, values) ** 2) - np.sum(values**2))


def weighted_holm(p_values: Sequence[float] | Floats, weights: Sequence[float] | Floats) -> Floats:
    """Return p-values adjusted for their number by Holm's weighted step-down procedure (Scand. J. Stat. 6, 1979).

    Args:
        p_values: The p-values, ``(tests,)``.
        weights: What share of the error each test may spend, ``(tests,)``, in any unit; fixed without a look at the
            data that the p-values come from.

    Returns:
        The adjusted p-values: rejecting those at most ``q`` makes one or more false rejections with probability at
        most ``q``, however the tests depend on each other.

    Example:
        >>> weighted_holm([0.01, 0.04, 0.03], [1, 1, 1]).round(10).tolist()
        [0.03, 0.06, 0.06]
        >>> weighted_holm([0.04, 0.02], [4, 1]).round(10).tolist()
        [0.05, 0.05]
    """
    p, share = np.asarray(p_values, dtype=np.float64), np.asarray(weights, dtype=np.float64)
    order = np.argsort(p / share, kind="stable")
    remaining = np.cumsum(share[order][::-1])[::-1]
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(np.maximum.accumulate(p[order] / share[order] * remaining), 1.0)
    return adjusted
