"""A report and decisions with everything in them, hostile names included."""

import numpy as np
import pytest

from segue.flips import Policy, compare, decide

HOSTILE = (
    "a|b", "<script>alert(1)</script>", "@everyone", "`code`", "back\\slash", "two\nlines", "\x1b[31mred",
    "*bold* _it_", "[link](http://x.example)", "#123", "\u202egnp.exe", "--> <!-- segue-gate -->", "</details>",
    "www.x.example", "ü😀", "\ud7ff", "\x00nul", "| --- |",
)  # fmt: skip


def hostile_report(per_name=60, names=HOSTILE, broken=7):
    count = per_name * len(names)
    labels, old, new = np.ones(count, int), np.ones(count, int), np.ones(count, int)
    new[::broken] = 0
    old[3::50] = 0
    return compare(
        labels,
        old,
        new,
        ids=[f"{names[number % len(names)]} {number}" for number in range(count)],
        slices={"na|me": np.repeat(np.array(names, dtype=object), per_name)},
        names=("old @team", "new <b>"),
    )


@pytest.fixture
def hostile():
    """A report whose every name is a trap, and a decision with a check of each verdict."""
    report = hostile_report()
    policy = Policy(
        max_nfr=0.01,
        max_churn=0.9,
        max_relative_nfr=1.0,
        every_slice={"max_nfr": 0.9},
        slices=[
            {"column": "na|me", "value": "a|b", "max_nfr": 0.01},
            {"column": "na|me", "value": "`code`", "exempt": True},
            {"column": "na|me", "value": "none <such>", "max_nfr": 0.5},
        ],
        golden={"ids": [f"{HOSTILE[number % len(HOSTILE)]} {number}" for number in range(0, 900, 2)]},
    )
    decision = decide(report, policy, ids=report.flips.columns["id"])
    assert {str(check.verdict) for check in decision.checks} == {"pass", "fail", "undecided", "exempt"}
    return report, decision
