"""What was found at the old threshold: numbers, and words for them."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

from segue.flips.counts import Counts
from segue.flips.estimate import Estimate
from segue.retrieval.notebook import Table, in_html
from segue.retrieval.queries_counted import measured_on


@dataclass(frozen=True)
class Rates:
    """The errors of two systems on the same pairs.

    Attributes:
        old: Share of the pairs on which the old system errs.
        new: Share on which the new one errs.
        change: New minus old, paired.
        newly: Share on which the new system errs and the old one did not.
        pairs: The pairs by who is right about them.
    """

    old: Estimate
    new: Estimate
    change: Estimate
    newly: Estimate
    pairs: Counts

    def to_dict(self) -> dict[str, Any]:
        """Return the numbers by name."""
        rates = {name: getattr(self, name).to_dict() for name in ("old", "new", "change", "newly")}
        return rates | {"pairs": self.pairs.to_dict()}


@dataclass(frozen=True)
class Matched:
    """The new system at a threshold of its own, with the old rate of false accepts.

    Attributes:
        threshold: The smallest at which the new system accepts no more impostors than the old one does at its own;
            -inf where the old one accepts all.
        false_accepts: Share of the impostor pairs it then accepts: the old share, less where scores tie.
        true_accepts: Share of the genuine pairs it then accepts.
        true_accepts_change: That minus the old system's share, paired.
    """

    threshold: float
    false_accepts: Estimate
    true_accepts: Estimate
    true_accepts_change: Estimate

    def to_dict(self) -> dict[str, Any]:
        """Return the numbers by name."""
        threshold = self.threshold if math.isfinite(self.threshold) else None
        names = ("false_accepts", "true_accepts", "true_accepts_change")
        return {"threshold": threshold} | {name: getattr(self, name).to_dict() for name in names}


@dataclass(frozen=True)
class ThresholdStudy:
    """What two systems accept at the old system's threshold, on all pairs of queries and gallery items.

    Attributes:
        threshold: The old threshold: a pair is accepted when its score is above it.
        far: The rate of false accepts for which it was set on these same pairs; ``None`` where it was given.
        metric: How vectors are compared.
        queries: Number of queries.
        false_accepts: Impostor pairs accepted.
        false_rejects: Genuine pairs rejected.
        matched: The new system at a threshold of its own.
        groups: Number of groups the queries came in; ``None`` where they are independent.
        confidence: Nominal coverage of the intervals.
    """

    threshold: float
    far: float | None
    metric: str
    queries: int
    false_accepts: Rates
    false_rejects: Rates
    matched: Matched
    groups: int | None = None
    confidence: float = 0.95

    def __str__(self) -> str:
        """Return in words what was found."""
        accepts, rejects, matched = self.false_accepts, self.false_rejects, self.matched
        origin = "as given" if self.far is None else f"set on these pairs for at most {100 * self.far:g}% false accepts"
        return "\n".join(
            [
                f"The old threshold is {self.threshold:.4g}, {origin}: pairs that score above it are accepted.",
                f"Impostor pairs accepted: {accepts.old.percent(4)} of {accepts.pairs.samples:,} by the old system, "
                f"{accepts.new.percent(4)} by the new one (change {accepts.change.percent(4, signed=True)}).",
                f"Genuine pairs rejected: {rejects.old.percent()} of {rejects.pairs.samples:,} by the old system, "
                f"{rejects.new.percent()} by the new one (change {rejects.change.percent(signed=True)}); "
                f"{rejects.newly.percent()} by the new one alone.",
                f"At a threshold of its own, {matched.threshold:.4g}, the new system accepts no more impostors than "
                f"the old one did, and {matched.true_accepts.percent()} of the genuine pairs (change "
                f"{matched.true_accepts_change.percent(signed=True)}).",
                measured_on(self.queries, self.groups, self.confidence),
            ]
        )

    def _repr_html_(self) -> str:
        """Return the words and a table of the rates for notebooks."""
        rows = [
            (name, rates.old.percent(digits), rates.new.percent(digits), rates.change.percent(digits, signed=True))
            for name, rates, digits in (
                ("impostor pairs accepted", self.false_accepts, 4),
                ("genuine pairs rejected", self.false_rejects, 2),
            )
        ]
        return in_html(str(self).splitlines(), Table(("at the old threshold", "old", "new", "change"), rows))

    def to_dict(self) -> dict[str, Any]:
        """Return the numbers by name, ready for JSON."""
        told = {name: value for name, value in asdict(self).items() if not isinstance(value, dict)}
        return told | {name: getattr(self, name).to_dict() for name in ("false_accepts", "false_rejects", "matched")}
