"""The page that shows every candidate of an update: accuracy against negative flips, the front and the pick.

``write_front`` writes it from plain values, such as ``outcome.to_dict()`` or a stored ``outcome.json``.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from segue import __version__
from segue.errors import InputError
from segue.report import words
from segue.report.plane import Plane, Point, plane
from segue.report.rates import MEANINGS

MEASURED = ("accuracy_new", "negative_flip_rate", "relative_negative_flip_rate", "positive_flip_rate")
_NEEDED = ("candidates", "front", "pick", "plain", "rule", "tried")


def write_front(
    outcome: Mapping[str, Any],
    path: str | Path,
    *,
    title: str | None = None,
    date: datetime | None = None,
    command: str | None = None,
) -> Path:
    """Write the picture of an update's candidates as one self-contained HTML file.

    Args:
        outcome: What ``Outcome.to_dict()`` of ``segue.congruent.recipes`` returned.
        path: The file; an existing one is replaced.
        title: Title of the page.
        date: When the candidates were made; now by default.
        command: The command that made them, for the footer.

    Returns:
        The file written.

    Raises:
        InputError: If ``outcome`` is no outcome, or the file can't be written.
    """
    page = render_front(outcome, title=title, date=date, command=command)
    target = Path(path)
    try:
        target.write_text(page, encoding="utf-8")
    except OSError as error:
        raise InputError(
            f"the picture can't be written to {str(target)!r} ({error.strerror or error}); choose another path"
        ) from error
    return target


def render_front(
    outcome: Mapping[str, Any], *, title: str | None = None, date: datetime | None = None, command: str | None = None
) -> str:
    """Return the picture of an update's candidates as one self-contained HTML page.

    Args:
        outcome: What ``Outcome.to_dict()`` of ``segue.congruent.recipes`` returned.
        title: Title of the page.
        date: When the candidates were made; now by default.
        command: The command that made them, for the footer.

    Returns:
        The page.

    Raises:
        InputError: If ``outcome`` is no outcome.
    """
    if not isinstance(outcome, Mapping):
        raise InputError(f"outcome is a {type(outcome).__name__}; pass what Outcome.to_dict() returned")
    missing = [name for name in _NEEDED if name not in outcome]
    if missing or not outcome["candidates"]:
        what = f"lacks {missing[0]!r}" if missing else "has no candidates"
        raise InputError(f"outcome {what}; pass what Outcome.to_dict() returned")
    drawn = plane(outcome)
    page = (
        _environment()
        .get_template("front.html.j2")
        .render(
            outcome=outcome,
            plane=drawn,
            headline=headline(outcome),
            lead=_lead(outcome),
            picture=_told_picture(outcome, drawn),
            measured=_measured(outcome),
            title=title or "Candidates of a model update",
            version=__version__,
            date=date or datetime.now(UTC),
            command=command,
            style=Markup(_asset("report.css") + _asset("front.css")),
        )
    )
    return page.encode("utf-8", "replace").decode("utf-8")  # a lone surrogate in a name can't be written


def headline(outcome: Mapping[str, Any]) -> str:
    """Return what the pick brings in one sentence.

    Args:
        outcome: What ``Outcome.to_dict()`` returned.

    Returns:
        The sentence, without a full stop.
    """
    plain, pick = outcome["plain"], outcome["pick"]
    if pick == plain:
        return "The unconstrained model was picked: nothing that was tried is better"
    before, after = plain["counts"]["negative_flips"], pick["counts"]["negative_flips"]
    change = words.points(pick["accuracy"] - plain["accuracy"])
    if after >= before:
        return f"The pick breaks {words.count(after, 'answer')}, the unconstrained model {before:,}; accuracy {change}"
    return f"{1 - after / before:.0%} fewer broken answers than without a constraint, accuracy {change}"


def label(candidate: Mapping[str, Any]) -> str:
    """Return a candidate's method and settings.

    Example:
        >>> label({"method": "interpolation", "settings": {"alpha": 0.4}})
        'interpolation (alpha 0.4)'
    """
    told = settings(candidate)
    return f"{candidate['method']} ({told})" if told else str(candidate["method"])


def settings(candidate: Mapping[str, Any]) -> str:
    """Return a candidate's settings."""
    return ", ".join(f"{name} {value}" for name, value in candidate["settings"].items())


def told(point: Point) -> tuple[str, ...]:
    """Return what the tooltip of a candidate says.

    Args:
        point: The candidate.

    Returns:
        Its lines.
    """
    one = point.values
    lines = [
        label(one),
        f"accuracy {words.percent(one['accuracy'], 2)}",
        f"negative flips {words.percent(one['negative_flip_rate'], 2)} ({one['counts']['negative_flips']:,})",
        f"{words.number(one['trainings'])} training{'s' * (one['trainings'] != 1)}, "
        f"{words.count(one['passes'], 'model')} at prediction time",
    ]
    if point.same:
        rows = ", ".join(f"row {row}" for row in point.same[:3]) + (", ..." if len(point.same) > 3 else "")
        lines.append(f"at the same place: {rows}")
    return tuple(lines)


def roles(point: Point) -> tuple[str, ...]:
    """Return what a candidate is besides: picked, unconstrained, on the front, not allowed, off the axes."""
    named = {
        "picked": point.picked,
        "unconstrained": point.plain,
        "on the front": point.on_front,
        "more models than the rule allows": not point.allowed,
        "beyond the axes": point.beyond,
    }
    return tuple(name for name, true in named.items() if true)


def _lead(outcome: Mapping[str, Any]) -> str:
    pick, samples = outcome["pick"], sum(outcome["plain"]["counts"].values())
    return (
        f"Picked: {label(pick)}, by the rule: {outcome['rule']}. On {words.count(samples, 'validation sample')} it is "
        f"right on {words.percent(pick['accuracy'], 2)} and breaks {words.percent(pick['negative_flip_rate'], 2)}. It "
        f"was chosen on these samples, which flatters the numbers a little."
    )


def _told_picture(outcome: Mapping[str, Any], drawn: Plane) -> str:
    pick, plain = outcome["pick"], outcome["plain"]
    return (
        f"{words.count(len(drawn.points), 'candidate')}, {len(outcome['front'])} of them on the front. Picked: "
        f"{label(pick)}, accuracy {words.percent(pick['accuracy'], 2)}, negative flips "
        f"{words.percent(pick['negative_flip_rate'], 2)}. Unconstrained: accuracy "
        f"{words.percent(plain['accuracy'], 2)}, negative flips {words.percent(plain['negative_flip_rate'], 2)}. Old "
        f"model: accuracy {words.percent(drawn.old.value, 2)}. The table below has all numbers."
    )


def _measured(outcome: Mapping[str, Any]) -> dict[str, Any] | None:
    test, plain = outcome.get("test"), outcome.get("plain_test")
    if test is None:
        return None
    rows = []
    for key in MEASURED:
        kind, title, meaning = MEANINGS[key]
        cells = [_interval(report["rates"][key], kind) for report in (test, plain) if report is not None]
        rows.append({"title": title.removesuffix(", new"), "meaning": meaning, "cells": cells})
    return {
        "samples": test["samples"],
        "confidence": test["confidence"],
        "old": _interval(test["rates"]["accuracy_old"], "share"),
        "models": ["The pick", *([] if plain is None else ["Unconstrained"])],
        "rows": rows,
    }


def _interval(rate: Mapping[str, float | None], kind: str) -> tuple[str, str]:
    numbers = [float("nan") if rate[name] is None else float(rate[name] or 0) for name in ("value", "low", "high")]
    value, low, high = (words.percent(one, 2) if kind == "share" else words.number(one, 3) for one in numbers)
    return value, f"{low} to {high}"


def _asset(name: str) -> str:
    return (resources.files("segue.report") / "templates" / name).read_text(encoding="utf-8")


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("segue.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(words=words, told=told, roles=roles, settings=settings, label=label, zip=zip)
    environment.filters["commas"] = lambda value: f"{value:,}"
    return environment
