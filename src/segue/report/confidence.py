"""How sure the two models were on the samples that flipped."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

BINS = 10
SURE = 0.9


@dataclass(frozen=True, slots=True)
class ConfidencePanel:
    """Two histograms over the same bins: the new model's confidence upwards, the old one's downwards.

    Attributes:
        kind: ``broken`` or ``mended``.
        samples: How many flipped samples have both confidences.
        old: Samples per bin of the old model's confidence, ``(10,)``.
        new: The same of the new model's.
        old_sure: Samples on which the old model was at least 90% sure.
        new_sure: The same of the new model.
    """

    kind: str
    samples: int
    old: tuple[int, ...]
    new: tuple[int, ...]
    old_sure: int
    new_sure: int


def confidence_panels(columns: Mapping[str, NDArray[Any]]) -> tuple[ConfidencePanel, ...]:
    """Count the confidences of broken and of mended samples.

    Args:
        columns: The flipped samples, with ``flip``, ``old_confidence`` and ``new_confidence``.

    Returns:
        A panel for the broken and one for the mended samples, where there are any; none where the confidences are not
        known for both models or are no probabilities.
    """
    if not {"flip", "old_confidence", "new_confidence"} <= columns.keys():
        return ()
    old, new = (_numbers(columns[name]) for name in ("old_confidence", "new_confidence"))
    if old is None or new is None:
        return ()
    both = np.isfinite(old) & np.isfinite(new)
    if not both.any() or min(old[both].min(), new[both].min()) < 0 or max(old[both].max(), new[both].max()) > 1:
        return ()
    flip = np.asarray(columns["flip"])
    panels = []
    for kind, name in (("broken", "negative"), ("mended", "positive")):
        here = both & (flip == name)
        if here.any():
            panels.append(_panel(kind, old[here], new[here]))
    return tuple(panels)


def _panel(kind: str, old: NDArray[np.float64], new: NDArray[np.float64]) -> ConfidencePanel:
    # The small number keeps 0.3 / 0.1 = 2.999... in the bin that starts at 0.3.
    bins = [np.minimum((values * BINS + 1e-9).astype(np.int64), BINS - 1) for values in (old, new)]
    first, second = (tuple(np.bincount(numbers, minlength=BINS).tolist()) for numbers in bins)
    sure = [int((values >= SURE - 1e-12).sum()) for values in (old, new)]
    return ConfidencePanel(kind, len(old), first, second, sure[0], sure[1])


def _numbers(values: NDArray[Any]) -> NDArray[np.float64] | None:
    try:
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        return None
