"""What ``import segue`` costs beyond ``import numpy, scipy.stats``: whole processes in turn, and what they pull in.

python -m benchmarks.flips.import_time [--runs 21] [--quick]
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from scipy import stats

from benchmarks.record import Claim, package_versions, write_record

STATEMENTS = {
    "numpy and scipy.stats": "import numpy, scipy.stats",
    "segue": "import numpy, scipy.stats, segue",
    "segue.flips": "import numpy, scipy.stats, segue; segue.compare",
}
HEAVY = ("torch", "duckdb", "jinja2", "pyarrow", "pydantic", "pandas", "polars", "typer", "PIL")


def seconds(statement: str) -> tuple[float, float]:
    """Run a statement in a process of its own.

    Args:
        statement: What the process runs.

    Returns:
        Wall-clock and processor seconds of the whole process.
    """
    started = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-c", statement])
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - started
    if status:
        raise RuntimeError(f"{statement!r} failed")
    return wall, usage.ru_utime + usage.ru_stime


def main() -> int:
    """Run the benchmark.

    Returns:
        The exit code.
    """
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=21, help="processes of each kind")
    parser.add_argument("--quick", action="store_true", help="two processes of each kind, no record unless --out")
    parser.add_argument("--resume", action="store_true", help="accepted for all benchmarks; this one takes a minute")
    parser.add_argument("--out", type=Path, help="folder of the record, instead of benchmarks/results/flips")
    given = parser.parse_args()
    runs = 2 if given.quick else given.runs
    for statement in STATEMENTS.values():
        seconds(statement)  # the first one reads the disk
    rows = []
    for run in range(runs):
        for name, statement in STATEMENTS.items():
            wall, cpu = seconds(statement)
            rows.append({"run": run, "imported": name, "wall_s": wall, "cpu_s": cpu})
    claims = []
    for name in ("segue", "segue.flips"):
        for clock in ("wall_s", "cpu_s"):
            by_name = {key: np.array([row[clock] for row in rows if row["imported"] == key]) for key in STATEMENTS}
            more = by_name[name] - by_name["numpy and scipy.stats"]
            interval = stats.bootstrap((more,), np.median, rng=0, method="percentile").confidence_interval
            claims.append(
                Claim(
                    f"import.{name}.{clock}",
                    f"seconds ({'wall clock' if clock == 'wall_s' else 'processor'}) that importing {name} takes more "
                    f"than numpy and scipy.stats, median over {runs} processes in turn",
                    float(np.median(more)),
                    float(interval.low),
                    float(interval.high),
                    "< 0.15",
                )
            )
    loaded = subprocess.run(
        [sys.executable, "-c", f"import segue.flips, sys; print(sum(m in sys.modules for m in {HEAVY!r}))"],
        capture_output=True,
        text=True,
        check=True,
    )
    words = "heavy libraries (" + ", ".join(HEAVY) + ") in memory after importing segue.flips"
    claims.append(Claim("import.heavy", words, float(loaded.stdout), None, None, "== 0"))
    for claim in claims:
        print(f"{claim.name:26} {claim.value:.4f}  bar {claim.bar}  {'holds' if claim.holds else 'DOES NOT HOLD'}")
    if not given.quick or given.out:
        versions = package_versions(("segue", "numpy", "scipy"))
        write_record("flips", "import_time", seeds=[0], rows=rows, claims=claims, versions=versions, folder=given.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
