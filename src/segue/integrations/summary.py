"""The few numbers worth a curve during training, under short names."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from segue.errors import InputError
from segue.flips import intervals
from segue.flips.counts import NEGATIVE_FLIP, POSITIVE_FLIP, Tally
from segue.flips.intervals import CHANGED, NEW_RIGHT, NEW_WRONG, OLD_RIGHT


def summary(cells: Sequence[int], confidence: float = 0.95) -> dict[str, float]:
    """Turn the five counts into the numbers that callbacks log.

    Args:
        cells: Samples that are both right, negative flips, positive flips, both wrong with the same and with another
            answer.
        confidence: Coverage of the interval of the negative flip rate.

    Returns:
        ``nfr`` with the ends of its exact interval ``nfr_low`` and ``nfr_high``, ``pfr``, ``relative_nfr``, ``nfi``
        (0 for a model without errors), ``accuracy_old``, ``accuracy_new``, ``accuracy_change`` and ``churn``.

    Raises:
        InputError: If there are no samples.

    Example:
        >>> found = summary([80, 5, 10, 3, 2])
        >>> found["nfr"], found["accuracy_change"], round(found["nfr_high"], 3)
        (0.05, 0.05, 0.113)
    """
    tally = Tally(np.asarray(cells, dtype=np.int64))
    if not tally.counts.any():
        raise InputError("no sample was evaluated, so there are no flips to log; check the evaluation data")

    def share(hits: intervals.Cells, among: intervals.Cells = intervals.EVERY) -> float:
        return intervals.rate(tally, hits, among, confidence).value

    broken = intervals.rate(tally, (NEGATIVE_FLIP,), confidence=confidence)
    return {
        "nfr": broken.value,
        "nfr_low": broken.low,
        "nfr_high": broken.high,
        "pfr": share((POSITIVE_FLIP,)),
        "relative_nfr": intervals.relative_rate(tally, confidence).value,
        "nfi": share((NEGATIVE_FLIP,), NEW_WRONG) if tally.counts[list(NEW_WRONG)].any() else 0.0,
        "accuracy_old": share(OLD_RIGHT),
        "accuracy_new": share(NEW_RIGHT),
        "accuracy_change": intervals.accuracy_change(tally, confidence).value,
        "churn": share(CHANGED),
    }
