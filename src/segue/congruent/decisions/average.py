"""Average the two models' probabilities, with a weight that is validated before it is used."""

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

SCHEMA = "segue.congruent.decisions.average/1"
WEIGHTS = tuple((np.arange(0, 21) / 20).tolist())


@dataclass(frozen=True)
class AverageRule:
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
    ) -> AverageRule:
        """Choose the weight on labelled validation samples that neither model was trained on.

        The weights 0, 0.05, ... are tried in this order until one can't be shown to keep to the margin. Of those
        before it, the one with the fewest negative flips is taken.

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
                averaged,
                WEIGHTS,
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
        return self.classes.named(averaged(self.classes.read(old, new, ("old", "new")), self.weight))

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
            labels, self.classes.named(pair.old_answers), self.decide(old, new), names=("old", "average rule")
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the rule, ready for JSON."""
        return {
            "schema": SCHEMA,
            "weight": self.weight,
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
    def load(cls, path: str | os.PathLike[str]) -> AverageRule:
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
            return cls(float(found["weight"]), ClassPair.from_dict(found), Validation.from_dict(found["validation"]))
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f"{Path(path).name} lacks parts of an average rule ({error}); restore it") from error

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
