"""The two-by-two table of an update, drawn so that the area of each square is the number of its samples.

The four squares meet in the middle, as in Friendly's fourfold display (Amer. Statistician 48, 1994): what stays right
and what stays wrong lie on one diagonal, what breaks and what is mended on the other.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from segue.flips.counts import Counts


@dataclass(frozen=True, slots=True)
class Cell:
    """One of the four cells.

    Attributes:
        kind: ``right``, ``broken``, ``mended`` or ``wrong``.
        count: Its samples.
        share: Their share of all samples; NaN where there are none.
        side: Side of its square in per cent of the cell's side, so that areas are proportional to counts.
    """

    kind: str
    count: int
    share: float
    side: float


def cells(counts: Counts) -> dict[str, Cell]:
    """Return the four cells by kind.

    Args:
        counts: The samples in each cell.

    Returns:
        The cells; the largest fills its place.

    Example:
        >>> found = cells(Counts(64, 4, 16, 9, 7))
        >>> found["right"].side, found["broken"].side, found["mended"].side
        (100.0, 25.0, 50.0)
    """
    of_kind = {
        "right": counts.both_right,
        "broken": counts.negative_flips,
        "mended": counts.positive_flips,
        "wrong": counts.both_wrong,
    }
    largest, samples = max(of_kind.values()), counts.samples
    return {
        kind: Cell(
            kind,
            count,
            count / samples if samples else math.nan,
            100 * math.sqrt(count / largest) if largest else 0.0,
        )
        for kind, count in of_kind.items()
    }
