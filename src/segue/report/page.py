"""The page itself: everything that was measured, put into the template."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from segue import __version__
from segue.errors import InputError
from segue.flips.gate.decision import Decision
from segue.flips.graded import GradedReport
from segue.flips.result import FlipReport
from segue.report import changes, confidence, figures, forest, heatmap, rates, samples, square, venn, verdict, words
from segue.report.columns import Column
from segue.report.thumbnails import DEFAULT_BUDGET

Report = FlipReport | GradedReport


def write_report(
    report: Report,
    path: str | Path,
    *,
    decision: Decision | None = None,
    title: str | None = None,
    base: str | Path | None = None,
    date: datetime | None = None,
    command: str | None = None,
    picture_budget: int = DEFAULT_BUDGET,
) -> Path:
    """Write a report as one self-contained HTML file.

    Args:
        report: What was measured, by ``compare`` or ``compare_scores``.
        path: The file; an existing one is replaced.
        decision: What the gate decided, if it was asked.
        title: Title of the page; the names of the two models by default.
        base: Folder that relative paths of pictures start from; the current one by default.
        date: When the comparison was made; now by default.
        command: The command that made it, for the footer.
        picture_budget: Bytes of pictures that may be embedded; the worst samples' come first.

    Returns:
        The file written.

    Raises:
        InputError: If the file can't be written.
    """
    page = render(
        report,
        decision=decision,
        title=title,
        base=base,
        date=date,
        command=command,
        picture_budget=picture_budget,
    )
    target = Path(path)
    try:
        target.write_text(page, encoding="utf-8")
    except OSError as error:
        raise InputError(
            f"the report can't be written to {str(target)!r} ({error.strerror or error}); choose another path"
        ) from error
    return target


def render(
    report: Report,
    *,
    decision: Decision | None = None,
    title: str | None = None,
    base: str | Path | None = None,
    date: datetime | None = None,
    command: str | None = None,
    picture_budget: int = DEFAULT_BUDGET,
) -> str:
    """Return a report as one self-contained HTML page; the arguments are those of :func:`write_report`.

    Args:
        report: What was measured, by ``compare`` or ``compare_scores``.
        decision: What the gate decided, if it was asked.
        title: Title of the page; the names of the two models by default.
        base: Folder that relative paths of pictures start from; the current one by default.
        date: When the comparison was made; now by default.
        command: The command that made it, for the footer.
        picture_budget: Bytes of pictures that may be embedded; the worst samples' come first.

    Returns:
        The page.

    Raises:
        InputError: If ``report`` is no report or the budget is negative.
    """
    if not isinstance(report, FlipReport | GradedReport):
        raise InputError(f"report is a {type(report).__name__}; pass what compare() or compare_scores() returned")
    if picture_budget < 0:
        raise InputError(f"picture_budget is {picture_budget}; pass a number of bytes, 0 for no pictures")
    table = samples.sample_table(report, None if base is None else Path(base), picture_budget)
    script = _asset("report.js")
    page = (
        _environment()
        .get_template("report.html.j2")
        .render(
            report=report,
            graded=isinstance(report, GradedReport),
            decision=decision,
            title=title or _title(report.names),
            headline=verdict.headline(report),
            lead=verdict.lead(report),
            figures=figures.figures(report),
            rates=rates.rate_rows(report),
            methods=rates.methods(report),
            table=table,
            links=Links(table.columns),
            version=__version__,
            date=date or datetime.now(UTC),
            command=command,
            style=Markup(_asset("report.css")),
            script=Markup(script),
            script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii"),
            **_charts(report),
        )
    )
    return page.encode("utf-8", "replace").decode("utf-8")  # a lone surrogate in a name can't be written


class Links:
    """Addresses within the page that show some of the flipped samples.

    Args:
        columns: The columns of the table of samples.
    """

    def __init__(self, columns: Sequence[Column]) -> None:
        self._held: dict[str, tuple[str, frozenset[Any]]] = {}
        for column in columns:
            if column.kind == "numbers":
                self._held[column.name] = ("numbers", frozenset(column.values))
            elif column.kind == "words" and column.choose:
                self._held[column.name] = ("words", frozenset(column.names))

    def to(self, **wanted: Any) -> str | None:
        """Return :meth:`of` of columns whose names are words."""
        return self.of(wanted)

    def of(self, wanted: dict[str, Any]) -> str | None:
        """Return the address of the samples with the wanted values by column.

        Args:
            wanted: The value of each column.

        Returns:
            The address; ``None`` where a column is not in the table or does not hold the value.
        """
        asked = {}
        for name, value in wanted.items():
            kind, held = self._held.get(name, ("", frozenset()))
            if kind == "words" and str(value) in held:
                asked[name] = str(value)
            elif kind == "numbers" and _whole(str(value)) in held:
                asked[name] = f"{value}..{value}"
            else:
                return None
        return "#samples?" + urlencode(asked, errors="replace")


def _charts(report: Report) -> dict[str, Any]:
    drawn: dict[str, Any] = {
        "forest": forest.forest(report.slices, report.negative_flip_rate, report.confidence),
        "panels": confidence.confidence_panels(report.flips.columns),
        "square": None,
        "venn": None,
        "heat": None,
        "changes": None,
    }
    if isinstance(report, GradedReport):
        return drawn | {"changes": changes.change_histogram(report.flips.columns)}
    counts = report.counts
    errors = counts.negative_flips + counts.positive_flips + counts.both_wrong
    return drawn | {
        "square": square.cells(counts),
        "venn": venn.draw(counts.positive_flips, counts.both_wrong, counts.negative_flips) if errors else None,
        "heat": heatmap.heat_map(report.flip_matrix),
    }


def _title(names: tuple[str, str]) -> str:
    return "Model update report" if names == ("old", "new") else f"{names[0]} → {names[1]}"


def _whole(text: str) -> int | str:
    try:
        return int(text)
    except ValueError:
        return text


@cache
def _asset(name: str) -> str:
    return (resources.files("segue.report") / "templates" / name).read_text(encoding="utf-8")


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("segue.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(words=words, zip=zip, enumerate=enumerate)
    environment.filters["commas"] = lambda value: f"{value:,}"
    return environment
