"""One number held against one limit."""

from __future__ import annotations

import math
from dataclasses import dataclass

from segue.flips.checks import counted
from segue.flips.estimate import Estimate
from segue.flips.gate.decision import Check, Verdict
from segue.flips.gate.limits import LimitKind, told
from segue.flips.gate.needed import flips_to_settle, rounded_up, samples_to_settle


@dataclass(frozen=True)
class Held:
    """What is held against what.

    Attributes:
        kind: What is limited.
        estimate: The number with its interval.
        limit: What is allowed.
        on: ``"confidence"`` or ``"point"``.
        samples: How many samples the number rests on.
        confidence: Coverage of the interval.
        exact: Whether the samples are independent and unweighted.
        minimum: How many samples it takes at least; ``None`` for any.
        where: The slice; ``None`` for all samples.
        undefined: Why the number is not defined and no interval bounds it; empty where it is.
        effective: Kish's effective number of samples, where they are weighted.
    """

    kind: LimitKind
    estimate: Estimate
    limit: float
    on: str
    samples: int
    confidence: float
    exact: bool = True
    minimum: int | None = None
    where: str | None = None
    undefined: str = ""
    effective: float | None = None

    @property
    def short(self) -> bool:
        """Whether there are fewer samples than it takes."""
        return self.minimum is not None and equal_samples(self.samples, self.effective) < self.minimum


def equal_samples(samples: int, effective: float | None) -> int:
    """Return how many samples count against a minimum: those of weight zero do not, and light ones less than heavy.

    Args:
        samples: How many there are.
        effective: Kish's effective number, where they are weighted.

    Returns:
        The smaller of the two, whole.

    Example:
        >>> equal_samples(2000, 50.0), equal_samples(1000, 999.9999999999), equal_samples(10, None)
        (50, 1000, 10)
    """
    return samples if effective is None else min(samples, math.floor(effective + 1e-6))


def verdict_of(estimate: Estimate, limit: float, *, upper: bool, on: str) -> Verdict:
    """Hold a number against a limit.

    Args:
        estimate: The number with its interval.
        limit: What is allowed.
        upper: Whether the number must stay at or below the limit; at or above it otherwise.
        on: ``"confidence"`` for the whole interval, ``"point"`` for the estimate alone.

    Returns:
        Pass, fail or undecided; an undefined number is undecided.

    Example:
        >>> rate = Estimate(0.008, 0.005, 0.012)
        >>> [str(verdict_of(rate, limit, upper=True, on="confidence")) for limit in (0.012, 0.01, 0.004)]
        ['pass', 'undecided', 'fail']
        >>> str(verdict_of(rate, 0.01, upper=True, on="point"))
        'pass'
    """
    if math.isnan(estimate.value):
        return Verdict.UNDECIDED
    if on == "point":
        within = estimate.value <= limit if upper else estimate.value >= limit
        return Verdict.PASS if within else Verdict.FAIL
    worst, best = (estimate.high, estimate.low) if upper else (-estimate.low, -estimate.high)
    edge = limit if upper else -limit
    if math.isnan(worst) or math.isnan(best):
        return Verdict.UNDECIDED
    return Verdict.PASS if worst <= edge else Verdict.FAIL if best > edge else Verdict.UNDECIDED


def hold(held: Held) -> Check:
    """Judge one limit. Below the minimum number of samples nothing passes, and point estimates do not fail either.

    Args:
        held: What is held against what.

    Returns:
        The check with its reason.
    """
    kind, estimate = held.kind, held.estimate
    verdict = verdict_of(estimate, held.limit, upper=kind.upper, on=held.on)
    short = held.short
    if short and (verdict is Verdict.PASS or held.on == "point"):
        verdict = Verdict.UNDECIDED
    needed = None
    if verdict is Verdict.UNDECIDED:
        if held.on == "confidence" and not held.undefined:
            settle = flips_to_settle if held.exact and kind.key == "max_nfr" else samples_to_settle
            needed = settle(estimate, held.limit, held.samples, held.confidence) if held.samples else None
        if held.minimum is not None and short:
            needed = max(needed or 0, _samples_for(held.minimum, held.samples, held.effective) or 0) or None
    return Check(
        rule=kind.key,
        name=kind.words,
        verdict=verdict,
        reason=_reason(held, verdict, short, needed),
        where=held.where,
        samples=held.samples,
        estimate=estimate,
        limit=held.limit,
        on=held.on,
        unit=kind.unit,
        samples_needed=needed,
    )


def sample_size_check(samples: int, minimum: int, where: str | None, effective: float | None = None) -> Check:
    """Judge the number of samples.

    Args:
        samples: How many there are.
        minimum: How many there must be.
        where: The slice; ``None`` for all samples.
        effective: Kish's effective number of samples, where they are weighted; they count for no more.

    Returns:
        The check: too few is undecided, never a failure.
    """
    enough = equal_samples(samples, effective) >= minimum
    return Check(
        rule="minimum_samples",
        name="number of samples",
        verdict=Verdict.PASS if enough else Verdict.UNDECIDED,
        reason=f"{counted_samples(samples, effective)} {'is' if samples == 1 else 'are'} "
        f"{'enough' if enough else 'too few'}: the policy asks for {minimum:,}",
        where=where,
        samples=samples,
        limit=minimum,
        unit="count",
        samples_needed=None if enough else _samples_for(minimum, samples, effective),
    )


def counted_samples(samples: int, effective: float | None) -> str:
    """Say how many samples there are.

    Args:
        samples: How many.
        effective: Kish's effective number, where they are weighted.

    Returns:
        The words.
    """
    equal = equal_samples(samples, effective)
    return counted(samples, "sample") + ("" if equal == samples else f" (worth {equal:,} of equal weight)")


def _samples_for(minimum: int, samples: int, effective: float | None) -> int | None:
    # So many more samples, weighted as these are, reach the minimum.
    if effective is None or equal_samples(samples, effective) == samples:
        return minimum
    return rounded_up(samples * minimum / effective) if effective > 0 else None


def _reason(held: Held, verdict: Verdict, short: bool, needed: int | None) -> str:
    number, limit = told(held.estimate, held.kind.unit), told(held.limit, held.kind.unit)
    if math.isnan(held.estimate.value):
        return f"it can't be computed on {counted(held.samples, 'sample')}, so nothing was shown"
    if short and verdict is Verdict.UNDECIDED:
        samples = counted_samples(held.samples, held.effective)
        return f"{number} on {samples}, fewer than the {held.minimum:,} that the policy asks for"
    if held.on == "point":
        point = told(held.estimate.value, held.kind.unit)
        return f"{point} is {'within' if verdict is Verdict.PASS else 'beyond'} the limit of {limit} (point estimate)"
    if verdict is Verdict.PASS:
        return f"{number} lies within the limit of {limit}"
    if verdict is Verdict.FAIL:
        return f"{number} lies wholly beyond the limit of {limit}"
    if held.undefined:
        return f"{held.undefined}, so the {held.kind.unit} is undefined and says nothing of the limit of {limit}"
    reason = f"{number} straddles the limit of {limit} on {counted(held.samples, 'sample')}"
    if needed is None:
        return f"{reason}; it is too near to the limit for any number of samples to settle"
    within = held.estimate.value <= held.limit if held.kind.upper else held.estimate.value >= held.limit
    end = "pass" if within else "show that it fails"
    stays = told(held.estimate.value, held.kind.unit)
    return f"{reason}; about {needed:,} would be needed to {end} if it stays at {stays}"
