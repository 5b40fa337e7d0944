"""The gate: a report held against a policy of what an update may break."""

from segue.flips.gate.deciding import decide, refuse_unfit
from segue.flips.gate.decision import Check, Decision, Verdict
from segue.flips.gate.policy import Policy

__all__ = ["Check", "Decision", "Policy", "Verdict", "decide", "refuse_unfit"]
