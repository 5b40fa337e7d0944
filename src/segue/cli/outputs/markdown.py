"""The pull-request comment: the verdict, a table of checks, the worst slices, as GitHub-flavoured Markdown.

Its first line is a hidden marker by which a bot finds the comment again and writes the new verdict in its place.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from segue.cli.outputs.visible import visible
from segue.flips.checks import counted
from segue.flips.gate.decision import Check, Decision, Verdict
from segue.flips.gate.limits import told
from segue.flips.graded import GradedReport
from segue.flips.result import FlipReport
from segue.flips.slices import SliceResult

MARKER = "<!-- segue-gate -->"
SIGNS = {Verdict.PASS: "✅", Verdict.FAIL: "❌", Verdict.UNDECIDED: "❔", Verdict.EXEMPT: "⚪"}
MOST_ROWS = 40
MOST_SLICES = 10
MOST_IDS = 20
MOST_CHARACTERS = 65_000
"""GitHub refuses comments of more than 65,536 characters."""


def markdown(decision: Decision, report: FlipReport | GradedReport) -> str:
    """Return a decision as a pull-request comment.

    Args:
        decision: What the gate decided.
        report: What was measured.

    Returns:
        The Markdown.
    """
    rows, slices = MOST_ROWS, MOST_SLICES
    text = _comment(decision, report, rows, slices)
    while len(text) > MOST_CHARACTERS and rows > 1:  # names may be long: fewer rows until it fits
        rows, slices = rows // 2, slices // 2
        text = _comment(decision, report, rows, slices)
    return text


def code(text: str, most: int = 80) -> str:
    """Write text from the data so that it means nothing but itself in Markdown, in a table, and to GitHub.

    Everything but letters, digits and spaces becomes a numeric character reference, within ``<code>``: pipes do not
    split cells, ``@names`` notify nobody, and neither HTML nor links come to life.

    Args:
        text: The text.
        most: How many characters to keep.

    Returns:
        Markdown.

    Example:
        >>> code("a|b @all")
        '<code>a&#124;b &#64;all</code>'
    """
    kept = visible(text, most)
    return "<code>" + "".join(c if c.isalnum() or c == " " else f"&#{ord(c)};" for c in kept) + "</code>"


def escaped(text: str, most: int = 400) -> str:
    """Write a sentence that may quote the data so that it is only a sentence in Markdown.

    Args:
        text: The sentence.
        most: How many characters to keep.

    Returns:
        Markdown.

    Example:
        >>> escaped("2.0% [1.8%, 2.4%] in a|b, see <x> and @y")
        '2.0% [1.8%, 2.4%] in a&#124;b, see &#60;x&#62; and &#64;\u2060y'
    """
    safe = " .,;:()%+-="
    kept = visible(text, most)
    return "".join(_reference(c) if not (c.isalnum() or c in safe or c in "[]") else c for c in kept)


def _reference(char: str) -> str:
    # A word joiner after the at sign: GitHub looks for @names in the rendered text, where the reference is gone.
    return f"&#{ord(char)};" + ("\u2060" if char == "@" else "")


def _comment(decision: Decision, report: FlipReport | GradedReport, rows: int, slices: int) -> str:
    old, new = decision.names
    parts = [
        MARKER,
        f"### {SIGNS[decision.verdict]} Segue gate: {decision.verdict.upper()}",
        f"{_sentence(escaped(decision.headline))}",
        f"{code(new)} against {code(old)} on {counted(decision.samples, 'sample')}: " + _summary(report),
        _table(
            ("", "Check", "Measured", "Limit", "Why"),
            (_row(check) for check in decision.ordered()[:rows]),
            right=(2, 3),
        ),
    ]
    if len(decision.checks) > rows:
        left = decision.ordered()[rows:]
        counts = ", ".join(
            f"{sum(check.verdict is verdict for check in left):,} {verdict}"
            for verdict in SIGNS
            if any(check.verdict is verdict for check in left)
        )
        parts.append(f"And {counted(len(left), 'more check')}: {counts}.")
    parts += [_protected(check) for check in decision.checks if check.ids]
    worst = worst_slices(report.slices)[:slices]
    if worst:
        table = _table(
            ("Slice", "Samples", "Broken", "Negative flip rate", "Flips in excess, adjusted p"),
            ((code(part.name), f"{part.samples:,}", f"{part.counts.negative_flips:,}",
              escaped(part.negative_flip_rate.percent()), _p_value(part.excess_adjusted)) for part in worst),
            right=(1, 2, 3, 4),
        )  # fmt: skip
        title = f"Worst slices ({len(worst)} of {len(report.slices):,})"
        parts.append(f"<details>\n<summary>{title}</summary>\n\n{table}\n\n</details>")
    parts += [f"Note: {_sentence(escaped(note))}" for note in (*decision.notes, *report.notes)]
    parts.append(
        f"<sub>Intervals in brackets: {100 * decision.confidence:g}% confidence. A check passes when its whole "
        f"interval lies within the limit, fails when it lies wholly beyond it, and is undecided otherwise.</sub>"
    )
    return "\n\n".join(parts) + "\n"


def worst_slices(slices: Sequence[SliceResult]) -> list[SliceResult]:
    """Return the slices in which something broke, those first where flips are least likely to be chance.

    Args:
        slices: The slices of a report.

    Returns:
        The slices in order.
    """
    broken = [part for part in slices if part.counts.negative_flips]
    return sorted(broken, key=lambda part: (part.excess_adjusted, -part.negative_flip_rate.value))


def _summary(report: FlipReport | GradedReport) -> str:
    if isinstance(report, FlipReport):
        change = f"accuracy {told(report.accuracy_change, 'change')}"
    else:
        change = f"mean score {told(report.score_change, 'score')}"
    return (
        f"{report.negative_flips:,} broken (negative flip rate {told(report.negative_flip_rate, 'rate')}), "
        f"{report.positive_flips:,} mended, {change}."
    )


def _row(check: Check) -> tuple[str, ...]:
    place = "" if check.where is None else f" in {code(check.where)}"
    return (
        f"{SIGNS[check.verdict]} {check.verdict}",
        f"{escaped(check.name)}{place}",
        escaped(check.told_estimate),
        escaped(check.told_limit),
        escaped(check.reason),
    )


def _protected(check: Check) -> str:
    rest = len(check.ids) - MOST_IDS
    more = f" and {rest:,} more" if rest > 0 else ""
    return f"Protected samples: {', '.join(code(name) for name in check.ids[:MOST_IDS])}{more}."


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]], right: Sequence[int] = ()) -> str:
    rule = ["---:" if column in right else "---" for column in range(len(heads))]
    lines = [heads, rule, *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _p_value(p: float) -> str:
    return "&#60; 0.001" if p < 0.001 else f"{p:.3f}"


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."
