"""What the demo says in the terminal: short, and every number from the results."""

from __future__ import annotations

import shlex
import shutil
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text

from segue.demo.bargain import Bargain
from segue.demo.judging import Judged
from segue.demo.models import Trained
from segue.demo.pictures import PictureSet
from segue.demo.side_by_side import PAGE
from segue.demo.sources import Found
from segue.flips import Decision, FlipReport
from segue.flips.gate.decision import Verdict

STYLES = {Verdict.PASS: "green", Verdict.FAIL: "bold red", Verdict.UNDECIDED: "yellow", Verdict.EXEMPT: "dim"}
BROKEN, MENDED = "bold red", "green"
INDENT = 12
MOST_SLICES = 3


def tell_pictures(found: Found, console: Console) -> None:
    """Say which pictures are used, and why not better ones."""
    pictures = found.pictures
    what = (
        f"{pictures.name} ({pictures.origin}): {len(pictures.train):,} {pictures.noun}s to learn from, "
        f"{len(pictures.test):,} kept for the comparison"
    )
    _step(console, "Pictures", Text(what))
    if found.obstacles:
        reasons = "; ".join(found.obstacles)
        _step(
            console, "", Text(f"Fashion-MNIST would be better but can't be had: {reasons}.", STYLES[Verdict.UNDECIDED])
        )


def tell_model(name: str, trained: Trained, pictures: PictureSet, console: Console) -> None:
    """Say how a model came to be, and how good it is on what it was not trained on."""
    what = (
        f"{trained.parameters:,} parameters, trained on {trained.learned_from:,} {pictures.noun}s; "
        f"validation accuracy {trained.validation_accuracy:.1%}"
    )
    _step(console, name, Text(what))


def tell_comparison(report: FlipReport, pictures: PictureSet, console: Console) -> None:
    """Show what the update breaks and mends."""
    nouns = f"{pictures.noun}s"
    console.print()
    new = report.names[1]
    _step(console, "Comparison", Text(f"{new}, on {report.samples:,} {nouns} that neither model has seen"))
    for row in _square(report):
        _step(console, "", row)
    told = [_accuracy(report), _broken(report), _worst(report, pictures.noun)]
    if report.discovery is not None and report.discovery.slices:
        told.append(f"Flips concentrate where {report.discovery.slices[0]}.")
    for sentence in filter(None, told):
        _step(console, "", Text(sentence))


def tell_decision(decision: Decision, console: Console) -> None:
    """Say what the gate decided, and why it did not pass."""
    console.print()
    verdict = Text.assemble((decision.verdict.upper(), STYLES[decision.verdict]), f": {decision.headline}")
    _step(console, "Gate", verdict)
    for check in decision.of(Verdict.FAIL):
        sign = (f"{check.verdict}  ", STYLES[check.verdict])
        _step(console, "", Text.assemble(sign, (check.title, "bold"), f": {check.reason}"))


def tell_bargain(bargain: Bargain, console: Console) -> None:
    """Say what congruent training bought and what it cost."""
    console.print()
    _step(console, "Bargain", Text(str(bargain)))


def tell_where(both: tuple[Judged, Judged], out: Path, console: Console) -> None:
    """Say where to look, and what to type for the same on other tables."""
    console.print()
    _step(console, "Look at", _link(out / PAGE))
    _step(console, "", Text("both reports side by side; each by itself, every flipped picture to sort through:"))
    for judged in both:
        _step(console, "", _link(out / judged.contender.report))
    console.print()
    _step(console, "By hand", Text("the same with two commands for each, as for tables of your own:"))
    program = shlex.quote(installed_command())
    for judged in both:
        for command in judged.commands:
            console.print(Text("  " + command.replace("segue", program, 1)), soft_wrap=True)  # to be copied
    console.print()
    first, second = (judged.decision.exit_code for judged in both)
    codes = f"codes are {first} and {second}" if first != second else f"code is {first}, both times"
    console.print(Text(f"The gate's own exit {codes}; the demo ends with 0, for its story has been told.", "dim"))


def installed_command() -> str:
    """Return how ``segue`` is called from here: by name, or by path where its folder is not on the PATH."""
    script = Path(sys.executable).with_name("segue")
    if shutil.which("segue") is not None or not script.exists():
        return "segue"
    return str(script.relative_to(Path.cwd())) if script.is_relative_to(Path.cwd()) else str(script)


def _link(page: Path) -> Text:
    return Text(str(page), f"bold link {page.absolute().as_uri()}")  # terminals that can open it do so


def _step(console: Console, head: str, what: Text) -> None:
    """Print a text with what it is about before it; only a terminal gets its lines broken."""
    lines = what.wrap(console, max(console.width - INDENT, INDENT)) if console.is_terminal else [what]
    for number, line in enumerate(lines):
        console.print(Text.assemble((f"{'' if number else head:<{INDENT}}", "bold cyan"), line), soft_wrap=True)


def _square(report: FlipReport) -> list[Text]:
    """Return the two-by-two table of who is right."""
    old, new = report.names
    counts = report.counts
    first, width = len(old) + 8, len(new) + 10
    return [
        Text.assemble(f"{'':<{first}}", (f"{f'{new} right':>{width}}{f'{new} wrong':>{width}}", "dim")),
        Text.assemble(
            (f"{f'{old} right':<{first}}", "dim"),
            f"{counts.both_right:>{width},}",
            (f"{f'{counts.negative_flips:,} broken':>{width}}", BROKEN),
        ),
        Text.assemble(
            (f"{f'{old} wrong':<{first}}", "dim"),
            (f"{f'{counts.positive_flips:,} mended':>{width}}", MENDED),
            f"{counts.both_wrong:>{width},}",
        ),
    ]


def _accuracy(report: FlipReport) -> str:
    change = report.accuracy_change
    verb = "rose" if change.low > 0 else "fell" if change.high < 0 else "did not change beyond doubt,"
    return (
        f"Accuracy {verb} from {report.accuracy_old.value:.1%} to {report.accuracy_new.value:.1%}: "
        f"{change.percent(signed=True)}."
    )


def _broken(report: FlipReport) -> str:
    count = f"{report.negative_flips:,} of the answers that were right" if report.negative_flips else "No right answer"
    yet = "Yet " if report.negative_flips and report.accuracy_change.value > 0 else ""
    verb = "became" if report.negative_flips == 0 else "are now"
    return f"{yet}{count} {verb} wrong: negative flip rate {report.negative_flip_rate.percent()}."


def _worst(report: FlipReport, column: str) -> str:
    parts = [part for part in report.slices if part.column == column and part.counts.negative_flips]
    parts.sort(key=lambda part: part.negative_flip_rate.value, reverse=True)
    if not parts:
        return ""
    told = ", ".join(f"{part.value} ({part.negative_flip_rate.value:.1%})" for part in parts[:MOST_SLICES])
    return f"Most often broken: {told}."
