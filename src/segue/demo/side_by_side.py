"""One page with both flip reports beside each other: the update as trained on the labels alone, and congruently."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from segue import __version__
from segue.demo.bargain import Bargain
from segue.demo.files import write_whole
from segue.demo.judging import Judged
from segue.flips import Decision, Estimate
from segue.flips.gate.decision import Verdict
from segue.report import words

PAGE = "side-by-side.html"
STAMPS = {Verdict.PASS: "✓ Pass", Verdict.FAIL: "✗ Fail", Verdict.UNDECIDED: "? Undecided"}
SAYS = {Verdict.PASS: "passes {}", Verdict.FAIL: "fails {}", Verdict.UNDECIDED: "can't decide on {}"}


@dataclass(frozen=True, slots=True)
class Cell:
    """A figure of one of the two updates.

    Attributes:
        value: The figure.
        small: Its interval, or what else is to be said in small print.
        stamp: The verdict that gives it its colour; empty for numbers.
    """

    value: str
    small: str
    stamp: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """A figure of both updates.

    Attributes:
        what: What it is.
        cells: The figure of each.
    """

    what: str
    cells: tuple[Cell, ...]


def rows(both: tuple[Judged, Judged]) -> tuple[Row, ...]:
    """Return the key figures of both updates.

    Args:
        both: What was found of the plain and of the congruent challenger.

    Returns:
        Accuracy, negative flips, positive flips, relative negative flip rate and the gate's verdict.
    """
    reports = [judged.report for judged in both]
    return (
        Row("Accuracy", tuple(_share(report.accuracy_new) for report in reports)),
        Row("Negative flips", tuple(_flips(r.negative_flips, "broken", r.negative_flip_rate) for r in reports)),
        Row("Positive flips", tuple(_flips(r.positive_flips, "mended", r.positive_flip_rate) for r in reports)),
        Row(
            "Relative negative flip rate (1 is what two unrelated models would have)",
            tuple(_number(report.relative_negative_flip_rate) for report in reports),
        ),
        Row("Gate", tuple(_verdict(judged.decision) for judged in both)),
    )


def render(both: tuple[Judged, Judged], bargain: Bargain, noun: str, out: Path, date: datetime | None = None) -> str:
    """Return the page.

    Args:
        both: What was found of the plain and of the congruent challenger.
        bargain: What congruent training bought and cost.
        noun: What a picture shows.
        out: The folder with the two reports.
        date: When the comparison was made; now by default.

    Returns:
        The page, with both reports inside.
    """
    report = both[0].report
    environment = Environment(
        loader=PackageLoader("segue.demo", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    # A report in a frame lives under this page's security policy, which therefore allows the reports' script. It is a
    # data address: in a srcdoc, links to other parts of the report would lead out of it.
    script = _asset("segue.report", "report.js")
    return environment.get_template("side-by-side.html.j2").render(
        headline=headline(both),
        bargain=bargain,
        both=both,
        rows=rows(both),
        embedded=[(judged, _base64((out / judged.contender.report).read_bytes())) for judged in both],
        samples=report.samples,
        champion=words.percent(report.accuracy_old.value, 2),
        confidence=f"{100 * report.confidence:g}%",
        noun=noun,
        words=words,
        version=__version__,
        date=date or datetime.now(UTC),
        style=Markup(_asset("segue.report", "report.css") + _asset("segue.demo", "side-by-side.css")),
        script_hash=_base64(hashlib.sha256(script.encode()).digest()),
    )


def write(both: tuple[Judged, Judged], bargain: Bargain, noun: str, out: Path) -> None:
    """Write the page beside the two reports; the arguments are those of :func:`render`.

    Args:
        both: What was found of the plain and of the congruent challenger.
        bargain: What congruent training bought and cost.
        noun: What a picture shows.
        out: The folder with the two reports.
    """
    page = render(both, bargain, noun, out)
    write_whole(out / PAGE, lambda path: path.write_text(page, encoding="utf-8"))


def headline(both: tuple[Judged, Judged]) -> str:
    """Return the outcome in one sentence: what each update breaks, and what the gate says of them."""
    plain, congruent = (judged.report.negative_flips for judged in both)
    first, second = (SAYS[judged.decision.verdict] for judged in both)
    gate = first.format("both") if first == second else f"{first.format('the first')}, {second.format('the second')}"
    return f"Trained on the labels alone it breaks {plain:,} right answers, congruently {congruent:,}; the gate {gate}."


def _share(estimate: Estimate) -> Cell:
    low, high = (words.percent(value, 2) for value in (estimate.low, estimate.high))
    return Cell(words.percent(estimate.value, 2), f"{low} to {high}")


def _flips(amount: int, what: str, rate: Estimate) -> Cell:
    share = _share(rate)
    return Cell(f"{amount:,} {what}", f"{share.value}, {share.small}")


def _number(estimate: Estimate) -> Cell:
    low, high = (words.fixed(value, 2) for value in (estimate.low, estimate.high))
    return Cell(words.fixed(estimate.value, 2), f"{low} to {high}")


def _verdict(decision: Decision) -> Cell:
    return Cell(STAMPS[decision.verdict], decision.headline.partition(": ")[2], decision.verdict)


def _asset(package: str, name: str) -> str:
    return (resources.files(package) / "templates" / name).read_text(encoding="utf-8")


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")
