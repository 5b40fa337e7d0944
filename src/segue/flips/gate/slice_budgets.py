"""The policy's budgets of slices, held against the slices of a report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from segue.errors import InputError
from segue.flips.estimate import Estimate
from segue.flips.gate.decision import Check, Verdict
from segue.flips.gate.held import Held, counted_samples, equal_samples, hold, sample_size_check
from segue.flips.gate.limits import KINDS
from segue.flips.gate.policy import EverySlice, Limit, Policy, SliceBudget
from segue.flips.gate.slice_values import named
from segue.flips.graded import GradedReport
from segue.flips.result import FlipReport
from segue.flips.slices import SliceResult

MOST_TOLD = 5


@dataclass(frozen=True)
class Budget:
    """What holds in one slice, put together from the general to the special.

    Attributes:
        limits: The limits by key.
        minimum: How many samples the slice must have.
        ignore_smaller: Whether a smaller slice is exempt.
        exempt: Whether the slice is not judged.
    """

    limits: dict[str, Limit]
    minimum: int | None = None
    ignore_smaller: bool = False
    exempt: bool = False


def slice_checks(report: FlipReport | GradedReport, policy: Policy) -> list[Check]:
    """Judge every slice that the policy gives a budget.

    Args:
        report: What was measured.
        policy: The policy.

    Returns:
        The checks, in the order of the report's slices, then of the policy's slices that the data lack.

    Raises:
        InputError: If the policy speaks of a slice column that was not measured.
    """
    measured = list(dict.fromkeys(part.column for part in report.slices))
    for number, budget in enumerate(policy.slices, 1):
        if budget.column not in measured:
            known = f"it was broken down by {', '.join(measured)}" if measured else "it has no slices"
            raise InputError(
                f"[[slices]] number {number} of the policy limits column {budget.column!r}, which the report was not "
                f"broken down by ({known}); add it to the slices that are measured, or correct its name"
            )
    if policy.every_slice is not None and not measured:
        raise InputError("the policy limits [every_slice], but no slice was measured; name slice columns to measure")
    exact = not report.weighted and report.groups is None
    found = [
        check
        for part in report.slices
        for check in _checks(
            part,
            budget_of(policy, part.column, part.value, _values(report.slices, part.column)),
            policy.on,
            report.confidence,
            exact,
        )
    ]
    return found + [_absent(budget, report.slices) for budget in policy.slices if _lacks(report.slices, budget)]


def budget_of(policy: Policy, column: str, value: str, values: Sequence[str] = ()) -> Budget:
    """Return what holds in a slice: the most special setting of each key.

    Args:
        policy: The policy.
        column: The slice's column.
        value: The slice's value.
        values: All values of the column: one that is written as in the policy goes before one that is equal to it.

    Returns:
        The budget; without limits where the policy says nothing of the slice.
    """
    of_column = [part for part in policy.slices if part.column == column]
    layers: list[EverySlice | SliceBudget] = [] if policy.every_slice is None else [policy.every_slice]
    layers += [part for part in of_column if part.value is None]
    layers += [part for part in of_column if part.value is not None and value in named(part.value, [value, *values])]
    limits: dict[str, Limit] = {}
    minimum, ignore_smaller, exempt = None, False, False
    for layer in layers:
        limits |= layer.limits
        minimum = minimum if layer.minimum_samples is None else layer.minimum_samples
        ignore_smaller = ignore_smaller if layer.ignore_smaller is None else layer.ignore_smaller
        exempt = isinstance(layer, SliceBudget) and (layer.exempt or (exempt and not layer.limits))
    return Budget(limits, minimum, ignore_smaller, exempt)


def _checks(part: SliceResult, budget: Budget, on: str, confidence: float, exact: bool) -> list[Check]:
    if budget.exempt:
        return [_exempt(part, "the policy exempts it")]
    if not budget.limits:
        if budget.minimum is None:
            return []
        return [sample_size_check(part.samples, budget.minimum, part.name, part.effective_samples)]
    equal = equal_samples(part.samples, part.effective_samples)
    if budget.minimum is not None and equal < budget.minimum and budget.ignore_smaller:
        there = counted_samples(part.samples, part.effective_samples)
        return [_exempt(part, f"{there}, and the policy ignores slices below {budget.minimum:,}")]
    return [
        hold(
            Held(
                KINDS[key],
                _estimate(part, KINDS[key].attribute),
                limit.limit,
                limit.on or on,
                part.samples,
                confidence,
                exact=exact,
                minimum=budget.minimum,
                where=part.name,
                effective=part.effective_samples,
            )
        )
        for key, limit in budget.limits.items()
    ]


def _estimate(part: SliceResult, attribute: str) -> Estimate:
    estimate: Estimate = getattr(part, attribute)
    return estimate


def _exempt(part: SliceResult, reason: str) -> Check:
    return Check(
        rule="exempt",
        name="slice",
        verdict=Verdict.EXEMPT,
        reason=reason,
        where=part.name,
        samples=part.samples,
        unit="count",
    )


def _lacks(slices: Sequence[SliceResult], budget: SliceBudget) -> bool:
    if budget.value is None or budget.exempt:
        return False
    return not named(budget.value, _values(slices, budget.column))


def _values(slices: Sequence[SliceResult], column: str) -> list[str]:
    return [part.value for part in slices if part.column == column]


def _absent(budget: SliceBudget, slices: Sequence[SliceResult]) -> Check:
    values = _values(slices, budget.column)
    more = f" and {len(values) - MOST_TOLD:,} more" if len(values) > MOST_TOLD else ""
    key = next(iter(budget.limits), "minimum_samples")
    return Check(
        rule=key,
        name=KINDS[key].words if key in KINDS else "number of samples",
        verdict=Verdict.UNDECIDED,
        reason=f"no sample has this value; {budget.column} has {', '.join(values[:MOST_TOLD])}{more}",
        where=f"{budget.column} = {budget.value}",
        samples=0,
        limit=budget.limits[key].limit if key in KINDS else budget.minimum_samples,
        on=None,
        unit=KINDS[key].unit if key in KINDS else "count",
        samples_needed=budget.minimum_samples,
    )
