"""The rule that was typed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from segue.errors import InputError

if TYPE_CHECKING:
    from segue.congruent.decisions.rules import UpdateRule

RULES = ("cr", "mb", "mbme", "majority", "replace")


def rule_of(rule: str, cost_ratio: float | None) -> UpdateRule:
    """Return the rule that was typed.

    Args:
        rule: Its name.
        cost_ratio: How many mended answers a broken one costs, where that was typed.

    Returns:
        The rule.

    Raises:
        InputError: If there is no such rule, or the ratio is below 1 or goes with another rule.
    """
    from segue.congruent.decisions import CostRatio, Majority, MaxBelief, MaxBeliefMinEntropy, Replace

    if rule not in RULES:
        raise InputError(f"--rule is {rule!r}; pass one of {', '.join(RULES)}")
    if rule == "cr":
        if cost_ratio is not None and cost_ratio < 1:
            raise InputError(
                f"--cost-ratio is {cost_ratio:g}; pass how many mended answers a broken one costs, 1 or more"
            )
        return CostRatio(10.0 if cost_ratio is None else cost_ratio)
    if cost_ratio is not None:
        raise InputError(f"--cost-ratio goes with --rule cr, not with --rule {rule}; leave out one of the two")
    others: dict[str, UpdateRule] = {
        "mb": MaxBelief(), "mbme": MaxBeliefMinEntropy(), "majority": Majority(), "replace": Replace(),
    }  # fmt: skip
    return others[rule]
