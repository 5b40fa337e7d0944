"""JSON for machines."""

from __future__ import annotations

import json
from typing import Any

from segue.flips.gate.decision import Decision
from segue.flips.graded import GradedReport
from segue.flips.result import FlipReport


def report_json(report: FlipReport | GradedReport) -> str:
    """Return a report as JSON.

    Args:
        report: What was measured.

    Returns:
        The text, with a line break at its end.
    """
    return to_json(report.to_dict())


def decision_json(decision: Decision, report: FlipReport | GradedReport) -> str:
    """Return a decision, with the report that it rests on, as JSON.

    Args:
        decision: What the gate decided.
        report: What was measured.

    Returns:
        The text, with a line break at its end.
    """
    return to_json({**decision.to_dict(), "report": report.to_dict()})


def to_json(value: Any) -> str:
    """Return a value as JSON that every parser takes.

    Args:
        value: Mappings, lists, strings and finite numbers.

    Returns:
        The text, indented, with a line break at its end.
    """
    return json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
