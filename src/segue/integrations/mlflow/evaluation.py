"""Flips as a metric of ``mlflow.models.evaluate``, which ``mlflow.validate_evaluation_results`` can hold to a limit."""

from __future__ import annotations

from typing import Any

from segue.errors import InputError, require

try:
    from mlflow.metrics import MetricValue, make_metric
    from mlflow.models import EvaluationMetric
except ImportError:
    require("mlflow", "mlflow", "segue.integrations.mlflow")
    raise

from segue.flips.arrays import compare
from segue.flips.checks import as_array
from segue.flips.result import RATES
from segue.integrations.directions import higher_is_better


def flip_metric(old_predictions: Any, rate: str = "negative_flip_rate", confidence: float = 0.95) -> EvaluationMetric:
    """Make a metric that compares the evaluated model's answers with the old model's.

    The result holds ``negative_flip_rate`` and the ends of its interval, ``negative_flip_rate/low`` and
    ``negative_flip_rate/high``: a threshold on the upper end passes only what is shown with confidence.

    Args:
        old_predictions: The old model's answers on the evaluated data in its order, ``(n,)``.
        rate: The rate's name in ``segue.flips.FlipReport``.
        confidence: Coverage of its interval.

    Returns:
        The metric, for ``mlflow.models.evaluate(..., extra_metrics=[...])``.

    Raises:
        InputError: If there is no such rate or it has no better direction; when called, if predictions and labels do
            not fit together.
    """
    if rate not in RATES:
        raise InputError(f"rate is {rate!r}; pass one of {', '.join(RATES)}")
    better = higher_is_better(rate)
    old = as_array(old_predictions, "old_predictions")

    def evaluate(predictions: Any, targets: Any, metrics: Any) -> MetricValue:
        # MLflow first tries each metric on the first row alone.
        beside = old[:1] if len(predictions) == 1 else old
        measured = compare(targets, beside, predictions, confidence=confidence).rates[rate]
        return MetricValue(aggregate_results={rate: measured.value, "low": measured.low, "high": measured.high})

    make: Any = make_metric  # has no types
    metric: EvaluationMetric = make(eval_fn=evaluate, greater_is_better=better, name=rate)
    return metric
