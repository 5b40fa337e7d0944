"""The record of a run: what was measured, on what, and whether it does what was asked of it.

``write_record("flips", "discovery", ...)`` writes ``benchmarks/results/flips/discovery.json``. A bar is set by the
specification before anything is measured; ``holds`` is always computed from value and bar, never typed.
"""

from __future__ import annotations

import json
import math
import os
import platform
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"

_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_COMPARISON = re.compile(rf"^(<=|>=|<|>|==)\s*({_NUMBER})$")
_RANGE = re.compile(rf"^in\s*\[\s*({_NUMBER})\s*,\s*({_NUMBER})\s*\]$")


def meets(value: float, bar: str) -> bool:
    """Tell whether a value meets a bar such as ``"<= 1.5"``, ``">= 0.94"``, ``"== 0"`` or ``"in [0.94, 1]"``.

    Args:
        value: What was measured; NaN meets no bar.
        bar: A comparison with a number, or a closed range.

    Returns:
        Whether the bar is met.

    Raises:
        ValueError: If the bar has another form.

    Example:
        >>> meets(1.2, "<= 1.5"), meets(0.93, "in [0.94, 1]"), meets(float("nan"), ">= 0")
        (True, False, False)
    """
    if found := _COMPARISON.match(bar.strip()):
        sign, limit = found.group(1), float(found.group(2))
        return {
            "<=": value <= limit,
            ">=": value >= limit,
            "<": value < limit,
            ">": value > limit,
            "==": value == limit,
        }[sign]
    if found := _RANGE.match(bar.strip()):
        return float(found.group(1)) <= value <= float(found.group(2))
    raise ValueError(f"bar {bar!r} is neither a comparison such as '<= 1.5' nor a range such as 'in [0.94, 1]'")


@dataclass(frozen=True)
class Claim:
    """One number that the documentation may state, with the bar that was set for it.

    Attributes:
        name: Its name in ``docs/claims.md``, such as ``discovery.null_reports``.
        statement: What the number is, in one sentence.
        value: What was measured.
        low: Lower end of its interval; ``None`` where there is none.
        high: Upper end of its interval; ``None`` where there is none.
        bar: What was asked, such as ``"<= 0.05"``.
    """

    name: str
    statement: str
    value: float
    low: float | None
    high: float | None
    bar: str

    @property
    def holds(self) -> bool:
        """Whether the value meets the bar."""
        return meets(self.value, self.bar)

    def to_dict(self) -> dict[str, Any]:
        """Return the claim as it stands in the record."""
        return {
            "name": self.name,
            "statement": self.statement,
            "value": self.value,
            "low": self.low,
            "high": self.high,
            "bar": self.bar,
            "holds": self.holds,
        }


def describe_machine() -> str:
    """Return processor, cores, memory and system in words, without the machine's name or any path."""
    processor = platform.processor() or platform.machine()
    listing = Path("/proc/cpuinfo")
    if listing.exists():
        models = re.findall(r"^model name\s*:\s*(.+)$", listing.read_text(encoding="utf-8"), flags=re.MULTILINE)
        processor = models[0].strip() if models else processor
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)
    words = [processor, f"{cores} cores"]
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
        words.append(f"{memory:.0f} GiB of memory")
    return ", ".join([*words, platform.system()])


def package_versions(packages: Iterable[str]) -> dict[str, str]:
    """Return the version of Python and of each of the installed packages, by name."""
    return {"python": platform.python_version()} | {name: metadata.version(name) for name in packages}


def write_record(
    room: str,
    name: str,
    *,
    seeds: Sequence[int],
    rows: Sequence[Mapping[str, Any]],
    claims: Sequence[Claim],
    versions: Mapping[str, str],
    notes: Sequence[str] = (),
    folder: Path | None = None,
) -> Path:
    """Write the record of a run as JSON.

    Args:
        room: Folder under ``benchmarks/results``.
        name: Name of the file, without its ending.
        seeds: The seeds that were run.
        rows: One mapping per configuration and seed, with every number that a table or a plot shows.
        claims: What is claimed from the rows.
        versions: Versions of what was measured, by name.
        notes: What a reader must know to read the numbers rightly.
        folder: Where to write instead of ``benchmarks/results/ROOM``.

    Returns:
        The file written.
    """
    record = {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": describe_machine(),
        "versions": dict(versions),
        "seeds": list(seeds),
        "notes": list(notes),
        "rows": list(rows),
        "claims": [claim.to_dict() for claim in claims],
    }
    path = (folder or RESULTS / room) / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    # Written beside and moved into place, so that an interrupted run leaves the former record whole.
    beside = path.with_suffix(".json.part")
    beside.write_text(_text(_plain(record)), encoding="utf-8")
    beside.replace(path)
    return path


def read_rows(room: str, name: str, folder: Path | None = None) -> list[dict[str, Any]]:
    """Return the rows of an earlier run, so that a run can be resumed; none where there was none."""
    path = (folder or RESULTS / room) / f"{name}.json"
    if not path.exists():
        return []
    rows: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["rows"]
    return rows


def _text(record: dict[str, Any]) -> str:
    """Return the record as JSON with one row and one claim a line: short files, and differences that can be read."""
    parts = []
    for key, value in record.items():
        if key in {"rows", "claims"} and value:
            lines = ",\n  ".join(json.dumps(line, allow_nan=False) for line in value)
            parts.append(f' "{key}": [\n  {lines}\n ]')
        else:
            parts.append(f' "{key}": {json.dumps(value, allow_nan=False)}')
    return "{\n" + ",\n".join(parts) + "\n}\n"


def _plain(thing: Any) -> Any:
    """Turn numpy scalars and arrays into plain Python, and what is not finite into ``None``: JSON knows no NaN."""
    if isinstance(thing, Mapping):
        return {str(key): _plain(value) for key, value in thing.items()}
    if isinstance(thing, list | tuple):
        return [_plain(value) for value in thing]
    if hasattr(thing, "tolist"):
        return _plain(thing.tolist())
    if isinstance(thing, float) and not math.isfinite(thing):
        return None
    return thing
