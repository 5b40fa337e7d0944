"""Time and memory of comparing two files of 10 and of 100 million rows, against plain DuckDB and against pandas.

``python -m benchmarks.flips.scale`` runs everything; ``--quick`` a smoke run. Every contestant is a process of its own,
imports included, and they take turns (A B C A B C), so that a busy minute of the machine hits all of them alike. Peak
memory is what the kernel reports of the whole process. Each run is kept in the record as soon as it ends; ``--resume``
adds what is missing.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.record import Claim, package_versions, read_rows, write_record

ROOT = Path(__file__).parents[2]
SEED = 0
MILLION = 1_000_000
CONTESTANTS: Mapping[str, tuple[str, ...]] = {
    "segue": ("segue_compare",),
    "segue with 1,000 flipped samples": ("segue_compare", "--flips", "1000"),
    "duckdb join": ("duckdb_join",),
    "pandas": ("pandas_script",),
}
PLAN = (  # rows, kind of ids, contestants; memory for DuckDB is 1 GB throughout
    (10 * MILLION, "dense", tuple(CONTESTANTS)),
    (10 * MILLION, "hashed", tuple(CONTESTANTS)),
    (10 * MILLION, "text", tuple(CONTESTANTS)),
    (100 * MILLION, "dense", ("segue", "segue with 1,000 flipped samples", "duckdb join")),
    (100 * MILLION, "hashed", ("segue", "duckdb join")),
)
NOTES = (
    "Ids: dense are 0 to rows - 1; hashed are 63-bit hashes; text is 'sample-' and the number. All files are shuffled.",
    "Both files hold ids, labels and predictions. With dense ids Segue proves from each file alone that ids and labels "
    "are sound and the same, and joins only the new model's errors; hashed and text ids take the full outer join of "
    "all rows.",
    "Segue's numbers include every input check, three slices (4 platforms, 50 countries, ages cut at their quintiles) "
    "with intervals and tests, and the flip matrix; DuckDB's join counts four cells and nothing else; pandas checks "
    "the input and counts flips per slice, without intervals.",
    "seconds: the comparison itself in a fresh process, without imports. process_seconds: the whole process. "
    "processor_seconds: processor time of the comparison. peak_bytes: largest resident memory of the process.",
    "Times are of a machine that did other work as well; ratios are medians over rounds in which the contestants took "
    "turns, their ends the smallest and the largest ratio of a round.",
)

COMPARED = (  # claim, statement, number, with whom, whether the other's is divided by Segue's, bar
    ("time_over_join", "Time of the comparison over DuckDB's plain join", "seconds", "duckdb join", False, "<= 1.5"),
    ("process_time_over_join", "The same of whole processes", "process_seconds", "duckdb join", False, "<= 1.5"),
    (
        "pandas_time",
        "Time of the pandas script over Segue's, whole processes",
        "process_seconds",
        "pandas",
        True,
        ">= 2",
    ),
    ("memory_over_pandas", "Peak memory over the pandas script's", "peak_bytes", "pandas", False, "<= 0.25"),
)


def main() -> int:
    """Run the benchmark.

    Returns:
        0.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small files, one round")
    parser.add_argument("--repeats", type=int, default=5, help="rounds at up to 10 million rows")
    parser.add_argument("--large-repeats", type=int, default=2, help="rounds above")
    parser.add_argument("--largest", type=int, default=100 * MILLION, help="leave out files of more rows")
    parser.add_argument("--folder", type=Path, help="where the files are generated, and deleted again")
    parser.add_argument("--resume", action="store_true", help="keep the runs of the last record")
    parser.add_argument("--out", type=Path, help="folder for the record")
    asked = parser.parse_args()
    plan = [part for part in PLAN if part[0] <= asked.largest]
    if asked.quick:
        plan = [(rows // 1000, ids, contestants) for rows, ids, contestants in (plan[0], plan[-1])]
        asked.repeats = asked.large_repeats = 1
    rows: list[dict[str, Any]] = read_rows("flips", "scale", asked.out) if asked.resume else []
    for size, ids, contestants in plan:
        repeats = asked.large_repeats if size > 10 * MILLION else asked.repeats
        wanted = [(turn, name) for turn in range(repeats) for name in contestants]
        done = {(row["round"], row["contestant"]) for row in rows if (row["rows"], row["ids"]) == (size, ids)}
        if not set(wanted) - done:
            continue
        with tempfile.TemporaryDirectory(prefix="segue-scale-", dir=asked.folder) as folder:
            print(f"{size:,} rows, {ids} ids: writing the files", file=sys.stderr, flush=True)
            generate = ["-m", "benchmarks.flips.scale_contest.tables", folder, "--rows", str(size), "--ids", ids]
            subprocess.run([sys.executable, *generate, "--seed", str(SEED)], cwd=ROOT, check=True)
            for turn, name in wanted:
                if (turn, name) in done:
                    continue
                row = {"rows": size, "ids": ids, "round": turn, "contestant": name} | measured(name, Path(folder))
                rows.append(row)
                told = (
                    f"{row['seconds']:.2f} s, {row['process_seconds']:.2f} s in all, {row['peak_bytes'] / 1e9:.2f} GB"
                )
                print(f"  {turn + 1} {name}: {told}", file=sys.stderr, flush=True)
                record(rows, asked.out)
    refuse_disagreement(rows)
    print(record(rows, asked.out))
    return 0


def measured(contestant: str, folder: Path) -> dict[str, Any]:
    """Run a contestant as a process of its own.

    Args:
        contestant: Its name.
        folder: The folder with the files.

    Returns:
        What it found, its times and its peak memory.
    """
    script, *options = CONTESTANTS[contestant]
    command = [sys.executable, "-m", f"benchmarks.flips.scale_contest.{script}", str(folder), *options]
    start = time.perf_counter()
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)
    assert process.stdout is not None
    said = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    took = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{contestant} failed with exit code {process.returncode}")
    left = [path.name for path in folder.iterdir() if path.suffix != ".parquet"]
    if left:
        raise RuntimeError(f"{contestant} left {', '.join(left)} behind")
    unit = 1 if sys.platform == "darwin" else 1024
    found: dict[str, Any] = json.loads(said)
    return found | {"process_seconds": took, "peak_bytes": usage.ru_maxrss * unit}


def record(rows: Sequence[Mapping[str, Any]], folder: Path | None) -> Path:
    """Write the record with what can be claimed so far."""
    versions = package_versions(["duckdb", "numpy", "scipy", "pandas", "pyarrow"])
    return write_record(
        "flips", "scale", seeds=[SEED], rows=rows, claims=claims(rows), versions=versions, notes=NOTES, folder=folder
    )


def claims(rows: Sequence[Mapping[str, Any]]) -> list[Claim]:
    """Return what is claimed from the runs on dense ids, and beside it the same for hashed and for text ids."""
    sizes = sorted({int(row["rows"]) for row in rows})
    found: list[Claim] = []
    if not sizes:
        return found
    small, large = sizes[0], sizes[-1]
    for ids in ("dense", "hashed", "text"):
        here = [row for row in rows if row["ids"] == ids]
        kind = "" if ids == "dense" else f"_{ids}_ids"
        told = f"{small:,} rows, {ids} ids"
        for name, statement, field, other, flip, bar in COMPARED:
            values = ratios([row for row in here if row["rows"] == small], field, other, flip=flip)
            if values:
                middle = statistics.median(values)
                found.append(
                    Claim(f"scale.{name}{kind}", f"{statement}, {told}", middle, min(values), max(values), bar)
                )
        peaks = [
            row["peak_bytes"] / 1e9 for row in here if row["rows"] == large and row["contestant"].startswith("segue")
        ]
        if peaks and large > small:
            statement = f"Peak memory in GB, {large:,} rows, {ids} ids, the largest of all runs"
            found.append(Claim(f"scale.peak_memory{kind}", statement, max(peaks), min(peaks), max(peaks), "< 2"))
    return found


def ratios(rows: Sequence[Mapping[str, Any]], field: str, other: str, *, flip: bool) -> list[float]:
    """Return Segue's number over another contestant's, or the inverse, round by round."""
    mine = {row["round"]: row[field] for row in rows if row["contestant"] == "segue"}
    its = {row["round"]: row[field] for row in rows if row["contestant"] == other}
    both = [(mine[turn], its[turn]) for turn in sorted(mine.keys() & its.keys())]
    return [its_ / mine_ if flip else mine_ / its_ for mine_, its_ in both]


def refuse_disagreement(rows: Sequence[Mapping[str, Any]]) -> None:
    """Stop if two contestants counted differently.

    Args:
        rows: All runs.

    Raises:
        RuntimeError: If so.
    """
    for size, ids in {(row["rows"], row["ids"]) for row in rows}:
        counts = {
            (row["negative_flips"], row["positive_flips"]) for row in rows if (row["rows"], row["ids"]) == (size, ids)
        }
        if len(counts) > 1:
            raise RuntimeError(f"the contestants disagree at {size:,} rows with {ids} ids: {sorted(counts)}")


if __name__ == "__main__":
    sys.exit(main())
