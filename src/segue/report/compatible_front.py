"""The page of a compatible training: quality on the new gallery against quality on the old one, and the cross test.

``write_compatible_front`` writes it from plain values, such as ``outcome.to_dict()`` or a stored ``outcome.json``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from segue.errors import InputError
from segue.report import words
from segue.report.candidates_page import filled, write_page
from segue.report.compatible_plane import GalleryPlane, Spot, gallery_plane
from segue.report.front import label

_NEEDED = ("candidates", "cross_test", "front", "margin", "measure", "old_old", "paragon", "pick", "rule", "tried")
CELLS = {
    "old_old": ("old", "old", "what there is today"),
    "new_old": ("new", "old", "after the update, with the gallery as it is stored"),
    "new_new": ("new", "new", "once everything is embedded again"),
    "paragon": ("paragon", "paragon", "the same network, trained without regard to the old model"),
}
CHANGES = {
    "criterion": "New instead of old queries on the old gallery",
    "backfill_gain": "What embedding the gallery again adds to that",
    "cost": "New model instead of paragon, each on its own gallery: what being compatible costs",
}


def write_compatible_front(
    outcome: Mapping[str, Any],
    path: str | Path,
    *,
    title: str | None = None,
    date: datetime | None = None,
    command: str | None = None,
) -> Path:
    """Write the picture of a compatible training's candidates as one self-contained HTML file.

    Args:
        outcome: What ``Outcome.to_dict()`` of ``segue.compatible.recipes`` returned; under ``"test"`` it may hold the
            cross test on test samples.
        path: The file; an existing one is replaced.
        title: Title of the page.
        date: When the candidates were made; now by default.
        command: The command that made them, for the footer.

    Returns:
        The file written.

    Raises:
        InputError: If ``outcome`` is no outcome, or the file can't be written.
    """
    return write_page(render_compatible_front(outcome, title=title, date=date, command=command), path)


def render_compatible_front(
    outcome: Mapping[str, Any], *, title: str | None = None, date: datetime | None = None, command: str | None = None
) -> str:
    """Return the picture of a compatible training's candidates as one self-contained HTML page.

    Args:
        outcome: What ``Outcome.to_dict()`` of ``segue.compatible.recipes`` returned.
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
        raise InputError(f"outcome {what}; pass what Outcome.to_dict() of segue.compatible.recipes returned")
    drawn = gallery_plane(outcome)
    return filled(
        "compatible_front.html.j2",
        date,
        {"told": told, "roles": roles, "shown_first": shown_first},
        outcome=outcome,
        plane=drawn,
        headline=headline(outcome),
        lead=_lead(outcome),
        picture=_told_picture(outcome, drawn),
        samples=words.count(outcome["cross_test"]["queries"], "validation sample"),
        tested=outcome.get("test") is not None,
        cross=_cross(outcome),
        title=title or "Candidates of a compatible training",
        command=command,
    )


def headline(outcome: Mapping[str, Any]) -> str:
    """Return in one sentence whether new queries may search the old gallery.

    Args:
        outcome: What ``Outcome.to_dict()`` returned.

    Returns:
        The sentence, without a full stop.
    """
    test, samples = _shown(outcome)
    new, old = (words.percent(_number(test[cell], "value"), 2) for cell in ("new_old", "old_old"))
    numbers = f"{test['measure']} {new} and {old}, on {samples}"
    if test["compatible"] == "yes":
        return f"New queries do better on the old gallery than old ones: {numbers}"
    if test["compatible"] == "no":
        return f"New queries do not do better on the old gallery than old ones: {numbers}"
    return f"Too close to tell whether new queries do better on the old gallery than old ones: {numbers}"


def told(spot: Spot) -> tuple[str, ...]:
    """Return what the tooltip of a candidate says.

    Args:
        spot: The candidate.

    Returns:
        Its lines.
    """
    one = spot.values
    return (
        label(one),
        f"new queries on the old gallery {words.percent(one['new_old'], 2)}",
        f"on its own gallery {words.percent(one['new_new'], 2)}",
        f"{words.number(one['trainings'])} training{'s' * (one['trainings'] != 1)}",
    )


def roles(spot: Spot) -> tuple[str, ...]:
    """Return what a candidate is besides: picked, the paragon, on the front, refused by the rule, off the axes."""
    named = {
        "picked": spot.picked,
        "paragon": spot.paragon,
        "on the front": spot.on_front,
        "too far below the paragon": spot.refused,
        "beyond the axes": spot.beyond,
    }
    return tuple(name for name, true in named.items() if true)


def _shown(outcome: Mapping[str, Any]) -> tuple[Mapping[str, Any], str]:
    """Return the cross test that the first sentences are about, and its samples in words."""
    test = outcome.get("test")
    found = outcome["cross_test"] if test is None else test
    return found, words.count(found["queries"], "validation sample" if test is None else "test sample")


def _lead(outcome: Mapping[str, Any]) -> str:
    test, _ = _shown(outcome)
    gain = test["update_gain"]
    pick, paragon = outcome["pick"], outcome["paragon"]
    met = pick["new_new"] >= paragon["new_new"] - outcome["margin"] - 1e-9
    which = "Picked" if met else "No candidate meets the rule; nearest to it"
    caution = (
        "It was chosen on these samples, which flatters the numbers a little."
        if outcome.get("test") is None
        else "Nothing was trained or chosen on these samples."
    )
    return f"{which}: {label(pick)}, by the rule: {outcome['rule']}. {_told_gain(gain)} {caution}"


def _told_gain(gain: Mapping[str, float | None]) -> str:
    value = gain["value"]
    if value is None:
        return "What share of the upgrade that is can't be told: the paragon is not shown to be an improvement."
    if value <= 0:
        return "None of what the paragon gains comes without embedding the gallery again."
    return (
        f"Without embedding the gallery again that is {words.percent(value)} ({_interval(gain)}) of what the paragon "
        f"gains."
    )


def _told_picture(outcome: Mapping[str, Any], drawn: GalleryPlane) -> str:
    pick, paragon = (
        f"{label(one)}, {words.percent(one['new_new'], 2)} on its own gallery, {words.percent(one['new_old'], 2)} on "
        f"the old one"
        for one in (outcome["pick"], outcome["paragon"])
    )
    return (
        f"{words.count(len(drawn.spots), 'candidate')}, {sum(one.on_front for one in drawn.spots)} of them on the "
        f"front. Picked: {pick}. Paragon: {paragon}. Old queries on the old gallery: "
        f"{words.percent(drawn.old_old.value, 2)}. The table below has all numbers."
    )


def _cross(outcome: Mapping[str, Any]) -> dict[str, Any]:
    test, samples = _shown(outcome)
    cells = [(*told, *_told_share(test[name])) for name, told in CELLS.items() if test.get(name) is not None]
    changes = [(told, *_told_points(test[name])) for name, told in CHANGES.items() if test.get(name) is not None]
    gain = test["update_gain"]
    share = ("undefined", "") if gain["value"] is None else (words.percent(gain["value"]), _interval(gain))
    return {
        "samples": samples,
        "measure": test["measure"],
        "confidence": test["confidence"],
        "cells": cells,
        "changes": [*changes, ("Update gain: the share of the upgrade without touching the gallery", *share)],
    }


def _told_share(cell: Mapping[str, float | None]) -> tuple[str, str]:
    return words.percent(_number(cell, "value"), 2), _interval(cell)


def _told_points(change: Mapping[str, float | None]) -> tuple[str, str]:
    low, high = (words.points(_number(change, end), unit=False) for end in ("low", "high"))
    return words.points(_number(change, "value")), f"{low} to {high}"


def _interval(cell: Mapping[str, float | None]) -> str:
    low, high = (words.percent(_number(cell, end)) for end in ("low", "high"))
    return f"{low} to {high}"


def _number(cell: Mapping[str, float | None], name: str) -> float:
    value = cell[name]
    return float("nan") if value is None else float(value)


def shown_first(spots: Sequence[Spot]) -> tuple[Spot, ...]:
    """Return the candidates in the order of the table: the pick, the paragon, the front, all others.

    Args:
        spots: The candidates.

    Returns:
        All of them.
    """
    return tuple(sorted(spots, key=lambda one: (not one.picked, not one.paragon, not one.on_front, one.number)))
