"""A scikit-learn scorer for flips, beside ``compare``, which takes fitted estimators itself; extra ``sklearn``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from segue.errors import InputError
from segue.flips.arrays import compare
from segue.flips.estimators import is_estimator
from segue.integrations.directions import higher_is_better


@dataclass(frozen=True, eq=False)
class FlipScorer:
    """A scorer ``(estimator, X, y) -> float``: a rate of the update from the old model to the estimator.

    Attributes:
        old: The old model, fitted.
        rate: The rate's name in ``segue.flips.FlipReport``.
        sign: 1 where more of the rate is better, else -1, so that a greater score is always better.
    """

    old: Any
    rate: str
    sign: int

    def __call__(self, estimator: Any, inputs: Any, labels: Any, sample_weight: Any = None) -> float:
        """Score a fitted estimator.

        Args:
            estimator: The new model.
            inputs: What both models predict from.
            labels: The truth, ``(n,)``.
            sample_weight: Sample weights, ``(n,)``.

        Returns:
            The rate times the sign; NaN where it is undefined.

        Raises:
            InputError: If a model can't predict, or fractional flips lack probabilities.
        """
        report = compare(labels, self.old, estimator, inputs=inputs, weights=sample_weight)
        if self.rate not in report.rates:
            raise InputError(
                f"{self.rate} needs probabilities, but {type(estimator).__name__} has no predict_proba; pass another "
                f"rate, such as 'negative_flip_rate'"
            )
        return self.sign * report.rates[self.rate].value


def negative_flip_scorer(old: Any, rate: str = "negative_flip_rate") -> FlipScorer:
    """Make a scorer for ``cross_validate``, ``GridSearchCV`` and their like.

    Scores of rates that are better when small are negative, as with scikit-learn's own ``neg_log_loss``. Mind that an
    old model which was trained on the data of a fold is right there more often than in production.

    Args:
        old: The old model, fitted.
        rate: The rate's name in ``segue.flips.FlipReport``.

    Returns:
        The scorer; it can be pickled where the old model can.

    Raises:
        InputError: If the old model can't predict, or the rate has no better direction.

    Example:
        >>> from sklearn.dummy import DummyClassifier
        >>> X, y = [[0], [0], [0], [0]], [0, 0, 0, 1]
        >>> old = DummyClassifier(strategy="constant", constant=0).fit(X, y)
        >>> new = DummyClassifier(strategy="constant", constant=1).fit(X, y)
        >>> negative_flip_scorer(old)(new, X, y)
        -0.75
    """
    if not is_estimator(old) or isinstance(old, type):
        raise InputError(f"old is {type(old).__name__!r}; pass the old model, fitted, so that each fold can ask it")
    return FlipScorer(old, rate, 1 if higher_is_better(rate) else -1)
