"""What was measured: the report of a comparison, a value that only holds numbers and says them in words."""

from __future__ import annotations

import html
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from segue.flips.checks import counted, in_groups
from segue.flips.counts import Counts
from segue.flips.discovery.discovered import Discovery
from segue.flips.estimate import Estimate
from segue.flips.paired import PairedTest
from segue.flips.samples import FlipMatrix, FlippedSamples
from segue.flips.slices import SliceResult

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

SCHEMA = "segue.flips/1"

RATES = (
    "accuracy_old",
    "accuracy_new",
    "accuracy_change",
    "negative_flip_rate",
    "positive_flip_rate",
    "relative_negative_flip_rate",
    "negative_flip_impact",
    "positive_flip_impact",
    "backward_trust_compatibility",
    "backward_error_compatibility_given_old_error",
    "backward_error_compatibility_given_new_error",
    "churn",
    "good_churn",
    "bad_churn",
)


@dataclass(frozen=True, eq=False)
class FlipReport:
    """What an update from an old to a new model breaks and mends, sample by sample.

    With ``o`` and ``n`` the old and the new answer, ``y`` the label, every rate below comes with its interval.

    Attributes:
        samples: Number of samples.
        counts: The samples in each of the five cells.
        confidence: Nominal coverage of the intervals.
        accuracy_old: ``P(o = y)``.
        accuracy_new: ``P(n = y)``.
        accuracy_change: ``P(n = y) - P(o = y)``, always positive minus negative flip rate.
        negative_flip_rate: ``P(o = y, n != y)``: what the update breaks.
        positive_flip_rate: ``P(o != y, n = y)``: what it mends.
        relative_negative_flip_rate: ``NFR / (P(o = y) P(n != y))``; 1 for independent errors, 0 for no flip (Yan et
            al., CVPR 2021).
        negative_flip_impact: ``P(o = y | n != y)``, the share of the new model's errors that are new (Cai et al.,
            2022).
        positive_flip_impact: ``P(o != y | n = y)``.
        backward_trust_compatibility: ``P(n = y | o = y)`` (Bansal et al., AAAI 2019).
        backward_error_compatibility_given_old_error: ``P(n != y | o != y)``, the share of old errors that remain
            (BackwardCompatibilityML's meaning of the word).
        backward_error_compatibility_given_new_error: ``P(o != y | n != y)``, the share of the new model's errors
            that are not new (Srivastava et al., KDD 2020).
        churn: ``P(o != n)``.
        good_churn: ``P(o != y, n = y)``.
        bad_churn: ``P(o != n, n != y)``, wrong answers that became other wrong answers included.
        test: Paired test of equal accuracy.
        fractional_flips: Mean of ``1[negative flip] (p_new(n) - p_new(y))``: negative flips weighted by how sure the
            new model is of its error; ``None`` where no probabilities are known.
        slices: Rates per slice.
        discovery: Conjunctions of conditions in which flips concentrate; ``None`` where it was not asked for.
        flip_matrix: What the broken answers became.
        flips: The flipped samples.
        weighted: Whether samples were weighted.
        groups: How many groups the samples came in; ``None`` where they are independent.
        names: What the old and the new model are called.
        notes: What a reader must know: ties, samples left out on the user's wish, classes that the old model lacks.
        effective_samples: Kish's effective number of samples, ``(sum w)^2 / sum w^2`` over their weights ``w``: how
            many samples of equal weight are worth as much; ``None`` where samples are unweighted.
    """

    samples: int
    counts: Counts
    confidence: float
    accuracy_old: Estimate
    accuracy_new: Estimate
    accuracy_change: Estimate
    negative_flip_rate: Estimate
    positive_flip_rate: Estimate
    relative_negative_flip_rate: Estimate
    negative_flip_impact: Estimate
    positive_flip_impact: Estimate
    backward_trust_compatibility: Estimate
    backward_error_compatibility_given_old_error: Estimate
    backward_error_compatibility_given_new_error: Estimate
    churn: Estimate
    good_churn: Estimate
    bad_churn: Estimate
    test: PairedTest
    flip_matrix: FlipMatrix
    flips: FlippedSamples
    fractional_flips: Estimate | None = None
    slices: tuple[SliceResult, ...] = ()
    discovery: Discovery | None = None
    weighted: bool = False
    groups: int | None = None
    names: tuple[str, str] = ("old", "new")
    notes: tuple[str, ...] = field(default=())
    effective_samples: float | None = None

    @property
    def negative_flips(self) -> int:
        """Number of samples that the update breaks."""
        return self.counts.negative_flips

    @property
    def positive_flips(self) -> int:
        """Number of samples that the update mends."""
        return self.counts.positive_flips

    @property
    def win_loss_ratio(self) -> float:
        """Good churn over bad churn (Milani Fard et al., NeurIPS 2016); infinite where nothing got worse."""
        if self.bad_churn.value > 0:
            return self.good_churn.value / self.bad_churn.value
        return math.inf if self.good_churn.value > 0 else math.nan

    @property
    def rates(self) -> dict[str, Estimate]:
        """All rates by name, in the order in which people ask for them."""
        found = {name: getattr(self, name) for name in RATES}
        return found if self.fractional_flips is None else {**found, "fractional_flips": self.fractional_flips}

    def __str__(self) -> str:
        """Return in words what was found."""
        change = self.accuracy_change
        sure = self.test.p_value <= 1 - self.confidence
        verb = (
            "rose" if change.low > 0 and sure else "fell" if change.high < 0 and sure else "did not change beyond doubt"
        )
        samples = counted(self.samples, "sample") + in_groups(self.groups)
        broken, mended = counted(self.negative_flips, "answer"), counted(self.positive_flips, "answer")
        told = [
            f"On {samples} the accuracy {verb}: {_percent(self.accuracy_old.value)} with the old model, "
            f"{_percent(self.accuracy_new.value)} with the new one, {change.percent(signed=True)} "
            f"({self.test}).",
            f"The update breaks {broken} that the old model had right: negative flip rate "
            f"{self.negative_flip_rate.percent()}.",
            f"It mends {mended}: positive flip rate {self.positive_flip_rate.percent()}.",
            f"That is {_times(self.relative_negative_flip_rate)} two models with independent errors would break "
            f"(relative negative flip rate {self.relative_negative_flip_rate}).",
        ]
        alarming = sorted(
            (part for part in self.slices if part.excess_adjusted <= 1 - self.confidence),
            key=lambda part: part.excess_adjusted,
        )
        if alarming:
            told.append("Flips are more frequent than elsewhere in: " + "; ".join(map(str, alarming[:5])) + ".")
        elif self.slices:
            told.append(
                f"In none of the {len(self.slices)} slices are flips more frequent than elsewhere beyond doubt."
            )
        if self.discovery is not None:
            told.append(str(self.discovery))
        told += [f"Note: {note}." for note in self.notes]
        told.append(f"Intervals in brackets hold the true value in {_percent(self.confidence, 0)} of all such samples.")
        return "\n".join(told)

    def to_dict(self) -> dict[str, Any]:
        """Return every number by name, ready for JSON; the flipped samples themselves are left to ``flips``."""
        return {
            "schema": SCHEMA,
            "names": {"old": self.names[0], "new": self.names[1]},
            "samples": self.samples,
            "negative_flips": self.negative_flips,
            "positive_flips": self.positive_flips,
            "counts": self.counts.to_dict(),
            "confidence": self.confidence,
            "weighted": self.weighted,
            "effective_samples": self.effective_samples,
            "groups": self.groups,
            "rates": {name: rate.to_dict() for name, rate in self.rates.items()},
            "win_loss_ratio": self.win_loss_ratio if math.isfinite(self.win_loss_ratio) else None,
            "test": self.test.to_dict(),
            "slices": [part.to_dict() for part in self.slices],
            "discovery": None if self.discovery is None else self.discovery.to_dict(),
            "flip_matrix": self.flip_matrix.to_dict(),
            "notes": list(self.notes),
        }

    def to_polars(self) -> pl.DataFrame:
        """Return the flipped samples as a polars data frame."""
        return self.flips.to_polars()

    def to_pandas(self) -> pd.DataFrame:
        """Return the flipped samples as a pandas data frame."""
        return self.flips.to_pandas()

    def _repr_html_(self) -> str:
        """Return the summary and a table of rates for notebooks."""
        rows = "".join(
            f"<tr><td>{name.replace('_', ' ')}</td><td style='text-align:right'>{rate.value:.4f}</td>"
            f"<td style='text-align:right'>{rate.low:.4f}</td><td style='text-align:right'>{rate.high:.4f}</td></tr>"
            for name, rate in self.rates.items()
        )
        words = "<br>".join(html.escape(line) for line in str(self).splitlines())
        return (
            f"<div><p>{words}</p><table><thead><tr><th>rate</th><th>value</th><th>low</th><th>high</th></tr></thead>"
            f"<tbody>{rows}</tbody></table></div>"
        )


def _percent(value: float, digits: int = 2) -> str:
    return f"{100 * value:.{digits}f}%"


def _times(rate: Estimate) -> str:
    return f"{rate.value:.2f} times what" if rate.value > 0 else "less than"
