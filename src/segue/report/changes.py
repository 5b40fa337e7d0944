"""By how much the scores of flipped samples changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segue.report.scale import Axis, round_axis


@dataclass(frozen=True, slots=True)
class ChangeBar:
    """One bar: its two ends on the axis, its samples, and whether these lost."""

    low: float
    high: float
    count: int
    lost: bool


@dataclass(frozen=True, slots=True)
class ChangeHistogram:
    """The distribution of the score changes of flipped samples.

    Attributes:
        axis: New minus old score.
        bars: The bars, from the largest loss to the largest gain.
        tallest: Samples in the tallest bar.
        median_loss: Median of the losses; NaN where nothing lost.
        median_gain: Median of the gains; NaN where nothing won.
    """

    axis: Axis
    bars: tuple[ChangeBar, ...]
    tallest: int
    median_loss: float
    median_gain: float


def change_histogram(columns: Mapping[str, NDArray[Any]], bins: int = 24) -> ChangeHistogram | None:
    """Count the score changes of flipped samples.

    Args:
        columns: The flipped samples, with ``old`` and ``new`` scores.
        bins: About how many bars there should be.

    Returns:
        The histogram; ``None`` where there is no flipped sample. Zero is always the border of two bars.
    """
    if not {"old", "new"} <= columns.keys():
        return None
    change = np.asarray(columns["new"], dtype=np.float64) - np.asarray(columns["old"], dtype=np.float64)
    change = change[np.isfinite(change)]
    if not len(change):
        return None
    reach = float(np.abs(change).max())
    axis = round_axis(min(float(change.min()), 0.0), max(float(change.max()), 0.0), 6)
    width = round_axis(0.0, axis.high - axis.low, bins).ticks[1]
    # Changes that differ by rounding errors only must not be torn apart by a bar's border.
    number = np.where(
        change < 0,
        np.ceil(change / width - 1e-9 * reach / width) - 1,
        np.floor(change / width + 1e-9 * reach / width),
    ).astype(np.int64)
    found, counts = np.unique(number, return_counts=True)
    bars = tuple(
        ChangeBar(place * width, (place + 1) * width, count, place < 0)
        for place, count in zip(found.tolist(), counts.tolist(), strict=True)
    )
    losses, gains = change[change < 0], change[change > 0]
    low, high = min(axis.low, bars[0].low), max(axis.high, bars[-1].high)
    return ChangeHistogram(
        axis=Axis(low, high, axis.ticks),
        bars=bars,
        tallest=int(counts.max()),
        median_loss=float(np.median(-losses)) if len(losses) else float("nan"),
        median_gain=float(np.median(gains)) if len(gains) else float("nan"),
    )
