"""What the gate decided, and why: values that only hold the outcome and say it in words."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from segue.flips.estimate import Estimate
from segue.flips.gate.limits import told

SCHEMA = "segue.gate/1"


class Verdict(StrEnum):
    """What became of a check, or of all of them."""

    PASS = "pass"
    FAIL = "fail"
    UNDECIDED = "undecided"
    EXEMPT = "exempt"


EXIT_CODES = {Verdict.PASS: 0, Verdict.FAIL: 1, Verdict.UNDECIDED: 3}
WORST_FIRST = (Verdict.FAIL, Verdict.UNDECIDED, Verdict.EXEMPT, Verdict.PASS)


@dataclass(frozen=True)
class Check:
    """One limit of the policy, held against one number of the report.

    Attributes:
        rule: The policy's key: ``max_nfr``, ``minimum_samples``, ``golden``...
        name: What is limited, in words: ``negative flip rate``.
        verdict: What became of it. An exempt check was not judged because the policy says so.
        reason: Why, in one sentence without a full stop.
        where: The slice, ``column = value``; ``None`` where all samples count.
        samples: How many samples the number rests on.
        estimate: The number with its interval; ``None`` for checks of sample sizes and of protected samples.
        limit: What the policy allows, in the number's own unit.
        on: ``"confidence"`` where the whole interval is held against the limit, ``"point"`` where the estimate is.
        unit: ``"rate"``, ``"change"``, ``"ratio"``, ``"score"`` or ``"count"``.
        samples_needed: About how many samples would settle an undecided check if the rates stay as they are;
            ``None`` where that can't be said.
        ids: The protected samples that the reason speaks of.
    """

    rule: str
    name: str
    verdict: Verdict
    reason: str
    where: str | None = None
    samples: int = 0
    estimate: Estimate | None = None
    limit: float | None = None
    on: str | None = None
    unit: str = "rate"
    samples_needed: int | None = None
    ids: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """What is limited and where: ``negative flip rate in country = DE``."""
        return self.name if self.where is None else f"{self.name} in {self.where}"

    @property
    def told_estimate(self) -> str:
        """The number with its interval in its own unit, or an empty string."""
        return "" if self.estimate is None else told(self.estimate, self.unit)

    @property
    def told_limit(self) -> str:
        """The limit with its direction: ``at most 1.00%``; an empty string where there is no number."""
        if self.limit is None:
            return ""
        direction = "at least" if self.rule.startswith("min") else "at most"
        return f"{direction} {told(self.limit, self.unit)}"

    def __str__(self) -> str:
        """Return ``VERDICT  what: why``."""
        return f"{self.verdict.upper()} {self.title}: {self.reason}"

    def to_dict(self) -> dict[str, Any]:
        """Return everything by name, ready for JSON."""
        return {
            "rule": self.rule,
            "name": self.name,
            "where": self.where,
            "verdict": str(self.verdict),
            "reason": self.reason,
            "samples": self.samples,
            "estimate": None if self.estimate is None else self.estimate.to_dict(),
            "limit": self.limit,
            "on": self.on,
            "unit": self.unit,
            "samples_needed": self.samples_needed,
            "ids": list(self.ids),
        }


@dataclass(frozen=True)
class Decision:
    """May the new model take the old one's place?

    Attributes:
        checks: Every limit with what became of it, in the policy's order.
        samples: How many samples were compared.
        confidence: Coverage of the intervals.
        names: What the old and the new model are called.
        notes: What a reader must know: limits that were replaced, how many checks may fail by luck.

    Example:
        >>> from segue.flips import compare, decide, Policy
        >>> right, half = [1] * 500, [1, 0] * 250
        >>> decision = decide(compare(labels=right, old=right, new=half), Policy(max_nfr=0.01))
        >>> print(decision.verdict, decision.exit_code)
        fail 1
    """

    checks: tuple[Check, ...]
    samples: int
    confidence: float
    names: tuple[str, str] = ("old", "new")
    notes: tuple[str, ...] = field(default=())

    @property
    def verdict(self) -> Verdict:
        """Fail where any check fails; else undecided where any is, or where none was judged; else pass."""
        found = {check.verdict for check in self.checks}
        if Verdict.FAIL in found:
            return Verdict.FAIL
        if Verdict.UNDECIDED in found or Verdict.PASS not in found:
            return Verdict.UNDECIDED
        return Verdict.PASS

    @property
    def passed(self) -> bool:
        """Whether every check was judged and none failed."""
        return self.verdict is Verdict.PASS

    @property
    def exit_code(self) -> int:
        """0 for pass, 1 for fail, 3 for undecided; 2 is kept for bad input."""
        return EXIT_CODES[self.verdict]

    @property
    def headline(self) -> str:
        """The verdict in one sentence."""
        total = len(self.checks)
        failed, open_ = self.of(Verdict.FAIL), self.of(Verdict.UNDECIDED)
        old, new = self.names
        if failed:
            rest = f" and {_checks(len(open_))} undecided" if open_ else ""
            return f"{new} must not replace {old}: {len(failed)} of {_checks(total)} failed{rest}"
        if open_:
            return f"the data do not suffice to decide: {len(open_)} of {_checks(total)} undecided"
        if self.verdict is Verdict.UNDECIDED:
            return "nothing was judged: the policy exempts every check"
        exempt = len(self.of(Verdict.EXEMPT))
        rest = f" ({exempt} exempt by the policy)" if exempt else ""
        return f"{new} may replace {old}: {_checks(total - exempt)} passed{rest}"

    def of(self, verdict: Verdict) -> tuple[Check, ...]:
        """Return the checks with one verdict.

        Args:
            verdict: The verdict.

        Returns:
            The checks, in the policy's order.
        """
        return tuple(check for check in self.checks if check.verdict is verdict)

    def ordered(self) -> tuple[Check, ...]:
        """Return the checks with the worst news first."""
        return tuple(sorted(self.checks, key=lambda check: WORST_FIRST.index(check.verdict)))

    def explain(self, verdicts: Sequence[Verdict] = WORST_FIRST) -> str:
        """Return in words what was decided and why.

        Args:
            verdicts: Whose checks to tell of.

        Returns:
            One line per check, the worst first.
        """
        lines = [f"{self.verdict.upper()}: {self.headline}."]
        lines += [f"  {check}." for check in self.ordered() if check.verdict in verdicts]
        return "\n".join([*lines, *(f"Note: {note}." for note in self.notes)])

    def __str__(self) -> str:
        """Return in words what was decided and why."""
        return self.explain()

    def to_dict(self) -> dict[str, Any]:
        """Return everything by name, ready for JSON."""
        return {
            "schema": SCHEMA,
            "verdict": str(self.verdict),
            "exit_code": self.exit_code,
            "headline": self.headline,
            "names": {"old": self.names[0], "new": self.names[1]},
            "samples": self.samples,
            "confidence": self.confidence,
            "checks": [check.to_dict() for check in self.checks],
            "notes": list(self.notes),
        }

    def _repr_html_(self) -> str:
        """Return the verdict and a table of checks for notebooks."""
        cells = (
            (check.verdict.upper(), check.title, check.told_estimate, check.told_limit, check.reason)
            for check in self.ordered()
        )
        rows = "".join("<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in cells)
        heads = "".join(f"<th>{head}</th>" for head in ("verdict", "check", "measured", "limit", "reason"))
        return (
            f"<div><p><strong>{self.verdict.upper()}</strong>: {html.escape(self.headline)}</p>"
            f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>"
        )


def _checks(number: int) -> str:
    return f"{number:,} check" + ("" if number == 1 else "s")
