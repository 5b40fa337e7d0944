"""Keep the old answer where switching is not worth the risk: a threshold, validated before it is used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from segue.congruent.decisions.pair_rule import PairRule
from segue.congruent.decisions.pairs import ClassPair, Pair
from segue.congruent.decisions.validation import Validation

SCHEMA = "segue.congruent.decisions.switch/1"
THRESHOLDS = tuple((np.arange(-100, 101) / 100).tolist())


@dataclass(frozen=True)
class SwitchRule(PairRule):
    r"""Switch to the new answer only where both models together prefer it to the old one by enough.

    .. math:: \text{switch} \iff \bar p(\hat y^{new}) - \bar p(\hat y^{old}) \ge \tau,
        \quad \bar p = \tfrac12 (p^{old} + p^{new})

    With :math:`\tau = -1` it is the new model. What it costs: both models' outputs are needed for each sample, so
    both run, or the old model's answers are stored (its answers alone do, :math:`p^{old}` is then 1 at the answer).

    Attributes:
        threshold: :math:`\tau`, in [-1, 1].
        classes: The classes of both models.
        validation: What was found on the validation set.

    Example:
        >>> labels = [0] * 300 + [1] * 300
        >>> old = np.tile([[0.9, 0.1]], (600, 1))  # always answers 0
        >>> new = np.vstack([np.tile([[0.4, 0.6]], (20, 1)), np.tile([[0.9, 0.1]], (280, 1)),
        ...                  np.tile([[0.05, 0.95]], (300, 1))])  # breaks 20 answers, unsurely, and mends 300
        >>> rule = SwitchRule.fit(labels, old, new, margin=0.02)
        >>> rule.decide(old, new).tolist() == labels
        True
    """

    threshold: float
    classes: ClassPair
    validation: Validation

    schema: ClassVar[str] = SCHEMA
    knob: ClassVar[str] = "threshold"
    settings: ClassVar[Sequence[float]] = THRESHOLDS
    told: ClassVar[str] = "switch rule"
    article: ClassVar[str] = "a"

    @staticmethod
    def answers(pair: Pair, setting: float) -> NDArray[np.int64]:
        """Return the answers of the rule with a setting; see :func:`switched`."""
        return switched(pair, setting)

    def __str__(self) -> str:
        """Return in words what the rule does and costs."""
        does = (
            "Always take the new answer: nothing else could be shown to keep to the margin; validate on more samples, "
            "or allow a larger margin."
            if self.threshold <= THRESHOLDS[0]
            else f"Where the two models differ, take the new answer if their mean probability of it exceeds that of "
            f"the old one by {self.threshold:g} or more; else keep the old one."
        )
        cost = "the stored old answers" if self.classes.stored_answers else "both models' outputs"
        return f"{does} {self.validation} It needs {cost} for each sample."


def switched(pair: Pair, threshold: float) -> NDArray[np.int64]:
    """Return the answers of the rule with a threshold.

    Args:
        pair: Both models' probabilities.
        threshold: How much the mean probability of the new answer must exceed that of the old one.

    Returns:
        Positions of classes, ``(n,)``.
    """
    rows = np.arange(len(pair.new))
    mean = (pair.old + pair.new) / 2
    gain = mean[rows, pair.new_answers] - mean[rows, pair.old_answers]
    return np.where(gain >= threshold, pair.new_answers, pair.old_answers)
