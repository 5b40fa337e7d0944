"""The few numbers at the top of the page."""

from __future__ import annotations

from dataclasses import dataclass

from segue.flips.estimate import Estimate
from segue.flips.graded import GradedReport
from segue.flips.result import FlipReport
from segue.report import words


@dataclass(frozen=True, slots=True)
class Figure:
    """A large number.

    Attributes:
        kind: ``broken``, ``mended`` or ``plain``.
        what: What it is.
        value: The number.
        small: What to add in small print.
    """

    kind: str
    what: str
    value: str
    small: str


def figures(report: FlipReport | GradedReport) -> tuple[Figure, ...]:
    """Return the numbers to show first.

    Args:
        report: What was measured.

    Returns:
        Average, broken, mended, and for classifiers how much of that is chance.
    """
    if isinstance(report, GradedReport):
        change = report.score_change
        average = Figure(
            "plain",
            "Mean score",
            words.from_to(report.score_old.value, report.score_new.value),
            f"change {words.number(change.value, 3)} ({words.number_interval(change)})",
        )
        return average, *_flips(report, "Lost", "Won")
    change, relative = report.accuracy_change, report.relative_negative_flip_rate
    average = Figure(
        "plain",
        "Accuracy",
        f"{words.percent(report.accuracy_old.value)} → {words.percent(report.accuracy_new.value)}",
        f"{words.points(change.value)} ({words.points(change.low, unit=False)} to "
        f"{words.points(change.high, unit=False)})",
    )
    chance = Figure(
        "plain",
        "Broken, against chance",
        f"{words.fixed(relative.value, 2)} times",
        "as many as two unrelated models of these accuracies would break",
    )
    return average, *_flips(report, "Broken", "Mended"), chance


def _flips(report: FlipReport | GradedReport, broken: str, mended: str) -> tuple[Figure, Figure]:
    return (
        _figure("broken", broken, report.negative_flips, "negative flip rate", report.negative_flip_rate),
        _figure("mended", mended, report.positive_flips, "positive flip rate", report.positive_flip_rate),
    )


def _figure(kind: str, what: str, amount: int, name: str, rate: Estimate) -> Figure:
    return Figure(kind, what, f"{amount:,}", f"{name} {words.percent(rate.value)} ({words.interval(rate)})")
