"""Average the two models' probabilities, with a weight that is validated before it is used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from segue.congruent.decisions.pair_rule import PairRule
from segue.congruent.decisions.pairs import ClassPair, Pair
from segue.congruent.decisions.validation import Validation

SCHEMA = "segue.congruent.decisions.average/1"
WEIGHTS = tuple((np.arange(0, 21) / 20).tolist())


@dataclass(frozen=True)
class AverageRule(PairRule):
    r"""Answer the class with the highest weighted mean of both models' probabilities.

    .. math:: \hat y = \arg\max_k \; w \, p^{old}_k + (1 - w) \, p^{new}_k

    The simplest ensemble; it may answer what neither model does, and be more accurate than both. What it costs: both
    models run for each sample, or the old model's outputs are stored.

    Attributes:
        weight: :math:`w`, in [0, 1]; 0 is the new model.
        classes: The classes of both models.
        validation: What was found on the validation set.
    """

    weight: float
    classes: ClassPair
    validation: Validation

    schema: ClassVar[str] = SCHEMA
    knob: ClassVar[str] = "weight"
    settings: ClassVar[Sequence[float]] = WEIGHTS
    told: ClassVar[str] = "average rule"
    article: ClassVar[str] = "an"

    @staticmethod
    def answers(pair: Pair, setting: float) -> NDArray[np.int64]:
        """Return the answers of the rule with a setting; see :func:`averaged`."""
        return averaged(pair, setting)

    def __str__(self) -> str:
        """Return in words what the rule does and costs."""
        does = (
            "Always take the new answer: nothing else could be shown to keep to the margin; validate on more samples, "
            "or allow a larger margin."
            if self.weight <= WEIGHTS[0]
            else f"Answer the class with the highest mean of {self.weight:g} times the old and {1 - self.weight:g} "
            f"times the new model's probabilities."
        )
        cost = "the stored old answers" if self.classes.stored_answers else "both models' outputs"
        return f"{does} {self.validation} It needs {cost} for each sample."


def averaged(pair: Pair, weight: float) -> NDArray[np.int64]:
    """Return the answers of the rule with a weight.

    Args:
        pair: Both models' probabilities.
        weight: Weight of the old model.

    Returns:
        Positions of classes, ``(n,)``.
    """
    mean = weight * pair.old + (1 - weight) * pair.new
    return np.asarray(mean.argmax(axis=1))
