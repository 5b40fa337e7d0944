"""Run embspec's adapter, in its own environment: least squares from the new space to the old one.

It offers no map of the gallery; the same class with its arguments exchanged is run for it. ``default`` has no penalty,
as the class; ``readme`` the penalty of its README, 0.01; ``chosen`` the penalty with the best ``neighbor_stability``,
its own measure, on a tenth of the pairs.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from embspec import DriftAdapter, neighbor_stability
from exchange import Map, opened

Rows = np.ndarray[Any, Any]

PENALTIES = (0.0, 0.01, 0.1, 1.0, 3.0, 10.0, 30.0, 100.0)
K = 10


def fitted(source: Rows, target: Rows, penalty: float) -> tuple[Map, dict[str, Any]]:
    """Fit source to target."""
    return DriftAdapter.fit(source, target, regularization=penalty).transform, {"regularization": penalty}


def chosen(source: Rows, target: Rows) -> tuple[Map, dict[str, Any]]:
    """Fit with the penalty whose mapped probes find the neighbours that the target's own vectors find."""
    part = int(len(source) * 0.9)
    own = neighbours(target[part:], target[part:])

    def stability(penalty: float) -> float:
        adapter = DriftAdapter.fit(source[:part], target[:part], regularization=penalty)
        found = neighbours(adapter.transform(source[part:]), target[part:])
        return float(neighbor_stability(own, found, k=K).mean_overlap_at_k)

    return fitted(source, target, max(PENALTIES, key=stability))


def neighbours(queries: Rows, items: Rows) -> dict[str, list[str]]:
    """Return the nearest other items of each query by cosine."""
    one, other = (rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (queries, items))
    scores = one @ other.T
    np.fill_diagonal(scores, -np.inf)
    return {str(row): [str(item) for item in order[:K]] for row, order in enumerate(np.argsort(-scores, axis=1))}


given = opened()
for side, source, target in (("queries", given.new, given.old), ("gallery", given.old, given.new)):
    exchanged = "" if side == "queries" else ", arguments exchanged"
    given.run(f"default{exchanged}", side, partial(fitted, source, target, 0.0))
    given.run(f"readme{exchanged}", side, partial(fitted, source, target, 0.01))
    given.run(f"chosen{exchanged}", side, partial(chosen, source, target))
given.close()
