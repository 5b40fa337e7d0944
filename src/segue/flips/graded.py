"""Graded outputs: a score per sample where higher is better, such as an LLM evaluation's marks, IoU or BLEU."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from segue.flips import intervals
from segue.flips.checks import counted, in_groups
from segue.flips.counts import BOTH_RIGHT, NEGATIVE_FLIP, POSITIVE_FLIP, Tally
from segue.flips.discovery.discovered import Discovery
from segue.flips.estimate import Estimate
from segue.flips.paired import PairedTest, paired_test
from segue.flips.samples import FlippedSamples
from segue.flips.slices import SliceResult, SliceTally, slice_results

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

SCHEMA = "segue.flips.graded/1"
RATES = (
    "score_old", "score_new", "score_change", "negative_flip_rate", "positive_flip_rate", "mean_gain",
    "mean_regression",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class GradedReport:
    """What an update does to per-sample scores (Echterhoff et al., MUSCLE, Findings of EMNLP 2024).

    With ``D`` the new score minus the old one and ``t`` the tolerance:

    Attributes:
        samples: Number of samples.
        tolerance: ``t``, in the scores' own unit: changes up to it are no flips.
        confidence: Nominal coverage of the intervals.
        score_old: Mean score of the old model.
        score_new: Mean score of the new model.
        score_change: Mean of ``D``.
        negative_flip_rate: ``P(D < -t)``.
        positive_flip_rate: ``P(D > t)``.
        mean_gain: Mean of ``D`` among positive flips.
        mean_regression: Mean of ``|D|`` among negative flips.
        negative_flips: Number of negative flips.
        positive_flips: Number of positive flips.
        test: Paired test of "as many samples lose as win" (a sign test).
        slices: Flip rates per slice. Their accuracy fields count a sample as right unless it lost, so that
            ``accuracy_change`` is positive minus negative flip rate.
        discovery: Conjunctions in which negative flips concentrate, where they were looked for.
        flips: The flipped samples with both scores.
        weighted: Whether samples were weighted.
        groups: How many groups the samples came in.
        names: What the old and the new model are called.
        notes: What a reader must know.
        effective_samples: Kish's effective number of samples, ``(sum w)^2 / sum w^2`` over their weights ``w``: how
            many samples of equal weight are worth as much; ``None`` where samples are unweighted.
    """

    samples: int
    tolerance: float
    confidence: float
    score_old: Estimate
    score_new: Estimate
    score_change: Estimate
    negative_flip_rate: Estimate
    positive_flip_rate: Estimate
    mean_gain: Estimate
    mean_regression: Estimate
    negative_flips: int
    positive_flips: int
    test: PairedTest
    flips: FlippedSamples
    slices: tuple[SliceResult, ...] = ()
    discovery: Discovery | None = None
    weighted: bool = False
    groups: int | None = None
    names: tuple[str, str] = ("old", "new")
    notes: tuple[str, ...] = field(default=())
    effective_samples: float | None = None

    @property
    def rates(self) -> dict[str, Estimate]:
        """All numbers with an interval, by name."""
        return {name: getattr(self, name) for name in RATES}

    def __str__(self) -> str:
        """Return in words what was found."""
        change = self.score_change
        verb = "rose" if change.low > 0 else "fell" if change.high < 0 else "did not change beyond doubt"
        samples, lost, won = (
            counted(number, "sample") for number in (self.samples, self.negative_flips, self.positive_flips)
        )
        more = f"more than {self.tolerance:g}" if self.tolerance else "something"
        sides = (
            (lost, "lost", self.negative_flip_rate, self.mean_regression, self.negative_flips),
            (won, "won", self.positive_flip_rate, self.mean_gain, self.positive_flips),
        )
        told = [
            f"On {samples}{in_groups(self.groups)} the mean score {verb}: {self.score_old.value:.4g} with the old "
            f"model, {self.score_new.value:.4g} with the new one, a change of {change}.",
            *(
                f"{who} {did} {more}: {'negative' if did == 'lost' else 'positive'} flip rate {rate.percent()}"
                + (f", {mean} on average." if count else ".")
                for who, did, rate, mean, count in sides
            ),
        ]
        alarming = [part for part in self.slices if part.excess_adjusted <= 1 - self.confidence]
        told += [
            f"Losses are more frequent than elsewhere in {part.name}: {part.counts.negative_flips:,} of "
            f"{part.samples:,} ({part.negative_flip_rate.percent()})."
            for part in sorted(alarming, key=lambda part: part.excess_adjusted)[:5]
        ]
        if self.discovery is not None:
            told.append(str(self.discovery))
        told += [f"Note: {note}." for note in self.notes]
        told.append(f"Intervals in brackets hold the true value in {100 * self.confidence:g}% of all such samples.")
        return "\n".join(told)

    def to_dict(self) -> dict[str, Any]:
        """Return every number by name, ready for JSON; the flipped samples themselves are left to ``flips``."""
        return {
            "schema": SCHEMA,
            "names": {"old": self.names[0], "new": self.names[1]},
            "samples": self.samples,
            "tolerance": self.tolerance,
            "negative_flips": self.negative_flips,
            "positive_flips": self.positive_flips,
            "confidence": self.confidence,
            "weighted": self.weighted,
            "effective_samples": self.effective_samples,
            "groups": self.groups,
            "rates": {name: rate.to_dict() for name, rate in self.rates.items()},
            "test": self.test.to_dict(),
            "slices": [part.to_dict() for part in self.slices],
            "discovery": None if self.discovery is None else self.discovery.to_dict(),
            "notes": list(self.notes),
        }

    def to_polars(self) -> pl.DataFrame:
        """Return the flipped samples as a polars data frame."""
        return self.flips.to_polars()

    def to_pandas(self) -> pd.DataFrame:
        """Return the flipped samples as a pandas data frame."""
        return self.flips.to_pandas()

    def _repr_html_(self) -> str:
        """Return the summary for notebooks."""
        return "<p>" + "<br>".join(html.escape(line) for line in str(self).splitlines()) + "</p>"


@dataclass(frozen=True)
class ScoreSums:
    """Sums of one score-like quantity over units: all that a mean and its interval need.

    Attributes:
        units: How many independent units (samples or groups) there are.
        mass: Sum of the weights.
        total: Sum of weight times value.
        variance: Linearised variance of ``total / mass``.
    """

    units: int
    mass: float
    total: float
    variance: float

    @classmethod
    def of(
        cls, values: NDArray[np.float64], weights: NDArray[np.float64] | None, groups: NDArray[np.int64] | None
    ) -> ScoreSums:
        """Add up values.

        Args:
            values: The values, ``(n,)``.
            weights: Their weights, ``(n,)``.
            groups: Their group numbers, ``(n,)``.

        Returns:
            The sums.
        """
        weight = np.ones(len(values)) if weights is None else weights
        mass, total = float(weight.sum()), float(weight @ values)
        if not mass > 0:
            return cls(0, 0.0, 0.0, 0.0)
        residual = weight * (values - total / mass)
        units = len(values)
        if groups is not None:
            residual = np.bincount(np.unique(groups, return_inverse=True)[1], weights=residual).astype(np.float64)
            units = len(residual)
        correction = units / (units - 1) if units > 1 else 1.0
        return cls(units, mass, total, float(np.sum(residual**2)) / mass**2 * correction)

    def mean(self, confidence: float, low: float = -np.inf, high: float = np.inf) -> Estimate:
        """Return the mean with Student's interval over units, kept within what is possible.

        Args:
            confidence: Nominal coverage.
            low: Smallest possible mean.
            high: Largest possible mean.

        Returns:
            The mean; undefined where nothing was added up, and without bounds where there is a single unit.
        """
        if not self.mass > 0:
            return Estimate(float("nan"), low, high)
        value = self.total / self.mass
        if self.units < 2:
            return Estimate(value, low, high)
        reach = float(stats.t.ppf((1 + confidence) / 2, self.units - 1)) * float(np.sqrt(self.variance))
        return Estimate(value, max(low, value - reach), min(high, value + reach))

    def severity(self, confidence: float, span: float) -> Estimate:
        """Return a mean of positive values with Student's interval, or all of the span where nothing bounds it.

        Args:
            confidence: Nominal coverage.
            span: The largest value that is possible.

        Returns:
            The mean; the span itself where nothing was added up, since nothing says that the first would be less.
        """
        mean = self.mean(confidence, 0.0, span)
        return Estimate(span, 0.0, span) if self.units == 0 else mean


@dataclass(frozen=True)
class Change:
    """The change of all scores: sums of what is needed for an interval that sees how few of them change.

    Attributes:
        every: Sums of new minus old over all samples.
        rises: The same among samples whose score rose at all.
        drops: Sums of old minus new among samples whose score dropped at all.
        signs: Sums of the cells with rises as positive and drops as negative flips.
        span: The most that a change is taken to be able to be, see :func:`score_span`.
    """

    every: ScoreSums
    rises: ScoreSums
    drops: ScoreSums
    signs: Tally
    span: float

    @classmethod
    def of(
        cls,
        difference: NDArray[np.float64],
        span: float,
        *,
        weights: NDArray[np.float64] | None = None,
        groups: NDArray[np.int64] | None = None,
        seed: int = 0,
    ) -> Change:
        """Add up the changes of paired scores.

        Args:
            difference: New minus old, ``(n,)``.
            span: The most that a change is taken to be able to be.
            weights: Weight of each sample, ``(n,)``.
            groups: Group number of each sample, ``(n,)``.
            seed: Seed of the cluster bootstrap.

        Returns:
            The sums.
        """
        signs = graded_cells(difference, 0.0)

        def sums(values: NDArray[np.float64], among: NDArray[np.bool_] | slice) -> ScoreSums:
            return ScoreSums.of(
                values[among],
                None if weights is None else weights[among],
                None if groups is None else groups[among],
            )

        return cls(
            every=sums(difference, slice(None)),
            rises=sums(difference, signs == POSITIVE_FLIP),
            drops=sums(-difference, signs == NEGATIVE_FLIP),
            signs=Tally.of(signs, weights, groups, seed),
            span=span,
        )

    def mean(self, confidence: float) -> Estimate:
        """Return the mean change with the wider of two intervals at each end.

        Student's is right when most scores change a little. When few do, as with pass and fail, its variance comes
        from a handful of samples; then the share of rises and drops (Clopper-Pearson) and their means (Student, up to
        the span of the scores) are combined by the method of variance estimates recovery.

        Args:
            confidence: Nominal coverage.

        Returns:
            The mean of new minus old.
        """
        student = self.every.mean(confidence)
        parts = [
            intervals.product(
                intervals.rate(self.signs, (cell,), confidence=confidence), sums.severity(confidence, self.span)
            )
            for cell, sums in ((POSITIVE_FLIP, self.rises), (NEGATIVE_FLIP, self.drops))
        ]
        parted = intervals.difference(*parts)
        return Estimate(student.value, min(student.low, parted.low), max(student.high, parted.high))


def score_span(smallest: float, largest: float) -> float:
    """Return how large a change can be, as far as the scores tell.

    Args:
        smallest: Smallest score of either model.
        largest: Largest score of either model.

    Returns:
        1 for scores within [0, 1], which are taken to be marks on that scale; the observed span otherwise.
    """
    return 1.0 if smallest >= 0 and largest <= 1 else largest - smallest


def graded_cells(difference: NDArray[np.float64], tolerance: float) -> NDArray[np.int8]:
    """Return the cell of every sample: negative flip, positive flip, or neither (told as "both right").

    A change within rounding error of the tolerance is not larger than it.

    Args:
        difference: New minus old score, ``(n,)``.
        tolerance: Changes up to it are no flips.

    Returns:
        One cell number per sample.
    """
    limit = tolerance * (1 + 1e-9) + (1e-12 if tolerance else 0.0)
    cells = np.where(difference < -limit, NEGATIVE_FLIP, np.where(difference > limit, POSITIVE_FLIP, BOTH_RIGHT))
    return cells.astype(np.int8)


def assemble_scores(
    tally: Tally,
    *,
    old: ScoreSums,
    new: ScoreSums,
    change: Change,
    gain: ScoreSums,
    regression: ScoreSums,
    tolerance: float,
    flips: FlippedSamples,
    confidence: float = 0.95,
    slices: Sequence[SliceTally] = (),
    discovery: Discovery | None = None,
    names: tuple[str, str] = ("old", "new"),
    notes: Sequence[str] = (),
) -> GradedReport:
    """Compute every rate and mean with its interval from the sums.

    Args:
        tally: Sums of the cells over all samples.
        old: Sums of the old scores.
        new: Sums of the new scores.
        change: Sums of new minus old, and of its rises and drops of any size.
        gain: Sums of the change among positive flips.
        regression: Sums of the loss among negative flips.
        tolerance: What is no flip.
        flips: The flipped samples.
        confidence: Nominal coverage of the intervals.
        slices: Sums per slice.
        discovery: Conjunctions in which losses concentrate, if they were looked for.
        names: What the old and the new model are called.
        notes: What a reader must know.

    Returns:
        The report.
    """
    return GradedReport(
        samples=int(tally.counts.sum()),
        tolerance=float(tolerance),
        confidence=confidence,
        score_old=old.mean(confidence),
        score_new=new.mean(confidence),
        score_change=change.mean(confidence),
        negative_flip_rate=intervals.rate(tally, (NEGATIVE_FLIP,), confidence=confidence),
        positive_flip_rate=intervals.rate(tally, (POSITIVE_FLIP,), confidence=confidence),
        mean_gain=gain.mean(confidence, low=float(tolerance)),
        mean_regression=regression.mean(confidence, low=float(tolerance)),
        negative_flips=int(tally.counts[NEGATIVE_FLIP]),
        positive_flips=int(tally.counts[POSITIVE_FLIP]),
        test=paired_test(tally),
        flips=flips,
        slices=slice_results(tally, slices, confidence),
        discovery=discovery,
        weighted=tally.weights is not None,
        groups=None if tally.groups is None else len(tally.groups),
        names=names,
        notes=tuple(notes),
        effective_samples=tally.effective_samples,
    )
