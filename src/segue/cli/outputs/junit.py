"""JUnit XML: every check of the gate is a test case, so that a CI server shows it among its tests.

A failed check is a ``<failure>`` and an undecided one an ``<error>``: neither is green. An exempt check is
``<skipped>``.
"""

from __future__ import annotations

from xml.etree import ElementTree

from segue.cli.outputs.visible import visible
from segue.flips.gate.decision import Check, Decision, Verdict

SUITE = "segue gate"


def junit_xml(decision: Decision) -> str:
    """Return a decision as a JUnit file.

    Args:
        decision: What the gate decided.

    Returns:
        The XML, declaration included.
    """
    counts = {
        "tests": str(len(decision.checks)),
        "failures": str(len(decision.of(Verdict.FAIL))),
        "errors": str(len(decision.of(Verdict.UNDECIDED))),
        "skipped": str(len(decision.of(Verdict.EXEMPT))),
        "time": "0",
    }
    root = ElementTree.Element("testsuites", {"name": SUITE, **counts})
    suite = ElementTree.SubElement(root, "testsuite", {"name": SUITE, **counts})
    properties = ElementTree.SubElement(suite, "properties")
    told = {
        "verdict": str(decision.verdict),
        "samples": str(decision.samples),
        "confidence": f"{decision.confidence:g}",
        "old": decision.names[0],
        "new": decision.names[1],
    }
    for name, value in told.items():
        ElementTree.SubElement(properties, "property", {"name": name, "value": visible(value)})
    for check in decision.checks:
        _case(suite, check)
    ElementTree.SubElement(suite, "system-out").text = _lines(decision.explain())
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _case(suite: ElementTree.Element, check: Check) -> None:
    case = ElementTree.SubElement(
        suite,
        "testcase",
        {"classname": f"segue.gate.{check.rule}", "name": visible(check.title, most=250), "time": "0"},
    )
    reason = visible(check.reason, most=1000)
    if check.verdict is Verdict.FAIL:
        ElementTree.SubElement(case, "failure", {"type": "fail", "message": reason}).text = _details(check)
    elif check.verdict is Verdict.UNDECIDED:
        ElementTree.SubElement(case, "error", {"type": "undecided", "message": reason}).text = _details(check)
    elif check.verdict is Verdict.EXEMPT:
        ElementTree.SubElement(case, "skipped", {"message": reason})
    else:
        ElementTree.SubElement(case, "system-out").text = reason


def _details(check: Check) -> str:
    told = [visible(str(check), most=2000)]
    told += [f"protected sample: {visible(name)}" for name in check.ids]
    return "\n".join(told)


def _lines(text: str) -> str:
    return "\n".join(visible(line, most=2000) for line in text.splitlines())
