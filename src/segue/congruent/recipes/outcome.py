"""What came of an update: every candidate, the one that was picked, what each step bought, and why."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from safetensors.torch import save_model
from torch import nn

from segue.congruent.recipes.candidate import Candidate
from segue.congruent.recipes.choice import Rule, front
from segue.congruent.recipes.predictors import Single
from segue.errors import InputError
from segue.flips.checks import counted
from segue.flips.result import FlipReport

SUSPICIOUS = 0.1  # of the unconstrained model's right answers: so few right old ones mean classes that do not fit


@dataclass(frozen=True)
class Tried:
    """One step, and what it bought.

    Attributes:
        name: What was tried, in words.
        trainings: Plain trainings that it took.
        seconds: Seconds of training.
        candidates: How many candidates it made.
        pick: What the rule would have picked after it.
        note: Why it was not tried, or what went wrong; empty where all went well.
    """

    name: str
    trainings: float
    seconds: float
    candidates: int
    pick: Candidate
    note: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers, ready for JSON."""
        return {
            "name": self.name,
            "trainings": self.trainings,
            "seconds": self.seconds,
            "candidates": self.candidates,
            "pick": self.pick.label,
            "negative_flip_rate": self.pick.negative_flip_rate,
            "accuracy": self.pick.accuracy,
            "note": self.note,
        }

    def __str__(self) -> str:
        """Return the step in one line."""
        cost = (
            "no training" if not self.trainings else f"{self.trainings:g} plain training{'s' * (self.trainings != 1)}"
        )
        if self.note and not self.candidates:
            return f"{self.name}: {self.note}"
        return (
            f"{self.name} ({cost}): best so far {self.pick.label}, accuracy {self.pick.accuracy:.2%}, negative flips "
            f"{self.pick.negative_flip_rate:.2%}" + (f"; {self.note}" if self.note else "")
        )


@dataclass(frozen=True)
class Outcome:
    """What came of an update.

    Attributes:
        plain: The unconstrained model.
        candidates: Every candidate, measured on the validation samples.
        pick: The one that the rule picked.
        rule: The rule.
        tried: The steps, in order.
        test: Flips of the pick on test samples, if there were any.
        plain_test: Flips of the unconstrained model on the same samples.
    """

    plain: Candidate
    candidates: tuple[Candidate, ...]
    pick: Candidate
    rule: Rule
    tried: tuple[Tried, ...]
    test: FlipReport | None = field(default=None, repr=False)
    plain_test: FlipReport | None = field(default=None, repr=False)

    @property
    def front(self) -> tuple[Candidate, ...]:
        """Candidates that none beats in both accuracy and negative flips, of those that the rule allows to run."""
        return front([one for one in self.candidates if one.passes <= self.rule.passes])

    @property
    def trainings(self) -> float:
        """Plain trainings that all steps took."""
        return sum(tried.trainings for tried in self.tried)

    def model(self) -> nn.Module:
        """Return the picked model, in evaluation mode.

        Returns:
            A model of its own.

        Raises:
            InputError: If the pick is no single model.
        """
        if not isinstance(self.pick.predictor, Single):
            raise InputError(
                f"the pick, {self.pick.label}, is {self.pick.passes} models; pick with passes=1 for a single one"
            )
        return self.pick.predictor.make().eval()

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers, ready for JSON."""
        return {
            "rule": str(self.rule),
            "passes": self.rule.passes,
            "margin": getattr(self.rule, "margin", None),
            "max_negative_flip_rate": getattr(self.rule, "max_negative_flip_rate", None),
            "plain": self.plain.to_dict(),
            "pick": self.pick.to_dict(),
            "front": [one.to_dict() for one in self.front],
            "candidates": [one.to_dict() for one in self.candidates],
            "tried": [one.to_dict() for one in self.tried],
            "test": None if self.test is None else self.test.to_dict(),
            "plain_test": None if self.plain_test is None else self.plain_test.to_dict(),
        }

    def save(self, folder: str | Path) -> Path:
        """Write the picked model, the outcome as JSON and its explanation.

        Args:
            folder: Where to; made if missing.

        Returns:
            The folder.
        """
        place = Path(folder)
        place.mkdir(parents=True, exist_ok=True)
        if isinstance(self.pick.predictor, Single):
            save_model(self.model(), str(place / "model.safetensors"))
            (place / "model.safetensors").chmod(0o644)  # as the other files: whoever serves it must read it
        else:
            (place / "model.safetensors").unlink(missing_ok=True)  # an earlier pick's
        (place / "outcome.json").write_text(json.dumps(self.to_dict(), indent=1) + "\n", encoding="utf-8")
        (place / "explanation.md").write_text(self.explain() + "\n", encoding="utf-8")
        return place

    def explain(self) -> str:
        """Say in plain words what was tried, what it bought, what was picked and why.

        Returns:
            A few paragraphs.
        """
        plain, pick = self.plain, self.pick
        told = [
            f"Trained without a constraint, the new model is right on {plain.accuracy:.2%} of the "
            f"{plain.counts.samples:,} validation samples (the old one on "
            f"{plain.counts.right_old / plain.counts.samples:.2%}), and breaks "
            f"{counted(plain.counts.negative_flips, 'answer')} that were right: {plain.negative_flip_rate:.2%}.",
            *_told_baseline(plain),
            *_told_chance(plain),
            "What was tried, and the best candidate after it:",
            *(f"- {one}" for one in self.tried),
            _told_pick(plain, pick, self.rule),
        ]
        if self.test is not None:
            told.append(_told_test(self.test, self.plain_test))
        return "\n".join(told)

    def __str__(self) -> str:
        """Return the explanation."""
        return self.explain()


def _told_chance(plain: Candidate) -> list[str]:
    """Return a warning where the old model is so bad that its classes are probably not those of the labels."""
    counts = plain.counts
    if counts.right_old > SUSPICIOUS * counts.right_new:
        return []
    return [
        f"WARNING: the old model is right on {counts.right_old / counts.samples:.2%} only. If it was better than that, "
        f"its classes are not those of the labels: check class_map. Nothing below means anything then."
    ]


def _told_baseline(plain: Candidate) -> list[str]:
    if plain.counts.right_new >= plain.counts.right_old:
        return []
    return [
        "The unconstrained model is worse than the old one: look at its learning rate, epochs and data before anything "
        "else, since all comparisons are with it."
    ]


def _told_pick(plain: Candidate, pick: Candidate, rule: Rule) -> str:
    if not rule.met(pick, plain):
        return (
            f"No candidate meets the rule ({rule}). The nearest one is {pick.label}: on the validation samples it "
            f"breaks {pick.negative_flip_rate:.2%} at an accuracy of {pick.accuracy:.2%} (the unconstrained model "
            f"breaks {plain.negative_flip_rate:.2%} at {plain.accuracy:.2%})."
        )
    if pick is plain:
        return f"Picked by the rule ({rule}): the unconstrained model; nothing that was tried is better."
    before, after = plain.counts.negative_flips, pick.counts.negative_flips
    change = f"{1 - after / before:.0%} fewer than" if after < before else f"against {plain.negative_flip_rate:.2%} of"
    return (
        f"Picked by the rule ({rule}): {pick.label}. On the validation samples it breaks {pick.negative_flip_rate:.2%} "
        f"({change} the unconstrained model) at an accuracy of {pick.accuracy:.2%} "
        f"({100 * (pick.accuracy - plain.accuracy):+.2f} points). The choice flatters these numbers: the best of many "
        f"candidates was lucky, too."
    )


def _told_test(test: FlipReport, plain: FlipReport | None) -> str:
    words = (
        f"On {test.samples:,} test samples: accuracy {test.accuracy_new.percent()}, negative flips "
        f"{test.negative_flip_rate.percent()}"
    )
    if plain is None:
        return words + "."
    return words + (
        f"; the unconstrained model: accuracy {plain.accuracy_new.percent()}, negative flips "
        f"{plain.negative_flip_rate.percent()}. Of the unconstrained model's accuracy the pick "
        f"{_told_gain(test.accuracy_new.value - plain.accuracy_new.value)}, of its negative flips it "
        f"{_told_saved(plain.negative_flips, test.negative_flips)}."
    )


def _told_gain(gain: float) -> str:
    return f"loses {-100 * gain:.2f} points" if gain < 0 else f"loses nothing ({100 * gain:+.2f} points)"


def _told_saved(before: int, after: int) -> str:
    if not before:
        return f"has none to save, and makes {after:,}"
    return f"saves {1 - after / before:.0%}" if after <= before else f"saves none: it makes {after - before:,} more"
