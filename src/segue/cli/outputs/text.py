"""What the terminal shows: rich tables for people, plain text when piped."""

from __future__ import annotations

from rich import box
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from segue.cli.outputs.visible import visible
from segue.flips.checks import counted
from segue.flips.gate.decision import Decision, Verdict
from segue.flips.gate.limits import KINDS, told
from segue.flips.graded import GradedReport
from segue.flips.result import FlipReport

STYLES = {Verdict.PASS: "green", Verdict.FAIL: "bold red", Verdict.UNDECIDED: "yellow", Verdict.EXEMPT: "dim"}
UNITS = {kind.attribute: kind.unit for kind in KINDS.values()} | {
    "mean_gain": "score",
    "mean_regression": "score",
    "score_old": "score",
}
MOST_SLICES = 15
MOST_PASSES = 20


def show_report(console: Console, report: FlipReport | GradedReport) -> None:
    """Print a report.

    Args:
        console: Where to.
        report: What was measured.
    """
    console.print(Text("\n".join(visible(line, most=2000) for line in str(report).splitlines())))
    console.print()
    rates = Table("rate", "value", "low", "high", box=box.SIMPLE_HEAD, pad_edge=False)
    for column in rates.columns[1:]:
        column.justify = "right"
    for name, rate in report.rates.items():
        unit = UNITS.get(name, "rate")
        numbers = (told(number, unit) for number in (rate.value, rate.low, rate.high))
        rates.add_row(name.replace("_", " "), *numbers)
    console.print(rates)
    if report.slices:
        console.print(_slices(report))


def show_decision(console: Console, decision: Decision) -> None:
    """Print a decision: the verdict, every check with the worst first, and why.

    Args:
        console: Where to.
        decision: What the gate decided.
    """
    console.print(Text.assemble(
        (f"{decision.verdict.upper()}", STYLES[decision.verdict]), f": {visible(decision.headline, most=400)}."
    ))  # fmt: skip
    passed = 0
    lines: list[RenderableType] = []
    for check in decision.ordered():
        passed += check.verdict is Verdict.PASS
        if check.verdict is Verdict.PASS and passed > MOST_PASSES:
            continue
        head = Text.assemble(("  " + f"{check.verdict:<10}", STYLES[check.verdict]), (visible(check.title), "bold"))
        lines.append(Text.assemble(head, ": ", visible(check.reason, most=1000)))
    if passed > MOST_PASSES:
        lines.append(Text(f"  and {counted(passed - MOST_PASSES, 'more check')} that pass"))
    lines += [Text(f"Note: {visible(note, most=1000)}.") for note in decision.notes]
    console.print(Group(*lines))


def _slices(report: FlipReport | GradedReport) -> Table:
    table = Table("slice", "samples", "broken", "negative flip rate", "mended", "adjusted p",
                  box=box.SIMPLE_HEAD, pad_edge=False)  # fmt: skip
    for column in table.columns[1:]:
        column.justify = "right"
    ordered = sorted(report.slices, key=lambda part: (part.excess_adjusted, -part.negative_flip_rate.value))
    for part in ordered[:MOST_SLICES]:
        alarming = part.excess_adjusted <= 1 - report.confidence
        table.add_row(
            Text(visible(part.name, most=60), style="bold red" if alarming else ""),
            f"{part.samples:,}",
            f"{part.counts.negative_flips:,}",
            told(part.negative_flip_rate, "rate"),
            f"{part.counts.positive_flips:,}",
            "< 0.001" if part.excess_adjusted < 0.001 else f"{part.excess_adjusted:.3f}",
        )
    if len(report.slices) > MOST_SLICES:
        table.caption = f"{counted(len(report.slices) - MOST_SLICES, 'more slice')}, in which less stands out"
    return table
