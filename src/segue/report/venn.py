r"""Two circles whose areas, and whose overlap's area, are proportional to counts: the Venn diagram of errors.

A circle of :math:`n` errors has the radius :math:`\sqrt{n / \pi}`; the distance of the two centres is the root of
"area of the overlap = number of common errors".
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from scipy.optimize import brentq


@dataclass(frozen=True, slots=True)
class Circles:
    """Two circles on the x axis, the left one's centre at the origin; an area of 1 stands for one error.

    Attributes:
        left: Radius of the left circle.
        right: Radius of the right circle.
        distance: Distance of the centres.
    """

    left: float
    right: float
    distance: float

    @property
    def overlap(self) -> float:
        """Area that both circles cover."""
        return lens_area(self.left, self.right, self.distance)


@dataclass(frozen=True, slots=True)
class VennDrawing:
    """Where everything stands in the picture.

    Attributes:
        width: Width of the picture.
        height: Height of the picture.
        y: Height of both centres.
        left_x: Centre of the left circle.
        left_radius: Its radius.
        right_x: Centre of the right circle.
        right_radius: Its radius.
        lens: SVG path of the overlap; empty where there is none.
        anchors: Where the leader lines of "left only", "both" and "right only" start; ``None`` where a region is empty.
    """

    width: float
    height: float
    y: float
    left_x: float
    left_radius: float
    right_x: float
    right_radius: float
    lens: str
    anchors: tuple[float | None, float | None, float | None]


def lens_area(left: float, right: float, distance: float) -> float:
    """Return the area that two circles have in common.

    Args:
        left: Radius of the one.
        right: Radius of the other.
        distance: Distance of the centres.

    Returns:
        The area; that of the smaller circle where it lies in the larger.

    Example:
        >>> round(lens_area(1.0, 1.0, 0.0), 4), lens_area(1.0, 1.0, 2.0)
        (3.1416, 0.0)
    """
    small = min(left, right)
    if distance >= left + right or small <= 0:
        return 0.0
    if distance <= abs(left - right):
        return math.pi * small**2

    def angle(one: float, other: float) -> float:
        cosine = (distance**2 + one**2 - other**2) / (2 * distance * one)
        return math.acos(min(1.0, max(-1.0, cosine)))

    kite = (left + right - distance) * (distance + left - right) * (distance - left + right) * (distance + left + right)
    return left**2 * angle(left, right) + right**2 * angle(right, left) - math.sqrt(max(kite, 0.0)) / 2


def circles(left: float, right: float, both: float) -> Circles:
    """Find the two circles.

    Args:
        left: What the left circle stands for, the overlap included.
        right: What the right circle stands for, the overlap included.
        both: What the overlap stands for; at most the smaller of the two.

    Returns:
        The circles: apart where the overlap is 0, one in the other where it is all of the smaller.

    Example:
        >>> found = circles(100, 80, 30)
        >>> round(found.overlap, 6)
        30.0
    """
    one, other = math.sqrt(left / math.pi), math.sqrt(right / math.pi)
    nearest, farthest = abs(one - other), one + other
    if both <= 0:
        return Circles(one, other, farthest)
    if both >= min(left, right):
        return Circles(one, other, nearest)
    distance = brentq(lambda d: lens_area(one, other, d) - both, nearest, farthest, xtol=1e-12 * farthest)
    return Circles(one, other, float(distance))


def draw(left_only: float, both: float, right_only: float, width: float = 360.0, height: float = 190.0) -> VennDrawing:
    """Place the two circles in a picture.

    Args:
        left_only: What only the left circle holds.
        both: What both hold.
        right_only: What only the right circle holds.
        width: Width of the picture.
        height: Height of the picture.

    Returns:
        The places of everything.
    """
    found = circles(left_only + both, right_only + both, both)
    gap = 0.08 * (found.left + found.right) if both <= 0 and found.left > 0 and found.right > 0 else 0.0
    distance = found.distance + gap
    start = min(-found.left, distance - found.right)
    end = max(found.left, distance + found.right)
    scale = min((width - 40) / (end - start), (height - 8) / (2 * max(found.left, found.right)))
    shift = width / 2 - scale * (start + end) / 2
    left_x, right_x = shift, shift + scale * distance
    left_radius, right_radius = scale * found.left, scale * found.right
    overlaps = both > 0
    inner_left, inner_right = right_x - right_radius, left_x + left_radius
    anchors = (
        (left_x - left_radius + (inner_left if overlaps else inner_right)) / 2 if left_only > 0 else None,
        (max(inner_left, left_x - left_radius) + min(inner_right, right_x + right_radius)) / 2 if overlaps else None,
        ((inner_right if overlaps else inner_left) + right_x + right_radius) / 2 if right_only > 0 else None,
    )
    y = height / 2
    lens = _lens_path(left_x, left_radius, right_x, right_radius, y) if overlaps else ""
    return VennDrawing(width, height, y, left_x, left_radius, right_x, right_radius, lens, anchors)


def _lens_path(left_x: float, left_radius: float, right_x: float, right_radius: float, y: float) -> str:
    # Four decimals: of an arc of almost half a circle, the centre follows from a small difference of radius and chord.
    distance = right_x - left_x
    if distance <= abs(left_radius - right_radius) * (1 + 1e-9):  # one circle lies in the other
        x, radius = (left_x, left_radius) if left_radius < right_radius else (right_x, right_radius)
        radius = round(radius, 4)  # so that the chord is exactly the diameter as it is written
        half = f"a{radius:.4f} {radius:.4f} 0 1 0"
        return f"M{x - radius:.4f} {y:.4f}{half} {2 * radius:.4f} 0{half} {-2 * radius:.4f} 0Z"
    along = (distance**2 + left_radius**2 - right_radius**2) / (2 * distance)
    up = math.sqrt(max(left_radius**2 - along**2, 0.0))
    x = left_x + along
    # The arc of each circle inside the other is the long way round where the other's centre lies beyond the chord.
    right_large, left_large = int(along > distance), int(along < 0)
    return (
        f"M{x:.4f} {y - up:.4f}A{left_radius:.4f} {left_radius:.4f} 0 {left_large} 1 {x:.4f} {y + up:.4f}"
        f"A{right_radius:.4f} {right_radius:.4f} 0 {right_large} 1 {x:.4f} {y - up:.4f}Z"
    )
