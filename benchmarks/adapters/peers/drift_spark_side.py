"""Run drift-spark's adapter, in its own environment: a rotation of new queries to the old space.

It offers no map of the gallery; the same class with its arguments exchanged is run for it. Its own gate (the share of
the old neighbours that adapted queries find, 0.97) is told beside, measured as its ``migrate`` does: fitted on 90% of
the pairs, measured on the rest.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from drift.adapter import DriftAdapter
from drift.shadow_eval import ARR_THRESHOLD, measure_arr
from exchange import Map, opened

Rows = np.ndarray[Any, Any]


def fitted(target: Rows, source: Rows) -> tuple[Map, dict[str, Any]]:
    """Fit source to target."""
    part = int(len(target) * 0.9)
    rate = measure_arr(
        DriftAdapter().fit(target[:part], source[:part]),
        target[part:],
        source[part:],
        k=min(10, len(target) - part - 1),
        threshold=None,
    )
    return DriftAdapter().fit(target, source).predict, {"arr": float(rate), "passes": bool(rate >= ARR_THRESHOLD)}


given = opened()
given.run("default", "queries", lambda: fitted(given.old, given.new))
given.run("arguments exchanged", "gallery", lambda: fitted(given.new, given.old))
given.close()
