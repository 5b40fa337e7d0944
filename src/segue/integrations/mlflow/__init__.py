"""MLflow: log reports, hold a challenger against the registry's champion, flips in ``evaluate``; extra ``mlflow``."""

from __future__ import annotations

from segue.integrations.mlflow.evaluation import flip_metric
from segue.integrations.mlflow.tracking import log_report
from segue.integrations.mlflow.validation import ChallengerValidation, validate_challenger

__all__ = ["ChallengerValidation", "flip_metric", "log_report", "validate_challenger"]
