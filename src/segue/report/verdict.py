"""The verdict in plain words: what a reader must know who reads nothing else."""

from __future__ import annotations

from segue.flips.estimate import Estimate
from segue.flips.graded import GradedReport
from segue.flips.result import FlipReport
from segue.report import words


def headline(report: FlipReport | GradedReport) -> str:
    """Return the verdict in one sentence.

    Args:
        report: What was measured.

    Returns:
        Whether the new model is better, and what it breaks.
    """
    broken, mended = report.negative_flips, report.positive_flips
    if isinstance(report, GradedReport):
        if broken == mended == 0:
            return "Nothing flips: no score changes by more than the tolerance."
        if broken == 0:
            return f"The new model raises {words.count(mended, 'score')} and lowers none."
        return _weighed(report.score_change, f"lowers {words.count(broken, 'score')}", f"raises {mended:,}")
    if broken == mended == 0:
        return "Nothing flips: both models are right on the same samples."
    if broken == 0:
        return f"The new model mends {words.count(mended, 'answer')} and breaks none."
    were = "was" if broken == 1 else "were"
    return _weighed(
        report.accuracy_change, f"breaks {words.count(broken, 'answer')} that {were} right", f"mends {mended:,}"
    )


def _weighed(change: Estimate, breaks: str, mends: str) -> str:
    if change.low > 0:
        return f"The new model is better on average, but it {breaks}."
    if change.high < 0:
        return f"The new model is worse: it {breaks} and {mends}."
    return f"No clear change on average, but the new model {breaks}."


def lead(report: FlipReport | GradedReport) -> str:
    """Return the sentences below the headline.

    Args:
        report: What was measured.

    Returns:
        How much changes on average, how often something breaks, and where that happens more than elsewhere.
    """
    average, often = _scores(report) if isinstance(report, GradedReport) else _answers(report)
    return " ".join(told for told in (average, often, _where(report)) if told)


def _answers(report: FlipReport) -> tuple[str, str]:
    change = report.accuracy_change
    average = (
        f"On {words.count(report.samples, 'sample')} accuracy goes from {words.percent(report.accuracy_old.value)} to "
        f"{words.percent(report.accuracy_new.value)}, a change of {words.points(change.value)} "
        f"({100 * report.confidence:g}% interval {words.points(change.low, unit=False)} to "
        f"{words.points(change.high)})."
    )
    lost = report.negative_flip_rate.value
    if not lost > 0:
        return average, ""
    return average, f"Of all answers, {words.one_in(lost)} {_was(lost)} right and {_is(lost)} now wrong."


def _scores(report: GradedReport) -> tuple[str, str]:
    change, rate = report.score_change, report.negative_flip_rate.value
    average = (
        f"On {words.count(report.samples, 'sample')} the mean score goes from "
        f"{words.from_to(report.score_old.value, report.score_new.value, ' to ')}, a change of "
        f"{words.number(change.value, 3)} ({100 * report.confidence:g}% interval {words.number_interval(change)})."
    )
    if not rate > 0:
        return average, ""
    loss = words.number(report.mean_regression.value, 3)
    return average, (
        f"Of the scores, {words.one_in(rate)} {_is(rate)} lower by more than {words.number(report.tolerance)}, by "
        f"{loss} on average."
    )


def _where(report: FlipReport | GradedReport) -> str:
    if report.discovery is not None and report.discovery.slices:
        # A slice that was counted outside a stronger one is no answer by itself to "where".
        rules = [(str(one.conjunction), one.rate.value) for one in report.discovery.slices if not one.besides]
    else:
        alarming = [part for part in report.slices if part.excess_adjusted <= 1 - report.confidence]
        alarming.sort(key=lambda part: -part.negative_flip_rate.value)
        rules = [(part.name, part.negative_flip_rate.value) for part in alarming]
    if not rules:
        return ""
    told = [f"{words.short(rule)} ({words.percent(rate)})" for rule, rate in rules[:2]]
    return f"That happens more than elsewhere where {' or '.join(told)}."


def _was(rate: float) -> str:
    return "was" if words.one_in(rate).startswith("1 in") else "were"


def _is(rate: float) -> str:
    # "1 in 20 is", but "70% are".
    return "is" if words.one_in(rate).startswith("1 in") else "are"
