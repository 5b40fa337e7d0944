"""A regression test for models: ``assert_no_regression`` as a plain function and as a pytest fixture.

The module is loaded by every pytest run in an environment that has Segue, so it imports nothing but pytest until it
is called.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pytest

if TYPE_CHECKING:
    from segue.flips.gate.decision import Decision
    from segue.flips.gate.policy import Policy

LIMITS = ("max_nfr", "max_relative_nfr", "min_accuracy_change")
WhenUndecided = Literal["fail", "skip", "warn"]


class UndecidedWarning(UserWarning):
    """The data do not suffice to say whether the new model regresses."""


def assert_no_regression(
    labels: Any,
    old: Any,
    new: Any,
    *,
    max_nfr: float | None = None,
    max_relative_nfr: float | None = None,
    min_accuracy_change: float | None = None,
    policy: Policy | str | Path | None = None,
    on: Literal["confidence", "point"] | None = None,
    undecided: WhenUndecided = "fail",
    **comparison: Any,
) -> Decision:
    """Fail the test when the new model breaks more of the old one's right answers than is allowed.

    Args:
        labels: The truth, ``(n,)``, as for :func:`segue.flips.compare`.
        old: The old model's answers or probabilities.
        new: The new model's.
        max_nfr: Largest negative flip rate that may pass.
        max_relative_nfr: Largest relative negative flip rate that may pass.
        min_accuracy_change: Smallest accuracy change (new minus old) that may pass.
        policy: A policy or the path of one, for all other limits; the limits above take the place of its own.
        on: Whether limits are held against the confidence interval (the default) or the point estimate.
        undecided: What to do when the data do not suffice: ``"fail"``, ``"skip"`` the test in sight of everybody, or
            ``"warn"`` with an :class:`UndecidedWarning`.
        **comparison: Whatever else ``compare`` takes: ``ids``, ``slices``, ``weights``, ``groups``, ``class_map``...

    Returns:
        The decision.

    Raises:
        AssertionError: If the gate fails, or is undecided and that counts as a failure; the message is the decision
            in words.
        InputError: If an argument is not as described.

    Example:
        >>> right = [1] * 2000
        >>> print(assert_no_regression(labels=right, old=right, new=right, max_nfr=0.01).verdict)
        pass
    """
    __tracebackhide__ = True
    limits = {
        "max_nfr": max_nfr,
        "max_relative_nfr": max_relative_nfr,
        "min_accuracy_change": min_accuracy_change,
        "on": on,
    }
    decision = _decide(labels, old, new, policy=policy, limits=limits, comparison=comparison)
    _conclude(decision, undecided)
    return decision


@pytest.fixture(name="assert_no_regression")
def assert_no_regression_fixture(record_property: Callable[[str, object], None]) -> Callable[..., Decision]:
    """The same function for tests that do not import it; it writes verdict and rates into pytest's JUnit file too.

    Args:
        record_property: Pytest's recorder of properties.

    Returns:
        A function like :func:`assert_no_regression`.
    """

    def recorded(labels: Any, old: Any, new: Any, *, undecided: WhenUndecided = "fail", **options: Any) -> Decision:
        __tracebackhide__ = True
        policy, limits = options.pop("policy", None), {key: options.pop(key, None) for key in (*LIMITS, "on")}
        decision = _decide(labels, old, new, policy=policy, limits=limits, comparison=options)
        record_property("segue.verdict", str(decision.verdict))
        for check in decision.checks:
            record_property(f"segue.{check.title}", f"{check.verdict}: {check.reason}")
        _conclude(decision, undecided)
        return decision

    return recorded


def _decide(
    labels: Any,
    old: Any,
    new: Any,
    *,
    policy: Policy | str | Path | None,
    limits: dict[str, Any],
    comparison: dict[str, Any],
) -> Decision:
    # Every pytest run loads this module: what a decision needs is imported when one is asked for.
    import inspect

    from segue.errors import InputError
    from segue.flips import compare, decide
    from segue.flips.gate.policy import Policy

    known = set(inspect.signature(compare).parameters) - {"labels", "old", "new"}
    unknown = [name for name in comparison if name not in known]
    if unknown:
        raise InputError(
            f"assert_no_regression() has no argument {unknown[0]!r}; limits other than max_nfr, max_relative_nfr and "
            f"min_accuracy_change go into policy=Policy(...), and compare() takes {', '.join(sorted(known))}"
        )
    given = {key: value for key, value in limits.items() if value is not None}
    if policy is None:
        if not set(given) - {"on"}:
            raise InputError("assert_no_regression() needs a limit; pass max_nfr=0.01, for instance, or policy=...")
        policy = Policy(**given)
    else:
        policy = (policy if isinstance(policy, Policy) else Policy.read(policy)).replaced(**given)
    if policy.confidence is not None:
        comparison = {"confidence": policy.confidence, **comparison}
    report = compare(labels, old, new, **comparison)
    ids = comparison.get("ids")
    return decide(report, policy, ids=range(report.samples) if ids is None else ids)


def _conclude(decision: Decision, undecided: WhenUndecided) -> None:
    __tracebackhide__ = True
    if undecided not in {"fail", "skip", "warn"}:
        from segue.errors import InputError

        raise InputError(f"undecided is {undecided!r}; pass 'fail', 'skip' or 'warn'")
    if decision.verdict == "fail" or (decision.verdict == "undecided" and undecided == "fail"):
        raise AssertionError(str(decision))
    if decision.verdict == "undecided" and undecided == "skip":
        pytest.skip(f"undecided, not passed: {decision.headline}")
    if decision.verdict == "undecided":
        warnings.warn(UndecidedWarning(str(decision)), stacklevel=3)
