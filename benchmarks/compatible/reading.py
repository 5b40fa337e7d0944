"""What several seeds' rows say together: the best method, and its update gain."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from benchmarks.congruent.methods import interval_of_ratio

AUTO = "auto"


def best_method(rows: Sequence[dict[str, Any]]) -> str:
    """Return the method that is best on the old gallery on validation samples, and costs at most a point there.

    Args:
        rows: The rows.

    Returns:
        Its name; ``auto`` and ``independent`` are not candidates.
    """
    names = [name for name in dict.fromkeys(row["method"] for row in rows) if name not in {AUTO, "independent"}]
    own = {name: [row for row in rows if row["method"] == name] for name in names}
    holding = [name for name in names if mean([cost_on_validation(row) for row in own[name]]) >= -0.01]
    return max(holding or names, key=lambda name: mean([row["validation_new_old"] for row in own[name]]))


def cost_on_validation(row: dict[str, Any]) -> float:
    """Return new/new minus the paragon on validation samples."""
    return float(row["validation_new_new"] - row["validation_paragon"])


def mean(values: Sequence[float]) -> float:
    """Return the mean as a plain number."""
    return float(np.mean(values))


def gain_of(rows: Sequence[dict[str, Any]], measure: str = "cmc@1") -> tuple[float, float | None, float | None]:
    """Return the update gain over several seeds, a ratio of means, with its 95% interval over the seeds.

    A mean of the seeds' own gains would be ruled by the seed whose paragon gains least.

    Args:
        rows: Rows of one scenario and method, one per seed.
        measure: What quality is.

    Returns:
        The gain, and its interval's ends.
    """
    old = np.array([row[f"{measure} old_old"] for row in rows])
    gained, possible = (np.array([row[f"{measure} {cell}"] for row in rows]) - old for cell in ("new_old", "paragon"))
    return float(gained.mean() / possible.mean()), *interval_of_ratio(gained, possible)
