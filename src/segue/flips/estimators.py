"""Fitted estimators in place of their answers: anything with ``predict``, such as scikit-learn's classifiers."""

from __future__ import annotations

from typing import Any

import numpy as np

from segue.errors import InputError
from segue.flips.answers import Predictions
from segue.flips.checks import class_column


def is_estimator(values: Any) -> bool:
    """Return whether the caller passed a model, not its answers.

    Args:
        values: What the caller passed.

    Returns:
        Whether it can be asked to predict.
    """
    return callable(getattr(values, "predict", None))


def predictions_of(model: Any, name: str, inputs: Any | None) -> Predictions:
    """Ask a fitted classifier for its answers, and for its probabilities where it gives any.

    The answers are those of ``predict``, which need not be the most probable class (tuned thresholds).

    Args:
        model: A fitted classifier with ``predict`` and perhaps ``predict_proba`` and ``classes_``.
        name: What the caller calls it.
        inputs: What it predicts from.

    Returns:
        Its answers.

    Raises:
        InputError: If there are no inputs, or the model is not fitted or can't take them.
    """
    if inputs is None:
        raise InputError(f"{name} is a fitted {type(model).__name__}; pass inputs=X as well, what it predicts from")
    try:
        answers = class_column(model.predict(inputs), f"{name}.predict(inputs)")
        probabilities = model.predict_proba(inputs) if hasattr(model, "predict_proba") else None
    except InputError:
        raise
    except Exception as error:  # the model is the caller's: whatever it raises is told as its own words
        raise InputError(f"{name} ({type(model).__name__}) can't predict from inputs: {error}") from error
    if probabilities is None or not hasattr(model, "classes_"):
        return Predictions(answers)
    return Predictions(
        answers, np.asarray(probabilities, dtype=np.float64), class_column(model.classes_, f"{name}.classes_")
    )
