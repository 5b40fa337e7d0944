"""What a comparison and a decision write and show: the same for classifiers' answers and for searches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from segue.flips.gate.decision import Decision
    from segue.flips.graded import GradedReport
    from segue.flips.result import FlipReport


@dataclass(frozen=True)
class Outputs:
    """Where results go; nowhere by default.

    Attributes:
        command: What was typed, for the report.
        report: The HTML page.
        json: JSON.
        junit: JUnit XML.
        markdown: The pull-request comment.
        image_folder: Where relative paths of pictures start.
    """

    command: str
    report: str | None = None
    json: str | None = None
    junit: str | None = None
    markdown: str | None = None
    image_folder: str | None = None


def tell_report(report: FlipReport | GradedReport, outputs: Outputs) -> None:
    """Write and show what was measured.

    Args:
        report: What was measured.
        outputs: Where to.
    """
    from segue.cli.console import out, write
    from segue.cli.outputs.machine import report_json
    from segue.cli.outputs.text import show_report

    _write_page(report, outputs, None)
    if outputs.json is not None:
        write(report_json(report), outputs.json, "--json")
    if outputs.json != "-":
        show_report(out(), report)
        _say_where(outputs)


def tell_decision(decision: Decision, report: FlipReport | GradedReport, outputs: Outputs) -> None:
    """Write and show what was decided.

    Args:
        decision: What the gate decided.
        report: What was measured.
        outputs: Where to.
    """
    from segue.cli.console import out, write
    from segue.cli.outputs.junit import junit_xml
    from segue.cli.outputs.machine import decision_json
    from segue.cli.outputs.markdown import markdown
    from segue.cli.outputs.text import show_decision

    _write_page(report, outputs, decision)
    if outputs.junit is not None:
        write(junit_xml(decision), outputs.junit, "--junit")
    if outputs.markdown is not None:
        write(markdown(decision, report), outputs.markdown, "--markdown")
    if outputs.json is not None:
        write(decision_json(decision, report), outputs.json, "--json")
    if "-" not in {outputs.json, outputs.junit, outputs.markdown}:
        show_decision(out(), decision)
        _say_where(outputs)


def _write_page(report: FlipReport | GradedReport, outputs: Outputs, decision: Decision | None) -> None:
    if outputs.report is not None:
        from segue.report import write_report

        write_report(report, outputs.report, decision=decision, base=outputs.image_folder, command=outputs.command)


def _say_where(outputs: Outputs) -> None:
    from segue.cli.console import out

    if outputs.report is not None:
        out().print(f"The report is in {outputs.report}")
