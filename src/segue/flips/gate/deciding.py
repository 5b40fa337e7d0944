"""The gate: a report held against a policy.

Every limit is held against a confidence interval unless the policy says otherwise: it passes when the whole interval
lies within the limit, fails when the whole interval lies beyond it, and is undecided otherwise. A pass needs all
checks to pass (an intersection-union test, Berger, Technometrics 24, 1982), so that many limits make a wrong pass
rarer, never more frequent.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from segue.errors import InputError
from segue.flips.gate.decision import Check, Decision, Verdict
from segue.flips.gate.held import Held, hold, sample_size_check
from segue.flips.gate.limits import KINDS
from segue.flips.gate.policy import Limits, Policy
from segue.flips.gate.protected import protected_check
from segue.flips.gate.slice_budgets import slice_checks
from segue.flips.graded import GradedReport
from segue.flips.result import FlipReport


def decide(
    report: FlipReport | GradedReport,
    policy: Policy | str | Path,
    *,
    ids: Iterable[Any] | None = None,
    outcomes: Mapping[str, str] | None = None,
) -> Decision:
    """Say whether the new model may take the old one's place.

    Args:
        report: What was measured.
        policy: What may break: a policy or the path of one.
        ids: The ids of all compared samples, as ``compare()`` was given them (positions where it was given none).
            Needed where the policy protects samples: a protected sample that was never compared has not been shown
            to hold.
        outcomes: In place of ``ids``, what became of the protected samples, as
            :func:`segue.flips.table.watched.watch_tables` says it, for reports that hold only some of the flips.

    Returns:
        The decision: fail where any check fails, else undecided where any check is, else pass.

    Raises:
        InputError: If the policy limits what the report does not have: another confidence, a slice column that was
            not measured, classes where scores were compared; or if ``ids`` are not those of the report.

    Example:
        >>> from segue.flips import compare
        >>> report = compare(labels=[1] * 400, old=[1] * 400, new=[1] * 400)
        >>> print(decide(report, Policy(max_nfr=0.01)))
        PASS: new may replace old: 1 check passed.
          PASS negative flip rate: 0.00% [0.00%, 0.92%] lies within the limit of 1.00%.
        >>> print(decide(report, Policy(max_nfr=0.005)).verdict)
        undecided
    """
    if not isinstance(report, (FlipReport, GradedReport)):
        raise InputError(f"report is a {type(report).__name__}; pass what compare() or compare_scores() returned")
    if isinstance(policy, (str, Path)):
        policy = Policy.read(policy)
    if not isinstance(policy, Policy):
        raise InputError(f"policy is a {type(policy).__name__}; pass a Policy, such as Policy(max_nfr=0.01), or a path")
    _refuse_other_confidence(report, policy)
    refuse_unfit(policy, graded=isinstance(report, GradedReport))
    checks: list[Check] = []
    if policy.minimum_samples is not None:
        checks.append(sample_size_check(report.samples, policy.minimum_samples, None, report.effective_samples))
    for key, limit in policy.limits.items():
        kind = KINDS[key]
        held = Held(
            kind,
            getattr(report, kind.attribute),
            limit.limit,
            limit.on or policy.on,
            report.samples,
            report.confidence,
            exact=not report.weighted and report.groups is None,
            minimum=policy.minimum_samples,
            undefined=_undefined(report) if key == "max_relative_nfr" else "",
            effective=report.effective_samples,
        )
        checks.append(hold(held))
    slices = slice_checks(report, policy)
    checks += slices
    if policy.golden is not None:
        checks.append(protected_check(policy.protected_ids(), report.flips, ids, outcomes))
    return Decision(tuple(checks), report.samples, report.confidence, report.names, _notes(slices, report))


def _undefined(report: FlipReport | GradedReport) -> str:
    if isinstance(report, FlipReport):
        if report.accuracy_new.value >= 1:
            return "the new model makes no error in these samples"
        if report.accuracy_old.value <= 0:
            return "the old model has no right answer in these samples"
    return ""


def _notes(slices: list[Check], report: FlipReport | GradedReport) -> tuple[str, ...]:
    judged = [check for check in slices if check.on == "confidence"]
    luck = len(judged) * (1 - report.confidence) / 2
    if luck < 0.1 or not any(check.verdict is Verdict.FAIL for check in judged):
        return ()
    return (
        f"{len(judged):,} slice limits were judged one by one: if every slice were exactly at its limit, about "
        f"{luck:.1f} of them would fail by luck",
    )


def _refuse_other_confidence(report: FlipReport | GradedReport, policy: Policy) -> None:
    if policy.confidence is not None and abs(policy.confidence - report.confidence) > 1e-9:
        raise InputError(
            f"the policy asks for confidence {policy.confidence:g} but the report has {report.confidence:g}; "
            f"measure with confidence={policy.confidence:g}"
        )


def refuse_unfit(policy: Policy, *, graded: bool) -> None:
    """Refuse a policy that limits what such a report does not have.

    Args:
        policy: The policy.
        graded: Whether the report is on graded scores, not on classes.

    Raises:
        InputError: If so; the sentence names the key and what there is in its place.
    """
    everywhere: list[tuple[Limits, str]] = [(policy, "")]
    if policy.every_slice is not None:
        everywhere.append((policy.every_slice, " in [every_slice]"))
    everywhere += [(budget, f" in [[slices]] number {number}") for number, budget in enumerate(policy.slices, 1)]
    for limits, where in everywhere:
        fitting = [
            kind.key for kind in KINDS.values()
            if (kind.scores if graded else kind.classes) and (kind.slices or not where)
        ]  # fmt: skip
        for key in limits.limits:
            if key not in fitting:
                measured = "graded scores" if graded else "classes"
                raise InputError(
                    f"the policy sets {key}{where}, but the report is on {measured}, which have no {KINDS[key].words}; "
                    f"there are {', '.join(fitting)}"
                )
