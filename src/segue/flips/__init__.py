"""Which answers does the new model break, where, and may it ship?

``compare`` measures classifiers and ``compare_scores`` graded outputs, on arrays; ``compare_tables`` and
``compare_score_tables`` do the same on files of any size, and ``watch_tables`` says what became of certain samples;
``decide`` holds a report against a policy.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from segue.flips.arrays import compare
from segue.flips.counts import Counts
from segue.flips.discovery import DiscoveredSlice, Discovery, discover
from segue.flips.estimate import Estimate
from segue.flips.graded import GradedReport
from segue.flips.paired import PairedTest, mcnemar
from segue.flips.power import samples_to_pass, smallest_visible_nfr
from segue.flips.result import FlipReport
from segue.flips.samples import FlipMatrix, FlippedSamples
from segue.flips.scores import compare_scores
from segue.flips.slices import SliceResult

if TYPE_CHECKING:
    from segue.flips.gate import Decision as Decision
    from segue.flips.gate import Policy as Policy
    from segue.flips.gate import decide as decide
    from segue.flips.table import compare_score_tables as compare_score_tables
    from segue.flips.table import compare_tables as compare_tables
    from segue.flips.table import watch_tables as watch_tables

__all__ = [
    "Counts",
    "Decision",
    "DiscoveredSlice",
    "Discovery",
    "Estimate",
    "FlipMatrix",
    "FlipReport",
    "FlippedSamples",
    "GradedReport",
    "PairedTest",
    "Policy",
    "SliceResult",
    "compare",
    "compare_score_tables",
    "compare_scores",
    "compare_tables",
    "decide",
    "discover",
    "mcnemar",
    "samples_to_pass",
    "smallest_visible_nfr",
    "watch_tables",
]

_LATER = {
    "compare_score_tables": "table",
    "compare_tables": "table",
    "watch_tables": "table",
    "Policy": "gate",
    "Decision": "gate",
    "decide": "gate",
}


def __getattr__(name: str) -> Any:
    # PEP 562: what needs duckdb or pydantic is imported when it is first asked for.
    if name in _LATER:
        return getattr(importlib.import_module(f"segue.flips.{_LATER[name]}"), name)
    raise AttributeError(f"module 'segue.flips' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
