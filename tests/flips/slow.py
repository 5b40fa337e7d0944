"""Slow, obvious references: loops over samples that follow the definitions word for word."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy import optimize, stats


def share(hits: Sequence[bool], among: Sequence[bool] | None = None, weights: Sequence[float] | None = None) -> float:
    """P(hit | among), NaN where nothing is among."""
    among = [True] * len(hits) if among is None else among
    weights = [1.0] * len(hits) if weights is None else weights
    total = sum(w for w, a in zip(weights, among, strict=True) if a)
    hit = sum(w for w, a, h in zip(weights, among, hits, strict=True) if a and h)
    return hit / total if total else float("nan")


def rates(
    labels: Sequence[Any], old: Sequence[Any], new: Sequence[Any], weights: Sequence[float] | None = None
) -> dict[str, float]:
    """Every rate from its definition (methods of the papers named in FlipReport)."""
    rows = list(zip(labels, old, new, strict=True))
    o_right, o_wrong = [y == o for y, o, _ in rows], [y != o for y, o, _ in rows]
    n_right, n_wrong = [y == n for y, _, n in rows], [y != n for y, _, n in rows]
    negative = [y == o and y != n for y, o, n in rows]
    positive = [y != o and y == n for y, o, n in rows]

    def p(hits: Sequence[bool], among: Sequence[bool] | None = None) -> float:
        return share(hits, among, weights)

    expected = p(o_right) * p(n_wrong)
    return {
        "accuracy_old": p(o_right),
        "accuracy_new": p(n_right),
        "accuracy_change": p(n_right) - p(o_right),
        "negative_flip_rate": p(negative),
        "positive_flip_rate": p(positive),
        "relative_negative_flip_rate": p(negative) / expected if expected else 0.0,
        "negative_flip_impact": p(o_right, n_wrong) if any(n_wrong) else 0.0,
        "positive_flip_impact": p(o_wrong, n_right),
        "backward_trust_compatibility": p(n_right, o_right),
        "backward_error_compatibility_given_old_error": p(n_wrong, o_wrong),
        "backward_error_compatibility_given_new_error": p(o_wrong, n_wrong),
        "churn": p([o != n for _, o, n in rows]),
        "good_churn": p(positive),
        "bad_churn": p([o != n and n != y for y, o, n in rows]),
    }


def tango(negative: int, positive: int, samples: int, confidence: float) -> tuple[float, float]:
    """Tango's interval with the constrained likelihood maximised numerically instead of by its closed form."""
    z = stats.norm.ppf((1 + confidence) / 2)
    rest = samples - negative - positive

    def score(delta: float) -> float:
        def loss(q: float) -> float:
            pairs = ((positive, q + delta), (negative, q), (rest, 1 - 2 * q - delta))
            return -sum(k * np.log(p) for k, p in pairs if k)

        bounds = (max(0.0, -delta) + 1e-13, (1 - delta) / 2 - 1e-13)
        q = optimize.minimize_scalar(loss, bounds=bounds, method="bounded", options={"xatol": 1e-12}).x
        return float((positive - negative - samples * delta) / np.sqrt(samples * (2 * q + delta * (1 - delta))))

    change = (positive - negative) / samples
    low = optimize.brentq(lambda d: score(d) - z, -1 + 1e-6, change)
    high = optimize.brentq(lambda d: score(d) + z, change, 1 - 1e-6)
    return low, high


def relative_limits(a: int, b: int, c: int, d: int, confidence: float) -> tuple[float, float]:
    """Profile-likelihood limits of b n / ((a + b)(b + d)) with both margins fitted by a general optimiser."""
    cells = np.array([a, b, c, d], dtype=float)
    n = cells.sum()
    best = sum(k * np.log(k / n) for k in cells if k)
    cut = stats.chi2.ppf(confidence, 1) / 2

    def excess(log_theta: float) -> float:
        theta = np.exp(log_theta)

        def loss(x: np.ndarray) -> float:
            p, q = 1 / (1 + np.exp(-x))
            fitted = np.array([p - theta * p * q, theta * p * q, 1 - p - q + theta * p * q, q - theta * p * q])
            return 1e12 if (fitted <= 0).any() else -float(cells @ np.log(fitted))

        starts = [np.log([(a + b + 0.5) / (c + d + 0.5), (b + d + 0.5) / (a + c + 0.5)]), np.array([0.3, -2.0])]
        options = {"xatol": 1e-10, "fatol": 1e-11, "maxiter": 20_000}
        return best - cut + min(optimize.minimize(loss, s, method="Nelder-Mead", options=options).fun for s in starts)

    centre = np.log(b * n / ((a + b) * (b + d))) if b else np.log(0.3 / n)
    low = np.exp(optimize.brentq(excess, centre - 8, centre, xtol=1e-10)) if b else 0.0
    top = centre
    while excess(top) < 0:
        top += 0.2
    return float(low), float(np.exp(optimize.brentq(excess, top - 0.2, top, xtol=1e-10)))
