"""Fitted estimators in place of their answers: anything with ``predict``, such as scikit-learn's classifiers."""

from __future__ import annotations

from typing import Any

import numpy as np

from segue.errors import InputError
from segue.flips.answers import Predictions, read_predictions
from segue.flips.checks import as_array, class_column

LONGEST = 300


def is_estimator(values: Any) -> bool:
    """Return whether the caller passed a model, not its answers.

    Args:
        values: What the caller passed.

    Returns:
        Whether it can be asked to predict.
    """
    return callable(getattr(values, "predict", None))


def answers_of(model: Any, name: str, inputs: Any | None) -> Any:
    """Return what a fitted model's ``predict`` says.

    Args:
        model: A fitted model with ``predict``.
        name: What the caller calls it.
        inputs: What it predicts from.

    Returns:
        Its answers, unread.

    Raises:
        InputError: If there are no inputs, or the model is not fitted or can't take them.
    """
    if isinstance(model, type):
        raise InputError(f"{name} is the class {model.__name__}, not a model; pass a fitted {model.__name__}(...)")
    if inputs is None:
        raise InputError(f"{name} is a fitted {type(model).__name__}; pass inputs=X as well, what it predicts from")
    try:
        return model.predict(inputs)
    except Exception as error:  # the model is the caller's: whatever it raises is told as its own words
        raise InputError(f"{name} ({type(model).__name__}) can't predict from inputs: {one_line(error)}") from error


def predictions_of(model: Any, name: str, inputs: Any | None) -> Predictions:
    """Ask a fitted classifier for its answers, and for its probabilities where it gives any.

    The answers are those of ``predict``, which need not be the most probable class (tuned thresholds). Where
    ``predict`` itself returns probabilities ``(n, classes)``, as in Keras, the most probable class is the answer.

    Args:
        model: A fitted classifier with ``predict`` and perhaps ``predict_proba`` and ``classes_``.
        name: What the caller calls it.
        inputs: What it predicts from.

    Returns:
        Its answers.

    Raises:
        InputError: If there are no inputs, or the model is not fitted or can't take them.
    """
    said = answers_of(model, name, inputs)
    try:
        probabilities = model.predict_proba(inputs) if hasattr(model, "predict_proba") else None
    except Exception as error:  # the model is the caller's: whatever it raises is told as its own words
        raise InputError(f"{name} ({type(model).__name__}) can't predict from inputs: {one_line(error)}") from error
    answers = as_array(said, f"{name}.predict(inputs)")
    if answers.ndim == 2 and answers.shape[1] == 1:
        answers = answers[:, 0]
    if answers.ndim == 2:
        return read_predictions(answers, f"{name}.predict(inputs)")
    answers = class_column(answers, f"{name}.predict(inputs)")
    if probabilities is None or not hasattr(model, "classes_"):
        return Predictions(answers)
    return Predictions(
        answers, np.asarray(probabilities, dtype=np.float64), class_column(model.classes_, f"{name}.classes_")
    )


def one_line(error: Exception) -> str:
    r"""Return what somebody else's exception says, on one line of bounded length and without a full stop.

    Args:
        error: The exception.

    Returns:
        Its message, or its name where it has none.

    Example:
        >>> one_line(ValueError("too bad.\nSee the manual."))
        'too bad. See the manual'
    """
    told = " ".join(str(error).split()) or type(error).__name__
    return (told if len(told) <= LONGEST else told[: LONGEST - 3] + "...").removesuffix(".")
