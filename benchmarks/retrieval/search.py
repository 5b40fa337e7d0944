"""Time and memory of the exact search, against faiss alone on the same search.

``python -m benchmarks.retrieval.search`` runs everything; ``--quick`` a smoke run. Every search is a process of its
own, and the contestants take turns, so that a busy minute of the machine hits both alike. Each run is kept in the
record as soon as it ends; ``--resume`` adds what is missing.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.record import Claim, package_versions, read_rows, write_record

ROOT = Path(__file__).parents[2]
SEED = 0
K = 10
CONTESTANTS: Mapping[str, tuple[str, ...]] = {
    "faiss": ("faiss_knn",),
    "segue": ("segue_search",),
    "segue, gallery memory mapped": ("segue_search", "--mapped"),
}
PLAN = (  # queries, gallery, kind of gallery, metrics, contestants
    (10_000, 1_000_000, "random", ("cosine", "inner-product", "l2"), tuple(CONTESTANTS)),
    (200, 1_000_000, "copies", ("cosine",), ("faiss", "segue")),
)
NOTES = (
    "Vectors of 128 dimensions, top 10. random: normal numbers. copies: every gallery vector stands there 30 times, so "
    "that ties at the cut send every query through the second search, in doubles; no bar was set for it.",
    "faiss: faiss.knn on vectors in memory, for cosine already normalised (not timed). Segue gets the vectors as they "
    "are; its time includes looking for NaN and zero rows, normalising, scoring what faiss proposes anew, and proving "
    "that nothing is missing. Its gallery is in memory too but where it is said to be memory mapped.",
    "seconds: the search alone. processor_seconds: processor time of the search. peak_bytes: largest resident memory "
    "of the process, gallery and imports included. Ratios are medians over rounds, their ends the smallest and the "
    "largest ratio of a round.",
    "same_rows: share of Segue's hits that faiss has at the same rank; rounding and ties explain the rest. "
    "score_error: largest difference between the two's scores at a rank, over the largest score.",
)


def main() -> int:
    """Run the benchmark.

    Returns:
        0.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small galleries, one round")
    parser.add_argument("--repeats", type=int, default=5, help="rounds")
    parser.add_argument("--folder", type=Path, help="where the vectors are generated, and deleted again")
    parser.add_argument("--resume", action="store_true", help="keep the runs of the last record")
    parser.add_argument("--out", type=Path, help="folder for the record")
    asked = parser.parse_args()
    plan = PLAN
    if asked.quick:
        plan = tuple((max(20, part[0] // 100), part[1] // 100, *part[2:]) for part in PLAN)
        asked.repeats = 1
    rows: list[dict[str, Any]] = read_rows("retrieval", "search", asked.out) if asked.resume else []
    for queries, gallery, kind, metrics, contestants in plan:
        setting = {"queries": queries, "gallery": gallery, "kind": kind}
        done = {
            (row["metric"], row["round"], row["contestant"])
            for row in rows
            if {name: row[name] for name in setting} == setting
        }
        wanted = [(m, turn, name) for turn in range(asked.repeats) for m in metrics for name in contestants]
        if not set(wanted) - done:
            continue
        with tempfile.TemporaryDirectory(prefix="segue-search-", dir=asked.folder) as folder:
            generate = [folder, "--queries", str(queries), "--gallery", str(gallery), "--kind", kind]
            module = "benchmarks.retrieval.search_contest.vectors"
            subprocess.run([sys.executable, "-m", module, *generate, "--seed", str(SEED)], cwd=ROOT, check=True)
            for metric, turn, name in wanted:
                if (metric, turn, name) in done:
                    continue
                row = setting | {"metric": metric, "round": turn, "contestant": name}
                row |= measured(name, metric, Path(folder))
                rows.append(row)
                told = f"{row['seconds']:.2f} s, {row['peak_bytes'] / 1e9:.2f} GB"
                print(f"  {kind} {metric} {turn + 1} {name}: {told}", file=sys.stderr, flush=True)
                record(rows, asked.out)
    print(record(rows, asked.out))
    return 0


def measured(contestant: str, metric: str, folder: Path) -> dict[str, Any]:
    """Run a contestant as a process of its own, and hold what it finds against what faiss found.

    Args:
        contestant: Its name.
        metric: The metric.
        folder: The folder with the vectors.

    Returns:
        Its times, its peak memory, and how far it agrees with faiss.

    Raises:
        RuntimeError: If it failed.
    """
    script, *options = CONTESTANTS[contestant]
    out = folder / f"{script}-{metric}.npz"
    command = [sys.executable, "-m", f"benchmarks.retrieval.search_contest.{script}", str(folder), "--metric", metric]
    process = subprocess.Popen([*command, "-k", str(K), "--out", str(out), *options], cwd=ROOT, stdout=subprocess.PIPE)
    assert process.stdout is not None
    said = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{contestant} failed with exit code {process.returncode}")
    unit = 1 if sys.platform == "darwin" else 1024
    found: dict[str, Any] = json.loads(said) | {"peak_bytes": usage.ru_maxrss * unit}
    reference = folder / f"faiss_knn-{metric}.npz"
    if out != reference and reference.exists():
        with np.load(out) as ours, np.load(reference) as theirs:
            apart = float(np.abs(ours["scores"] - theirs["scores"]).max() / np.abs(theirs["scores"]).max())
            found |= {"same_rows": float((ours["rows"] == theirs["rows"]).mean()), "score_error": apart}
    return found


def record(rows: Sequence[Mapping[str, Any]], folder: Path | None) -> Path:
    """Write the record with what can be claimed so far."""
    return write_record(
        "retrieval",
        "search",
        seeds=[SEED],
        rows=rows,
        claims=claims(rows),
        versions=package_versions(["numpy", "scipy", "faiss-cpu"]),
        notes=NOTES,
        folder=folder,
    )


def claims(rows: Sequence[Mapping[str, Any]]) -> list[Claim]:
    """Return what is claimed: time over faiss's for each metric, and memory."""
    found = []
    random = [row for row in rows if row["kind"] == "random"]
    for metric in dict.fromkeys(str(row["metric"]) for row in random):
        here = [row for row in random if row["metric"] == metric]
        seconds = {(row["contestant"], row["round"]): row["seconds"] for row in here}
        rounds = [turn for name, turn in seconds if name == "segue" and ("faiss", turn) in seconds]
        size = f"{here[0]['queries']:,} queries x {here[0]['gallery']:,} vectors, top {K}, {metric}"
        if rounds:
            ratios = [seconds["segue", turn] / seconds["faiss", turn] for turn in rounds]
            name = f"search.time_over_faiss_{metric.replace('-', '_')}"
            statement = f"Time of the exact search over faiss alone, {size}"
            found.append(Claim(name, statement, statistics.median(ratios), min(ratios), max(ratios), "<= 1.15"))
        errors = [row["score_error"] for row in here if "score_error" in row]
        if errors:
            name = f"search.score_error_{metric.replace('-', '_')}"
            statement = f"Largest difference of scores to faiss's at any rank, over the largest score, {size}"
            found.append(Claim(name, statement, max(errors), None, None, "<= 1e-5"))
    peaks = [row["peak_bytes"] / 1e9 for row in random if row["contestant"].startswith("segue")]
    if peaks:
        statement = "Peak memory of the exact search in GB, gallery included, the largest of all runs"
        found.append(Claim("search.peak_memory", statement, max(peaks), min(peaks), max(peaks), "<= 4"))
    return found


if __name__ == "__main__":
    sys.exit(main())
