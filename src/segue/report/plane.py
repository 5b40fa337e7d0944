"""Where the candidates of an update stand in the plane of accuracy and negative flips, and where the front runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from segue.report.scale import Axis, round_axis

SHAPES = ("circle", "square", "diamond", "up", "down", "cross", "plus", "star", "hexagon", "left", "right", "hourglass")
COLOURS = 7
FAR = 3.0
REFUSED = 4.0
ROUNDING = 1e-9  # accuracies are k / n, margins decimal fractions


@dataclass(frozen=True, slots=True)
class Mark:
    """How a method's candidates are drawn: methods differ in shape or filling, and besides in colour.

    Attributes:
        shape: One of ``SHAPES``.
        colour: Number of its colour, from 0.
        hollow: Whether only the outline is drawn.
    """

    shape: str
    colour: int
    hollow: bool


@dataclass(frozen=True, slots=True)
class Point:
    """A candidate in the picture.

    Attributes:
        number: Its row in the table, from 1.
        values: The candidate's numbers.
        mark: How it is drawn.
        x: Per cent of the way from left to right.
        y: Per cent of the way up.
        picked: Whether the rule picked it.
        plain: Whether it is the unconstrained model.
        on_front: Whether it is on the front of those that the rule accepts.
        refused: Why the rule can't pick it: "models", "accuracy", "flips"; empty where it can.
        beyond: Whether it lies off the axes, and is drawn at their edge.
        same: Rows of the others at the very same place.
    """

    number: int
    values: Mapping[str, Any]
    mark: Mark
    x: float
    y: float
    picked: bool
    plain: bool
    on_front: bool
    refused: tuple[str, ...]
    beyond: bool
    same: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """A value that matters, drawn across the picture.

    Attributes:
        value: The value.
        place: Per cent of the axis's length.
        beyond: Whether it lies off the axis, and is drawn at its edge.
    """

    value: float
    place: float
    beyond: bool


@dataclass(frozen=True, slots=True)
class Plane:
    """The picture.

    Attributes:
        points: The candidates, in the table's order.
        marks: The mark of each method.
        accuracy: The axis from left to right.
        flips: The axis upwards.
        steps: The front as an SVG path in a square of 100 by 100, y downwards; empty where it is a single point.
        old: Accuracy of the old model.
        least_accuracy: What the rule asks for, if it does.
        most_flips: What the rule allows, if it does.
    """

    points: tuple[Point, ...]
    marks: Mapping[str, Mark]
    accuracy: Axis
    flips: Axis
    steps: str
    old: Line
    least_accuracy: Line | None
    most_flips: Line | None


def marks(methods: Sequence[str]) -> dict[str, Mark]:
    """Give each method a mark of its own.

    Args:
        methods: Their names.

    Returns:
        A mark for each: shapes first, then the same shapes hollow, then other colours.

    Example:
        >>> marks(["a", "b"])["b"]
        Mark(shape='square', colour=1, hollow=False)
    """
    return {
        name: Mark(SHAPES[number % len(SHAPES)], number % COLOURS, number // len(SHAPES) % 2 == 1)
        for number, name in enumerate(dict.fromkeys(methods))
    }


def refusals(outcome: Mapping[str, Any], candidate: Mapping[str, Any]) -> tuple[str, ...]:
    """Tell why the rule of an outcome can't pick a candidate.

    Args:
        outcome: What ``Outcome.to_dict()`` of ``segue.congruent.recipes`` returns.
        candidate: One of its candidates.

    Returns:
        What there is too much or too little of: "models", "accuracy", "flips"; empty where the rule accepts it.

    Example:
        >>> rule = {"passes": 1, "margin": 0.01, "plain": {"accuracy": 0.9}}
        >>> refusals(rule, {"passes": 2, "accuracy": 0.88, "negative_flip_rate": 0.0})
        ('models', 'accuracy')
    """
    margin, most = outcome.get("margin"), outcome.get("max_negative_flip_rate")
    why = {
        "models": candidate["passes"] > outcome.get("passes", candidate["passes"]),
        "accuracy": margin is not None and candidate["accuracy"] < outcome["plain"]["accuracy"] - margin - ROUNDING,
        "flips": most is not None and candidate["negative_flip_rate"] > most + ROUNDING,
    }
    return tuple(name for name, true in why.items() if true)


def plane(outcome: Mapping[str, Any]) -> Plane:
    """Place everything.

    Args:
        outcome: What ``Outcome.to_dict()`` of ``segue.congruent.recipes`` returns.

    Returns:
        The picture.
    """
    candidates, plain, pick = outcome["candidates"], outcome["plain"], outcome["pick"]
    margin, most = outcome.get("margin"), outcome.get("max_negative_flip_rate")
    counts = plain["counts"]
    old_accuracy = (counts["both_right"] + counts["negative_flips"]) / sum(counts.values())
    floor = None if margin is None else max(plain["accuracy"] - margin, 0.0)
    xs = [one["accuracy"] for one in candidates]
    ys = [one["negative_flip_rate"] for one in candidates]
    across = _accuracies(xs, [plain["accuracy"], pick["accuracy"], *([] if floor is None else [floor])], old_accuracy)
    up = _flips(ys, [plain["negative_flip_rate"], pick["negative_flip_rate"]], most)
    by_method = marks([one["method"] for one in candidates])
    front = [one for one in outcome["front"] if not refusals(outcome, one)]
    places = [(one["accuracy"], one["negative_flip_rate"]) for one in candidates]
    picked, unconstrained = _row(candidates, pick), _row(candidates, plain)
    of_front = {_row(candidates, one) for one in front}
    points = tuple(
        Point(
            number,
            one,
            by_method[one["method"]],
            across.place(place[0]),
            up.place(place[1]),
            picked=number == picked,
            plain=number == unconstrained,
            on_front=number in of_front,
            refused=refusals(outcome, one),
            beyond=across.beyond(place[0]) or up.beyond(place[1]),
            same=tuple(row for row, other in enumerate(places, 1) if other == place and row != number),
        )
        for number, (one, place) in enumerate(zip(candidates, places, strict=True), 1)
    )
    return Plane(
        points,
        by_method,
        across,
        up,
        _steps(front, across, up),
        _line(across, old_accuracy),
        None if floor is None else _line(across, floor),
        None if most is None else _line(up, most),
    )


def _accuracies(values: Sequence[float], wanted: Sequence[float], old: float) -> Axis:
    # Models far below all others must not squeeze the rest into a corner, nor what the rule refuses what it accepts:
    # they are drawn at the edge.
    best, order = max(values), sorted(values)
    middle, least = order[len(order) // 2], min(wanted)
    reach = max(min(FAR * (best - middle), REFUSED * (best - least)), best - least, 0.01)
    low = max(order[0], best - reach)
    if best - 2 * reach <= old <= best + reach:
        low, best = min(low, old), max(best, old)
    low, best = min(low, *wanted), max(best, *wanted)
    room = max(0.06 * (best - low), 0.0005)
    return _within(low - room, best + room)


def _flips(values: Sequence[float], wanted: Sequence[float], most: float | None) -> Axis:
    order = sorted(values)
    high = max(min(order[-1], FAR * max(order[len(order) // 2], *wanted)), *wanted)
    if most is not None and most <= 2 * high:
        high = max(high, most)
    return _within(0.0, max(1.08 * high, 0.002))


def _within(low: float, high: float) -> Axis:
    axis = round_axis(max(low, 0.0), min(high, 1.0))
    # Shares end at 0 and at 1; the axis itself need not end at a tick.
    return Axis(max(axis.low, 0.0), min(axis.high, 1.0), tuple(tick for tick in axis.ticks if 0 <= tick <= 1))


def _row(candidates: Sequence[Mapping[str, Any]], wanted: Mapping[str, Any]) -> int:
    return next((number for number, one in enumerate(candidates, 1) if one == wanted), 0)


def _line(axis: Axis, value: float) -> Line:
    return Line(value, axis.place(value), axis.beyond(value))


def _steps(front: Sequence[Mapping[str, Any]], across: Axis, up: Axis) -> str:
    # From the fewest flips to the highest accuracy: what lies between two points costs the flips of the upper one.
    corners = sorted((across.place(one["accuracy"]), 100 - up.place(one["negative_flip_rate"])) for one in front)
    if len(corners) < 2:
        return ""
    (x, y), *rest = corners
    return f"M{x:.3f} {y:.3f}" + "".join(f"V{y:.3f}H{x:.3f}" for x, y in rest)
