"""The report in plain words: headline, lead, and how numbers are written."""

from __future__ import annotations

import math

from segue.flips.estimate import Estimate
from segue.flips.graded import GradedReport
from segue.flips.result import FlipReport

MINUS = "\u2212"
DASH = "\u2013"


def number(value: float, digits: int = 4) -> str:
    """Return a number with a few significant digits and a true minus sign.

    Example:
        >>> number(0.123456), number(float("nan")), number(float("inf"))
        ('0.1235', 'undefined', '∞')
    """
    if math.isnan(value):
        return "undefined"
    if math.isinf(value):
        return f"{MINUS if value < 0 else ''}∞"
    return f"{value:.{digits}g}".replace("-", MINUS)


def percent(value: float, digits: int | None = None, *, signed: bool = False) -> str:
    """Return a share in per cent; by default with as many decimals as it takes to tell it from 0 and from 100%.

    Example:
        >>> percent(0.8712), percent(0.0004), percent(-0.021, signed=True), percent(1.0)
        ('87.1%', '0.04%', '−2.1%', '100%')
    """
    if not math.isfinite(value):
        return "undefined"
    if digits is None:
        distance = min(abs(value), abs(1 - abs(value)))
        digits = 0 if distance == 0 else 1 if distance >= 0.001 else 2 if distance >= 0.0001 else 3
    return f"{100 * value:{'+' if signed and value > 0 else ''}.{digits}f}%".replace("-", MINUS)


def interval(estimate: Estimate, *, signed: bool = False) -> str:
    """Return the interval of a share in per cent.

    Example:
        >>> interval(Estimate(0.02, 0.018, 0.023))
        '1.8% to 2.3%'
    """
    return f"{percent(estimate.low, signed=signed)} to {percent(estimate.high, signed=signed)}"


def number_interval(estimate: Estimate, digits: int = 3) -> str:
    """Return the interval of a number that is no share."""
    return f"{number(estimate.low, digits)} to {number(estimate.high, digits)}"


def count(amount: int, one: str, many: str | None = None) -> str:
    """Return a number of things.

    Example:
        >>> count(1, "answer"), count(1234, "answer"), count(2, "class", "classes")
        ('1 answer', '1,234 answers', '2 classes')
    """
    return f"{amount:,} {one if amount == 1 else many or one + 's'}"


def one_in(rate: float) -> str:
    """Return a rate as "1 in 49".

    Example:
        >>> one_in(0.0204), one_in(0.0), one_in(0.7)
        ('1 in 49', 'none', '70%')
    """
    if not math.isfinite(rate):
        return "undefined"
    if rate <= 0:
        return "none"
    return f"1 in {round(1 / rate):,}" if rate <= 0.4 else f"{100 * rate:.0f}%"


def headline(report: FlipReport | GradedReport) -> str:
    """Return the verdict in one sentence.

    Args:
        report: What was measured.

    Returns:
        Whether the new model is better, and what it breaks.
    """
    graded = isinstance(report, GradedReport)
    change = report.score_change if isinstance(report, GradedReport) else report.accuracy_change
    broken, mended = report.negative_flips, report.positive_flips
    things = "sample" if graded else "answer"
    if broken == 0 and mended == 0:
        return "Nothing flips: no sample gets a better or a worse score." if graded else (
            "Nothing flips: both models are right on the same samples."
        )  # fmt: skip
    if broken == 0:
        return f"The new model {'raises' if graded else 'mends'} {count(mended, things)} and breaks none."
    breaks = f"{'lowers' if graded else 'breaks'} {count(broken, things)}" + (
        "" if graded else " that " + _were(broken)
    )
    if change.low > 0:
        return f"The new model is better on average, but it {breaks}."
    if change.high < 0:
        return f"The new model is worse: it {breaks} and {'raises' if graded else 'mends'} {mended:,}."
    return f"No clear change on average, but the new model {breaks}."


def lead(report: FlipReport | GradedReport) -> str:
    """Return the two or three sentences below the headline."""
    level = f"{100 * report.confidence:g}%"
    if isinstance(report, GradedReport):
        change = report.score_change
        told = (
            f"On {count(report.samples, 'sample')} the mean score goes from {number(report.score_old.value)} to "
            f"{number(report.score_new.value)}, a change of {number(change.value, 3)} ({level} interval "
            f"{number_interval(change)})."
        )
        if report.negative_flips:
            told += (
                f" {one_in(report.negative_flip_rate.value).capitalize()} samples loses more than "
                f"{number(report.tolerance)}, by {number(report.mean_regression.value, 3)} on average."
            )
        return told
    change = report.accuracy_change
    told = (
        f"On {count(report.samples, 'sample')} accuracy goes from {percent(report.accuracy_old.value)} to "
        f"{percent(report.accuracy_new.value)}, a change of {points(change.value)} ({level} interval "
        f"{points(change.low, unit=False)} to {points(change.high)})."
    )
    lost = 1 - report.backward_trust_compatibility.value
    if lost > 0:
        told += f" Of the answers that were right, {one_in(lost)} is now wrong."
    return told


def sentence(text: str, name: str = "") -> str:
    """Return a text as a sentence: with a capital, unless it begins with a name, and a full stop.

    Example:
        >>> sentence("nothing was judged"), sentence("forest-2 may ship", "forest-2")
        ('Nothing was judged.', 'forest-2 may ship.')
    """
    begins_with_name = bool(name) and name not in {"old", "new"} and text.startswith(name)
    written = text if begins_with_name else text[:1].upper() + text[1:]
    return written if written.endswith((".", "!", "?")) else written + "."


def where(report: FlipReport | GradedReport) -> str:
    """Return in one sentence where flips pile up; empty where that is not known."""
    rules = [(str(one.conjunction), one.rate.value) for one in report.discovery.slices] if report.discovery else []
    if not rules:
        alarming = [part for part in report.slices if part.excess_adjusted <= 1 - report.confidence]
        alarming.sort(key=lambda part: -part.negative_flip_rate.value)
        rules = [(part.name, part.negative_flip_rate.value) for part in alarming]
    if not rules:
        return ""
    told = [f"{rule} ({percent(rate)} broken)" for rule, rate in rules[:2]]
    return f"It breaks more than elsewhere where {' or '.join(told)}."


def points(value: float, *, unit: bool = True) -> str:
    """Return a difference of two shares in percentage points.

    Example:
        >>> points(0.0213), points(-0.004, unit=False)
        ('+2.1 points', '−0.4')
    """
    if not math.isfinite(value):
        return "undefined"
    digits = 1 if abs(value) >= 0.001 or value == 0 else 2
    written = f"{100 * value:{'+' if value > 0 else ''}.{digits}f}".replace("-", MINUS)
    return f"{written} points" if unit else written


def _were(broken: int) -> str:
    return "was right" if broken == 1 else "were right"
