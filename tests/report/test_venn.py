from __future__ import annotations

import math
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.report.venn import circles, draw, lens_area

COUNTS = st.integers(0, 10**7)


def strips(left: float, right: float, distance: float, steps: int = 200_001) -> float:
    """The overlap's area, added up strip by strip: slow and obvious."""
    x = np.linspace(distance - right, left, steps)
    inside = np.minimum(
        np.sqrt(np.clip(left**2 - x**2, 0, None)), np.sqrt(np.clip(right**2 - (x - distance) ** 2, 0, None))
    )
    return float(np.trapezoid(2 * inside, x)) if distance - right < left else 0.0


@pytest.mark.parametrize(
    ("left", "right", "distance"), [(1, 1, 0.5), (2, 1, 1.5), (3, 0.5, 2.9), (1, 1, 1.99), (5, 4, 1.2)]
)
def test_area_of_the_overlap_by_strips(left, right, distance):
    assert lens_area(left, right, distance) == pytest.approx(strips(left, right, distance), rel=1e-4)


def test_half_overlap_by_hand():
    # Two unit circles at distance 1: 2 pi / 3 - sqrt(3) / 2.
    assert lens_area(1, 1, 1) == pytest.approx(2 * math.pi / 3 - math.sqrt(3) / 2)


@given(COUNTS, COUNTS, COUNTS)
def test_areas_are_the_counts(left_only, both, right_only):
    found = circles(left_only + both, right_only + both, both)
    assert math.pi * found.left**2 == pytest.approx(left_only + both)
    assert math.pi * found.right**2 == pytest.approx(right_only + both)
    assert found.overlap == pytest.approx(both, rel=1e-6, abs=1e-6 * (1 + left_only + right_only))


@given(COUNTS, COUNTS, COUNTS)
def test_swapping_the_sides_mirrors_the_circles(left_only, both, right_only):
    one, other = circles(left_only + both, right_only + both, both), circles(right_only + both, left_only + both, both)
    assert (one.left, one.right) == (other.right, other.left)
    assert one.distance == pytest.approx(other.distance)


@given(COUNTS, COUNTS, COUNTS)
def test_the_picture_holds_everything(left_only, both, right_only):
    if left_only + both + right_only == 0:
        return
    found = draw(left_only, both, right_only)
    for x, radius in ((found.left_x, found.left_radius), (found.right_x, found.right_radius)):
        assert x - radius >= -1e-6
        assert x + radius <= found.width + 1e-6
        assert radius <= found.height / 2 + 1e-6
    assert [anchor is None for anchor in found.anchors] == [left_only == 0, both == 0, right_only == 0]
    assert bool(found.lens) == (both > 0)


@given(st.integers(1, 10**5), st.integers(1, 10**5), st.integers(1, 10**5))
def test_leader_lines_start_in_their_region(left_only, both, right_only):
    found = draw(left_only, both, right_only)

    def inside(anchor: float) -> tuple[bool, bool]:
        return abs(anchor - found.left_x) <= found.left_radius, abs(anchor - found.right_x) <= found.right_radius

    assert [inside(anchor) for anchor in found.anchors] == [(True, False), (True, True), (False, True)]


@given(st.integers(0, 10**5), st.integers(1, 10**5), st.integers(0, 10**5))
def test_the_drawn_overlap_has_the_area_of_its_path(left_only, both, right_only):
    found = draw(left_only, both, right_only)
    scale = (math.pi * max(found.left_radius, found.right_radius) ** 2) / (both + max(left_only, right_only))
    assert path_area(found.lens) == pytest.approx(scale * both, rel=0.02, abs=1.5)


def path_area(path: str) -> float:
    """Area of an SVG path of arcs, by the shoelace formula over points along the arcs."""
    points: list[tuple[float, float]] = []
    at = start = (0.0, 0.0)
    for command, rest in re.findall(r"([MAaZ])([^MAaZ]*)", path):
        numbers = [float(text) for text in rest.replace(",", " ").split()]
        if command == "M":
            at = start = (numbers[0], numbers[1])
        elif command in "Aa":
            radius, _, _, large, sweep, x, y = numbers
            end = (x, y) if command == "A" else (at[0] + x, at[1] + y)
            points += arc(at, end, radius, bool(large), bool(sweep))
            at = end
    points.append(start)
    x, y = np.array(points).T
    return abs(float(np.sum(x * np.roll(y, -1) - y * np.roll(x, -1)))) / 2


def arc(start, end, radius, large, sweep):
    """Points along an arc as SVG defines it (appendix B.2.4 of the recommendation, for circles)."""
    (x1, y1), (x2, y2) = start, end
    half = math.hypot(x2 - x1, y2 - y1) / 2
    if half == 0:
        return [start]
    radius = max(radius, half)
    away = math.sqrt(radius**2 - half**2) * (-1 if large == sweep else 1)
    cx = (x1 + x2) / 2 - away * (y2 - y1) / (2 * half)
    cy = (y1 + y2) / 2 + away * (x2 - x1) / (2 * half)
    first, last = math.atan2(y1 - cy, x1 - cx), math.atan2(y2 - cy, x2 - cx)
    turn = (last - first) % (2 * math.pi) if sweep else -((first - last) % (2 * math.pi))
    angles = first + turn * np.linspace(0, 1, 400)
    return list(zip(cx + radius * np.cos(angles), cy + radius * np.sin(angles), strict=True))
