"""Where the candidates of a compatible training stand in the plane of quality on the new and on the old gallery."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from segue.report.plane import Line, Mark, marks
from segue.report.scale import Axis, round_axis

FAR = 3.0
ROUNDING = 1e-9  # qualities are means over queries, margins decimal fractions


@dataclass(frozen=True, slots=True)
class Spot:
    """A candidate in the picture.

    Attributes:
        number: Its row in the table, from 1.
        values: The candidate's numbers.
        mark: How it is drawn.
        x: Per cent of the way from left to right.
        y: Per cent of the way up.
        picked: Whether the rule picked it.
        paragon: Whether it is the network without a constraint that others are compared with.
        on_front: Whether none is better on both galleries.
        refused: Whether it is further below the paragon than the rule accepts.
        beyond: Whether it lies off the axes, and is drawn at their edge.
    """

    number: int
    values: Mapping[str, Any]
    mark: Mark
    x: float
    y: float
    picked: bool
    paragon: bool
    on_front: bool
    refused: bool
    beyond: bool


@dataclass(frozen=True, slots=True)
class GalleryPlane:
    """The picture.

    Attributes:
        spots: The candidates, in the table's order.
        marks: The mark of each method.
        new: The axis from left to right: quality on the own gallery.
        old: The axis upwards: quality on the old gallery.
        steps: The front as an SVG path in a square of 100 by 100, y downwards; empty where it is a single point.
        floor: What the rule asks for on the own gallery.
        old_old: What the old model's queries find in the old gallery.
    """

    spots: tuple[Spot, ...]
    marks: Mapping[str, Mark]
    new: Axis
    old: Axis
    steps: str
    floor: Line
    old_old: Line


def gallery_plane(outcome: Mapping[str, Any]) -> GalleryPlane:
    """Place everything.

    Args:
        outcome: What ``Outcome.to_dict()`` of ``segue.compatible.recipes`` returns.

    Returns:
        The picture.
    """
    candidates, paragon, pick = outcome["candidates"], outcome["paragon"], outcome["pick"]
    floor = max(paragon["new_new"] - outcome["margin"], 0.0)
    across = _axis([one["new_new"] for one in candidates], [paragon["new_new"], pick["new_new"], floor])
    up = _axis([one["new_old"] for one in candidates], [pick["new_old"], outcome["old_old"]])
    by_method = marks([one["method"] for one in candidates])
    spots = tuple(
        Spot(
            number,
            one,
            by_method[one["method"]],
            across.place(one["new_new"]),
            up.place(one["new_old"]),
            picked=one == pick,
            paragon=one == paragon,
            on_front=one in outcome["front"],
            refused=one["new_new"] < floor - ROUNDING,
            beyond=across.beyond(one["new_new"]) or up.beyond(one["new_old"]),
        )
        for number, one in enumerate(candidates, 1)
    )
    lines = (Line(value, axis.place(value), axis.beyond(value)) for axis, value in
             ((across, floor), (up, outcome["old_old"])))  # fmt: skip
    return GalleryPlane(spots, by_method, across, up, _steps(spots), *lines)


def _axis(values: Sequence[float], wanted: Sequence[float]) -> Axis:
    # Models far below all others (on the old gallery the paragon knows nothing) must not squeeze the rest into a
    # corner: they are drawn at the edge.
    high, order = max(*values, *wanted), sorted(values)
    reach = max(FAR * (high - order[len(order) // 2]), high - min(wanted), 0.01)
    low = min(max(order[0], high - reach), *wanted)
    room = max(0.06 * (high - low), 0.0005)
    axis = round_axis(max(low - room, 0.0), min(high + room, 1.0))
    return Axis(max(axis.low, 0.0), min(axis.high, 1.0), tuple(tick for tick in axis.ticks if 0 <= tick <= 1))


def _steps(spots: Sequence[Spot]) -> str:
    # From the best on the old gallery to the best on the own: what lies between two points has the height of the lower.
    corners = sorted((one.x, 100 - one.y) for one in spots if one.on_front)
    if len(corners) < 2:
        return ""
    (x, y), *rest = corners
    return f"M{x:.3f} {y:.3f}" + "".join(f"V{y:.3f}H{x:.3f}" for x, y in rest)
