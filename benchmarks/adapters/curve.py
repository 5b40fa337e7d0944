"""Update gain by number of pairs, as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from benchmarks.adapters.claimed import chosen, gains
from benchmarks.adapters.texts import L3
from benchmarks.adapters.tried import BEST, DEFAULTS

CURVES = (
    ("gallery", DEFAULTS["gallery"], "#1f5fa8"),
    ("gallery", "Ridge", "#7fb2e5"),
    ("gallery", BEST, ""),
    ("queries", DEFAULTS["queries"], "#b3541e"),
    ("queries", "Procrustes", "#e8a87c"),
    ("queries", "Ridge", ""),
    ("queries", BEST, ""),
    ("blend", DEFAULTS["blend"], "#3d7a3d"),
    ("blend", "Slerp(Procrustes)", "#9cc79c"),
    ("blend", BEST, ""),
    ("gallery", "isotrieve: default", ""),
    ("queries", "drift-spark: default", ""),
    ("queries", "isotrieve: default", ""),
)
"""Side, map and colour; without a colour in the table alone."""

LEFT, TOP, WIDTH, HEIGHT = 60, 20, 420, 280
LEGEND = 200
LOWEST, HIGHEST = -1.0, 1.0


def drawing(rows: Sequence[dict[str, Any]]) -> str:
    """Return the picture as SVG.

    Args:
        rows: The rows of the record.

    Returns:
        The picture; gains below -1 are drawn hollow at the edge, whose label says so.
    """
    counts = sorted({row["pairs"] for row in rows if row["old"] == L3})
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {LEFT + WIDTH + LEGEND} {TOP + HEIGHT + 50}" '
        'font-family="sans-serif" font-size="12" role="img">',
        "<title>Update gain by number of calibration pairs</title>",
        '<rect width="100%" height="100%" fill="#ffffff"/>',
    ]
    for tick in np.linspace(LOWEST, HIGHEST, 5):
        bold = ' stroke-width="2"' if tick == 0 else ""
        parts.append(f'<path d="M{LEFT} {_y(tick)}H{LEFT + WIDTH}" stroke="#cccccc"{bold}/>')
        label = f"{tick:g}" if tick > LOWEST else f"≤ {tick:g}"
        parts.append(f'<text x="{LEFT - 8}" y="{_y(tick) + 4}" text-anchor="end">{label}</text>')
    middle = f"14 {TOP + HEIGHT / 2}"
    parts.append(
        f'<text transform="translate({middle}) rotate(-90)" text-anchor="middle">'
        f"update gain (hollow: below {LOWEST:g})</text>"
    )
    below = f'y="{TOP + HEIGHT + 18}" text-anchor="middle"'
    parts += [f'<text x="{_x(count, counts)}" {below}>{count:,}</text>' for count in counts]
    parts.append(f'<text x="{LEFT + WIDTH / 2}" y="{TOP + HEIGHT + 40}" text-anchor="middle">calibration pairs</text>')
    for place, (side, name, colour) in enumerate(curve for curve in CURVES if curve[2]):
        several = {count: chosen(rows, L3, count, side, name) for count in counts}
        means = {count: float(np.mean(gains(own))) for count, own in several.items() if own}
        points = [(_x(count, counts), _y(mean), mean < LOWEST) for count, mean in means.items()]
        path = "L".join(f"{x} {y}" for x, y, _ in points)
        parts.append(f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        for x, y, cut in points:
            inside = "#ffffff" if cut else colour
            parts.append(f'<circle cx="{x}" cy="{y}" r="3" fill="{inside}" stroke="{colour}"/>')
        height = TOP + 14 + 36 * place
        parts.append(f'<text x="{LEFT + WIDTH + 14}" y="{height}" fill="{colour}" font-weight="bold">{side}</text>')
        parts.append(f'<text x="{LEFT + WIDTH + 14}" y="{height + 15}" font-size="10">{name}</text>')
    return "\n".join([*parts, "</svg>", ""])


def _x(count: int, counts: Sequence[int]) -> float:
    span = np.log(counts[-1] / counts[0]) or 1.0
    return round(LEFT + 15 + (WIDTH - 30) * float(np.log(count / counts[0]) / span), 1)


def _y(gain: float) -> float:
    return round(TOP + HEIGHT * (HIGHEST - max(LOWEST, min(HIGHEST, gain))) / (HIGHEST - LOWEST), 1)
