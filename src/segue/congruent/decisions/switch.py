"""Keep the old answer where switching is not worth the risk: a threshold, validated before it is used."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segue.congruent.decisions.class_sets import ClassMap
from segue.congruent.decisions.mixing import choose, read_rule, write_rule
from segue.congruent.decisions.pairs import ClassPair, Pair
from segue.congruent.decisions.validation import Validation
from segue.errors import InputError
from segue.flips import FlipReport, compare

SCHEMA = "segue.congruent.decisions.switch/1"
THRESHOLDS = tuple((np.arange(-100, 101) / 100).tolist())


@dataclass(frozen=True)
class SwitchRule:
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

    @classmethod
    def fit(
        cls,
        labels: ArrayLike,
        old_probabilities: Any,
        new_probabilities: Any,
        *,
        margin: float = 0.01,
        confidence: float = 0.95,
        classes: Sequence[Any] | None = None,
        old_classes: Sequence[Any] | None = None,
        class_map: ClassMap | None = None,
    ) -> SwitchRule:
        """Choose the threshold on labelled validation samples that neither model was trained on.

        The thresholds -1, -0.99, ... are tried in this order until one can't be shown to keep to the margin. Of those
        before it, the one with the fewest negative flips is taken. Where the samples are too few to show anything,
        that is the new model itself.

        Args:
            labels: The truth in the new model's classes, ``(n,)``.
            old_probabilities: The old model's probabilities or logits ``(n, old classes)``, or its stored answers
                ``(n,)``.
            new_probabilities: The new model's probabilities or logits, ``(n, classes)``.
            margin: The accuracy that may be lost against the new model, a share.
            confidence: Probability with which the rule keeps to the margin, at least.
            classes: The class of each of the new model's columns; 0, 1, ... by default.
            old_classes: The class of each of the old model's columns; the new model's by default.
            class_map: The new class of each old class, where names differ.

        Returns:
            The rule.

        Raises:
            InputError: If shapes or classes do not fit, values are missing, or a number is out of its range.
        """
        return cls(
            *choose(
                switched,
                THRESHOLDS,
                labels,
                old_probabilities,
                new_probabilities,
                margin=margin,
                confidence=confidence,
                classes=classes,
                old_classes=old_classes,
                class_map=class_map,
            )
        )

    def decide(self, old: Any, new: Any) -> NDArray[Any]:
        """Answer.

        Args:
            old: The old model's probabilities, or its stored answers, in the form that the rule was fitted with.
            new: The new model's probabilities, ``(n, classes)``.

        Returns:
            One of the new model's classes for each sample, ``(n,)``.

        Raises:
            InputError: If shapes do not fit or values are missing.
        """
        return self.classes.named(switched(self.classes.read(old, new, ("old", "new")), self.threshold))

    def measure(self, labels: ArrayLike, old: Any, new: Any) -> FlipReport:
        """Measure on labelled samples, other ones than those of the choice, what the rule breaks and mends.

        Args:
            labels: The truth, ``(n,)``.
            old: The old model's probabilities or stored answers.
            new: The new model's probabilities, ``(n, classes)``.

        Returns:
            The report of the rule against the old model.

        Raises:
            InputError: If shapes do not fit or values are missing.
        """
        pair = self.classes.read(old, new, ("old", "new"))
        return compare(
            labels, self.classes.named(pair.old_answers), self.decide(old, new), names=("old", "switch rule")
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the rule, ready for JSON."""
        return {
            "schema": SCHEMA,
            "threshold": self.threshold,
            **self.classes.to_dict(),
            "validation": self.validation.to_dict(),
        }

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the rule as JSON.

        Args:
            path: The file.

        Raises:
            InputError: If it can't be written.
        """
        write_rule(self.to_dict(), path)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> SwitchRule:
        """Read a rule that was saved.

        Args:
            path: The file.

        Returns:
            The rule.

        Raises:
            InputError: If there is no such file, or it is damaged or something else.
        """
        found = read_rule(path, SCHEMA)
        try:
            validation = Validation.from_dict(found["validation"])
            return cls(float(found["threshold"]), ClassPair.from_dict(found), validation)
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f"{Path(path).name} lacks parts of a switch rule ({error}); restore it") from error

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
