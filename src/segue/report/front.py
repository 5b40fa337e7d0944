"""The page that shows every candidate of an update: accuracy against negative flips, the front and the pick.

``write_front`` writes it from plain values, such as ``outcome.to_dict()`` or a stored ``outcome.json``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from segue.errors import InputError
from segue.report import words
from segue.report.candidates_page import filled, write_page
from segue.report.plane import Plane, Point, plane, refusals
from segue.report.rates import MEANINGS

MEASURED = ("accuracy_new", "negative_flip_rate", "relative_negative_flip_rate", "positive_flip_rate")
REFUSALS = {
    "models": ("more models than the rule allows", "too many models"),
    "accuracy": ("less accurate than the rule accepts", "too inaccurate"),
    "flips": ("more flips than the rule accepts", "too many flips"),
}
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
    return write_page(render_front(outcome, title=title, date=date, command=command), path)


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
    return filled(
        "front.html.j2",
        date,
        {"told": told, "roles": roles, "short_roles": short_roles},
        outcome=outcome,
        plane=drawn,
        headline=headline(outcome),
        tested=figures(outcome).tested,
        lead=_lead(outcome),
        picture=_told_picture(outcome, drawn),
        first=shown_first(drawn, outcome["front"]),
        samples=sum(outcome["plain"]["counts"].values()),
        measured=_measured(outcome),
        title=title or "Candidates of a model update",
        command=command,
    )


@dataclass(frozen=True, slots=True)
class Figures:
    """What the first sentences of the page are about.

    Attributes:
        samples: Which samples they were measured on, in words.
        pick: The pick's accuracy and negative flip rate.
        plain: The unconstrained model's.
        tested: Whether they are test samples, on which nothing was chosen.
        broken: Negative flips of the pick and of the unconstrained model.
    """

    samples: str
    pick: tuple[float, float]
    plain: tuple[float, float]
    tested: bool
    broken: tuple[int, int]


FEW = 20  # flips: fewer are told as counts, since a percentage of them sounds surer than it is


def figures(outcome: Mapping[str, Any]) -> Figures:
    """Return the numbers of the pick and of the unconstrained model: those on test samples, if there are any.

    Args:
        outcome: What ``Outcome.to_dict()`` returned.

    Returns:
        Test numbers where both models have them, else validation numbers, on which the pick was chosen.
    """
    test, plain_test = outcome.get("test"), outcome.get("plain_test")
    if test is not None and plain_test is not None:
        pick, plain = (
            (float(one["rates"]["accuracy_new"]["value"]), float(one["rates"]["negative_flip_rate"]["value"]))
            for one in (test, plain_test)
        )
        broken = tuple(round(one["samples"] * rate[1]) for one, rate in ((test, pick), (plain_test, plain)))
        return Figures(words.count(test["samples"], "test sample"), pick, plain, True, (broken[0], broken[1]))
    pick, plain = ((one["accuracy"], one["negative_flip_rate"]) for one in (outcome["pick"], outcome["plain"]))
    samples = words.count(sum(outcome["plain"]["counts"].values()), "validation sample")
    broken = tuple(one["counts"]["negative_flips"] for one in (outcome["pick"], outcome["plain"]))
    return Figures(samples, pick, plain, False, (broken[0], broken[1]))


def headline(outcome: Mapping[str, Any]) -> str:
    """Return what the pick brings in one sentence.

    Args:
        outcome: What ``Outcome.to_dict()`` returned.

    Returns:
        The sentence, without a full stop.
    """
    found = figures(outcome)
    (accuracy, after), (plain_accuracy, before) = found.pick, found.plain
    if refusals(outcome, outcome["pick"]):
        return f"No candidate meets the rule; the nearest breaks {words.percent(after, 2)} of {found.samples}"
    if outcome["pick"] == outcome["plain"]:
        return "The unconstrained model was picked: nothing that was tried is better"
    change = f"accuracy {words.points(accuracy - plain_accuracy)}"
    if after >= before:
        return (
            f"The pick breaks {words.percent(after, 2)} of {found.samples}, the unconstrained model "
            f"{words.percent(before, 2)}; {change}"
        )
    if found.broken[1] < FEW:
        return (
            f"{words.count(found.broken[0], 'broken answer')} instead of {found.broken[1]:,} without a constraint, "
            f"{change}, on {found.samples}"
        )
    saved = 1 - after / before
    share = words.percent(saved, 0 if saved == 1 or 0.005 <= saved < 0.995 else None)
    return f"{share} fewer broken answers than without a constraint, {change}, on {found.samples}"


def shown_first(drawn: Plane, front: Sequence[Mapping[str, Any]]) -> tuple[Point, ...]:
    """Return the candidates that the reader wants to see before all others.

    Args:
        drawn: The picture.
        front: The front, in the outcome's order.

    Returns:
        The pick, the unconstrained model, and the front in its order; each once.
    """
    order = [next((row for row, one in enumerate(front) if one == point.values), 0) for point in drawn.points]
    found = [point for point in drawn.points if point.picked or point.plain or point.on_front]
    return tuple(sorted(found, key=lambda one: (not one.picked, not one.plain, order[one.number - 1])))


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
    """Return what a candidate is besides: picked, unconstrained, on the front, refused by the rule, off the axes."""
    refused = tuple(REFUSALS[why][0] for why in point.refused)
    return (*_places(point), *refused, *(("beyond the axes",) if point.beyond else ()))


def short_roles(point: Point) -> tuple[str, ...]:
    """Return :func:`roles` in the few words that a column of the table has room for."""
    return (*_places(point), *(REFUSALS[why][1] for why in point.refused))


def _places(point: Point) -> tuple[str, ...]:
    named = {"picked": point.picked, "unconstrained": point.plain, "on the front": point.on_front}
    return tuple(name for name, true in named.items() if true)


def _lead(outcome: Mapping[str, Any]) -> str:
    found = figures(outcome)
    (accuracy, after), (plain_accuracy, before) = found.pick, found.plain
    name, rule = label(outcome["pick"]), outcome["rule"]
    refused = refusals(outcome, outcome["pick"])
    which = f"Nearest to the rule ({rule}): {name}" if refused else f"Picked: {name}, by the rule: {rule}"
    other = (
        ""
        if outcome["pick"] == outcome["plain"]
        else f"; the unconstrained model is right on {words.percent(plain_accuracy, 2)} and breaks "
        f"{words.percent(before, 2)}"
    )
    caution = (
        "Nothing was trained or chosen on these samples."
        if found.tested
        else "It was chosen on these samples, which flatters the numbers a little."
    )
    return (
        f"{which}. On {found.samples} it is right on {words.percent(accuracy, 2)} and breaks "
        f"{words.percent(after, 2)}{other}. {caution}"
    )


def _told_picture(outcome: Mapping[str, Any], drawn: Plane) -> str:
    pick, plain = outcome["pick"], outcome["plain"]
    picked, unconstrained = (
        f"accuracy {words.percent(one['accuracy'], 2)}, negative flips {words.percent(one['negative_flip_rate'], 2)}"
        for one in (pick, plain)
    )
    return (
        f"Measured on {words.count(sum(plain['counts'].values()), 'validation sample')}: "
        f"{words.count(len(drawn.points), 'candidate')}, {sum(one.on_front for one in drawn.points)} of them on the "
        f"front of those that the rule accepts. Picked: {label(pick)}, {picked}. Unconstrained: {unconstrained}. Old "
        f"model: accuracy {words.percent(drawn.old.value, 2)}. The tables below have all numbers."
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
