"""What rules for two models at prediction time share: a setting chosen on validation samples, and how it is kept."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segue.congruent.decisions.class_sets import ClassMap
from segue.congruent.decisions.mixing import choose, read_rule, write_rule
from segue.congruent.decisions.pairs import ClassPair, Pair
from segue.congruent.decisions.validation import Validation
from segue.errors import InputError
from segue.flips import FlipReport, compare


class PairRule(ABC):
    """Chooses between the answers of an old and a new model.

    Attributes:
        classes: The classes of both models.
        validation: What was found on the validation set.
    """

    schema: ClassVar[str]
    """Name and version of the form on disk."""
    knob: ClassVar[str]
    """The attribute that was chosen."""
    settings: ClassVar[Sequence[float]]
    """Its values, the new model itself first."""
    told: ClassVar[str]
    """What the rule is called."""
    article: ClassVar[str]

    classes: ClassPair
    validation: Validation

    if TYPE_CHECKING:

        def __init__(self, setting: float, classes: ClassPair, validation: Validation) -> None: ...

    @staticmethod
    @abstractmethod
    def answers(pair: Pair, setting: float) -> NDArray[np.int64]:
        """Return the answers of the rule with a setting.

        Args:
            pair: Both models' probabilities.
            setting: The setting.

        Returns:
            Positions of classes, ``(n,)``.
        """

    @property
    def _setting(self) -> float:
        return float(getattr(self, self.knob))

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
    ) -> Self:
        """Choose the setting on labelled validation samples that neither model was trained on.

        Settings are tried in the order of ``settings`` until one can't be shown to keep to the margin. Of those before
        it, the one with the fewest negative flips is taken. Where the samples are too few to show anything, that is the
        new model itself.

        Args:
            labels: The truth in the new model's classes, ``(n,)``.
            old_probabilities: The old model's probabilities or logits ``(n, old classes)``, or its stored answers
                ``(n,)``.
            new_probabilities: The new model's probabilities or logits, ``(n, classes)``; the same of both models.
            margin: The accuracy that may be lost against the new model, a share.
            confidence: Probability with which the rule keeps to the margin, at least.
            classes: The class of each of the new model's columns; 0, 1, ... by default.
            old_classes: The class of each of the old model's columns; the new model's by default.
            class_map: The new class of each old class, where names differ.

        Returns:
            The rule.

        Raises:
            InputError: If shapes or classes do not fit, values are missing, a number is out of its range, or
                probabilities of one model stand beside logits of the other.
        """
        return cls(
            *choose(
                cls.answers,
                cls.settings,
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
            old: The old model's probabilities, logits or stored answers, in the form that the rule was fitted with.
            new: The new model's probabilities or logits, ``(n, classes)``.

        Returns:
            One of the new model's classes for each sample, ``(n,)``.

        Raises:
            InputError: If shapes do not fit, values are missing, or logits stand where the rule was fitted with
                probabilities, or the other way round.
        """
        return self.classes.named(self.answers(self.classes.read(old, new, ("old", "new")), self._setting))

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
        return compare(labels, self.classes.named(pair.old_answers), self.decide(old, new), names=("old", self.told))

    def to_dict(self) -> dict[str, Any]:
        """Return the rule, ready for JSON."""
        return {
            "schema": self.schema,
            self.knob: self._setting,
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
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read a rule that was saved.

        Args:
            path: The file.

        Returns:
            The rule.

        Raises:
            InputError: If there is no such file, or it is damaged or something else.
        """
        found = read_rule(path, cls.schema)
        try:
            validation = Validation.from_dict(found["validation"])
            return cls(float(found[cls.knob]), ClassPair.from_dict(found), validation)
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(
                f"{Path(path).name} lacks parts of {cls.article} {cls.told} ({error}); restore it"
            ) from error
