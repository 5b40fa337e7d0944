"""A ``torchmetrics.Metric`` for each rate; extra ``torchmetrics``.

``update(new, old, labels)`` takes answers ``(n,)`` or logits ``(n, classes)`` on any device. States are counts, so that
distributed training gives the same numbers as one process, to the last digit.
"""

from __future__ import annotations

from segue.integrations.torchmetrics.metrics import (
    METRICS,
    AccuracyChange,
    AccuracyNew,
    AccuracyOld,
    BackwardErrorCompatibilityGivenNewError,
    BackwardErrorCompatibilityGivenOldError,
    BackwardTrustCompatibility,
    BadChurn,
    Churn,
    FlipCounts,
    FlipMetric,
    Flips,
    FractionalFlips,
    GoodChurn,
    NegativeFlipImpact,
    NegativeFlipRate,
    PositiveFlipImpact,
    PositiveFlipRate,
    RelativeNegativeFlipRate,
)

__all__ = [
    "METRICS",
    "AccuracyChange",
    "AccuracyNew",
    "AccuracyOld",
    "BackwardErrorCompatibilityGivenNewError",
    "BackwardErrorCompatibilityGivenOldError",
    "BackwardTrustCompatibility",
    "BadChurn",
    "Churn",
    "FlipCounts",
    "FlipMetric",
    "Flips",
    "FractionalFlips",
    "GoodChurn",
    "NegativeFlipImpact",
    "NegativeFlipRate",
    "PositiveFlipImpact",
    "PositiveFlipRate",
    "RelativeNegativeFlipRate",
]
