"""What each number of a report is called on the page, and what it means in one sentence."""

from __future__ import annotations

from dataclasses import dataclass

from segue.flips.graded import GradedReport
from segue.flips.result import FlipReport
from segue.report import words

SHARE, POINTS, NUMBER = "share", "points", "number"

MEANINGS = {
    "accuracy_old": (SHARE, "Accuracy, old", "Share of samples that the old model gets right."),
    "accuracy_new": (SHARE, "Accuracy, new", "Share of samples that the new model gets right."),
    "accuracy_change": (POINTS, "Accuracy change", "New minus old: mended minus broken samples."),
    "negative_flip_rate": (SHARE, "Negative flip rate", "Share of samples that the update breaks."),
    "positive_flip_rate": (SHARE, "Positive flip rate", "Share of samples that the update mends."),
    "relative_negative_flip_rate": (
        NUMBER,
        "Relative negative flip rate",
        "Broken samples over those that two models with independent errors would break: 1 is no better than chance.",
    ),
    "negative_flip_impact": (SHARE, "Negative flip impact", "Share of the new model's errors that are new."),
    "positive_flip_impact": (
        SHARE,
        "Positive flip impact",
        "Share of the new model's right answers that the old one did not have.",
    ),
    "backward_trust_compatibility": (
        SHARE,
        "Backward trust compatibility",
        "Share of the old model's right answers that stay right.",
    ),
    "backward_error_compatibility_given_old_error": (
        SHARE,
        "Backward error compatibility, of old errors",
        "Share of the old model's errors that remain errors.",
    ),
    "backward_error_compatibility_given_new_error": (
        SHARE,
        "Backward error compatibility, of new errors",
        "Share of the new model's errors that the old one made, too.",
    ),
    "churn": (SHARE, "Churn", "Share of samples whose answer changes at all."),
    "good_churn": (SHARE, "Good churn", "Share of samples whose answer changes from wrong to right."),
    "bad_churn": (SHARE, "Bad churn", "Share of samples whose answer changes to a wrong one."),
    "fractional_flips": (
        NUMBER,
        "Fractional flips",
        "Broken samples weighted by how much surer the new model is of its answer than of the label.",
    ),
    "score_old": (NUMBER, "Mean score, old", "Mean score of the old model."),
    "score_new": (NUMBER, "Mean score, new", "Mean score of the new model."),
    "score_change": (NUMBER, "Score change", "Mean of new minus old score."),
    "mean_gain": (NUMBER, "Mean gain", "By how much the samples that win, win on average."),
    "mean_regression": (NUMBER, "Mean regression", "By how much the samples that lose, lose on average."),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class RateRow:
    """A number of the report as the page writes it."""

    key: str
    title: str
    meaning: str
    value: str
    low: str
    high: str


def rate_rows(report: FlipReport | GradedReport) -> tuple[RateRow, ...]:
    """Return every number of a report in words.

    Args:
        report: What was measured.

    Returns:
        One row per number, in the report's order.
    """
    found = []
    for key, estimate in report.rates.items():
        kind, title, meaning = MEANINGS.get(key, (NUMBER, key.replace("_", " ").capitalize(), ""))
        value, low, high = (_written(number, kind) for number in (estimate.value, estimate.low, estimate.high))
        found.append(RateRow(key, title, meaning, value, low, high))
    return tuple(found)


def methods(report: FlipReport | GradedReport) -> tuple[str, ...]:
    """Return in sentences how the numbers were computed.

    Args:
        report: What was measured.

    Returns:
        One sentence each on intervals, test and slices.
    """
    told = []
    if report.groups is not None:
        told.append(
            f"The samples come in {words.count(report.groups, 'group')}. Intervals take each group for one "
            f"observation: the wider of Clopper and Pearson's with the effective sample size and the bootstrap's."
        )
    elif report.weighted:
        told.append("Samples are weighted. Intervals are Clopper and Pearson's with the effective sample size.")
    else:
        told.append("Intervals of rates are exact (Clopper and Pearson).")
    if isinstance(report, GradedReport):
        told.append("Intervals of mean scores are Student's.")
    else:
        told.append(
            "The interval of the accuracy change is Tango's score interval for pairs, that of the relative negative "
            "flip rate the profile likelihood's."
        )
    told.append(f"Test of {_hypothesis(report)}: {report.test}.")
    if report.slices:
        told.append(
            f"Slices are compared with the samples outside them; p-values are adjusted for "
            f"{words.count(len(report.slices), 'slice')} (Benjamini and Hochberg)."
        )
    if report.discovery is not None:
        told.append(
            "Discovered slices were found on one half of the samples and tested on the other, adjusted by Holm."
        )
    told.append(
        f"An interval at {100 * report.confidence:g}% holds the true value in that share of all such samples of data."
    )
    return tuple(told)


def _hypothesis(report: FlipReport | GradedReport) -> str:
    return "as many samples losing as winning" if isinstance(report, GradedReport) else "equal accuracy"


def _written(value: float, kind: str) -> str:
    if kind == SHARE:
        return words.percent(value, 2)
    if kind == POINTS:
        return words.percent(value, 2, signed=True)
    return words.number(value)
