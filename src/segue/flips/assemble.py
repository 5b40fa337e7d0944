"""From sums to a report: the one place where rates, intervals and tests are put together."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from segue.flips import intervals
from segue.flips.counts import BOTH_RIGHT, BOTH_WRONG_DIFFER, NEGATIVE_FLIP, POSITIVE_FLIP, Tally
from segue.flips.discovery.discovered import Discovery
from segue.flips.estimate import Estimate
from segue.flips.intervals import BOTH_WRONG, CHANGED, NEW_RIGHT, NEW_WRONG, OLD_RIGHT, OLD_WRONG
from segue.flips.paired import paired_test
from segue.flips.result import FlipReport
from segue.flips.samples import FlipMatrix, FlippedSamples
from segue.flips.slices import SliceTally, slice_results


def assemble(
    tally: Tally,
    *,
    flip_matrix: FlipMatrix,
    flips: FlippedSamples,
    confidence: float = 0.95,
    slices: Sequence[SliceTally] = (),
    discovery: Discovery | None = None,
    fractional_flips: Estimate | None = None,
    names: tuple[str, str] = ("old", "new"),
    notes: Sequence[str] = (),
) -> FlipReport:
    """Compute every rate with its interval from the sums.

    Args:
        tally: Sums over all samples.
        flip_matrix: What the broken answers became.
        flips: The flipped samples.
        confidence: Nominal coverage of the intervals.
        slices: Sums per slice.
        discovery: Conjunctions in which flips concentrate, if they were looked for.
        fractional_flips: Flips weighted by the new model's certainty, if probabilities are known.
        names: What the old and the new model are called.
        notes: What a reader must know.

    Returns:
        The report.
    """

    def rate(hits: intervals.Cells, among: intervals.Cells = intervals.EVERY) -> Estimate:
        return intervals.rate(tally, hits, among, confidence)

    impact = rate((NEGATIVE_FLIP,), NEW_WRONG)
    if not tally.sums[list(NEW_WRONG)].any():  # Cai et al. define the impact of a model without errors as 0
        impact = Estimate(0.0, impact.low, impact.high)
    return FlipReport(
        samples=int(tally.counts.sum()),
        counts=tally.as_counts(),
        confidence=confidence,
        accuracy_old=rate(OLD_RIGHT),
        accuracy_new=rate(NEW_RIGHT),
        accuracy_change=intervals.accuracy_change(tally, confidence),
        negative_flip_rate=rate((NEGATIVE_FLIP,)),
        positive_flip_rate=rate((POSITIVE_FLIP,)),
        relative_negative_flip_rate=intervals.relative_rate(tally, confidence),
        negative_flip_impact=impact,
        positive_flip_impact=rate((POSITIVE_FLIP,), NEW_RIGHT),
        backward_trust_compatibility=rate((BOTH_RIGHT,), OLD_RIGHT),
        backward_error_compatibility_given_old_error=rate(BOTH_WRONG, OLD_WRONG),
        backward_error_compatibility_given_new_error=rate(BOTH_WRONG, NEW_WRONG),
        churn=rate(CHANGED),
        good_churn=rate((POSITIVE_FLIP,)),
        bad_churn=rate((NEGATIVE_FLIP, BOTH_WRONG_DIFFER)),
        test=paired_test(tally),
        flip_matrix=flip_matrix,
        flips=flips,
        fractional_flips=fractional_flips,
        slices=slice_results(tally, slices, confidence),
        discovery=discovery,
        weighted=tally.weights is not None,
        groups=None if tally.groups is None else len(tally.groups),
        names=names,
        notes=tuple(notes),
        effective_samples=tally.effective_samples,
    )


def fractional(
    severity: NDArray[np.float64],
    cells: NDArray[np.int8],
    rate: Estimate,
    weights: NDArray[np.float64] | None = None,
    confidence: float = 0.95,
) -> Estimate:
    r"""Fractional flips: the negative flip rate times the mean severity of a flip, with the interval of the product.

    The two factors' intervals are combined by the method of variance estimates recovery (Donner and Zou, Stat.
    Methods Med. Res. 21, 2012); the severity's is Student's, kept within [0, 1], and [0, 1] itself when fewer than
    two samples flip.

    Args:
        severity: ``p_new(answer) - p_new(label)`` on negative flips, in [0, 1], ``(n,)``.
        cells: Cell of every sample, ``(n,)``.
        rate: The negative flip rate with its interval.
        weights: Sample weights, ``(n,)``.
        confidence: Nominal coverage.

    Returns:
        The mean over all samples, in [0, 1].
    """
    here = cells == NEGATIVE_FLIP
    values = severity[here]
    mass = np.ones(len(values)) if weights is None else weights[here]
    if not mass.sum() > 0:
        return Estimate(0.0, 0.0, rate.high)
    mean = float(mass @ values / mass.sum())
    low, high = 0.0, 1.0
    if len(values) > 1:
        spread = float(np.sqrt(mass**2 @ (values - mean) ** 2) / mass.sum() * np.sqrt(len(values) / (len(values) - 1)))
        reach = float(stats.t.ppf((1 + confidence) / 2, len(values) - 1)) * spread
        low, high = max(0.0, mean - reach), min(1.0, mean + reach)
    part = intervals.product(rate, Estimate(mean, low, high))
    return Estimate(part.value, part.low, min(rate.high, part.high))
