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


def relative_limits(cells: Sequence[int], confidence: float) -> tuple[float, float]:
    """Limits of the relative rate: move each of its three parts to each of its exact ends, add the squares."""
    a, b, c, d = cells
    parts = [(a + b, a + b + c + d), (b, a + b), (d, c + d)]
    ends = [stats.binomtest(k, n).proportion_ci(confidence) if n else (0.0, 1.0) for k, n in parts]
    middle = [k / n if n else 0.0 for k, n in parts]

    def relative(accuracy: float, on_right: float, on_wrong: float) -> float:
        return on_right / (accuracy * on_right + (1 - accuracy) * on_wrong)

    down = up = 0.0
    for k in range(3):
        for end in ends[k]:
            step = relative(*middle[:k], end, *middle[k + 1 :]) - relative(*middle)
            down, up = down + min(step, 0) ** 2, up + max(step, 0) ** 2
    return relative(*middle) - down**0.5, relative(*middle) + up**0.5
