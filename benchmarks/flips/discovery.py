"""Slice discovery: what is reported on random flips, how often planted slices are found, next to modeldiff-ml.

    python -m benchmarks.flips.discovery            # all of it; about an hour on two cores
    python -m benchmarks.flips.discovery --resume   # goes on where an interrupted run stopped
    python -m benchmarks.flips.discovery --quick    # a smoke test, without the peer

A planted slice counts as found when a reported slice shares at least half of their union with it, measured on 100,000
other samples. A reported slice is false when flips are not truly more frequent inside than outside (less than 1.05
times, in those 100,000; in most tasks from the known probabilities). Both tools see the same samples in the same run.
"""

from __future__ import annotations

import os

# One thread for both tools: their times can then be compared on a machine that does other work.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import json
import pickle
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import platformdirs
from numpy.typing import NDArray
from scipy import stats

from benchmarks.flips.planted.tasks import Bools, Columns, Setting, Task, customers, make_task
from benchmarks.record import Claim, package_versions, read_rows, write_record
from segue.flips.discovery import discover

PEER = "modeldiff-ml==0.4.0"
FOUND = 0.5
EXCESS = 1.05

NULLS = [Setting(slices=0, samples=n, base=base) for n in (2000, 8000) for base in (0.02, 0.1)]
MODEST = [
    Setting(samples=n, conditions=conditions, lift=lift)
    for conditions, lift, n in ((1, 3, 2000), (1, 2, 8000), (2, 5, 2000), (2, 3, 8000), (3, 8, 2000), (3, 4, 8000))
] + [
    Setting(samples=8000, conditions=2, lift=5, ranges=True),
    Setting(samples=8000, slices=2, conditions=2, lift=5),
    Setting("shift", samples=2000, conditions=2, shift=1.0),
    Setting("shift", samples=8000, conditions=3, shift=1.0),
    Setting("trained", samples=4000, conditions=1),
    Setting("trained", samples=8000, conditions=2),
]
PLENTY = [Setting(samples=20_000, conditions=conditions, lift=5) for conditions in (1, 2, 3)]

NOTES = (
    "Bars were set before the run: the nominal 5% for false reports, the peer's power for power. What the search "
    "fixes (cut points, price of a condition, candidates, weights of the error) was chosen on tasks of the seeds 1000 "
    "to 1007, none of which is here.",
    "A planted slice is found when a reported slice has a Jaccard index of at least 0.5 with it in 100,000 other "
    "samples. A reported slice is false when flips are less than 1.05 times as frequent inside as outside, in the "
    "same samples.",
    "modeldiff-ml 0.4.0 runs with its default configuration on a data frame and both models' probabilities, with each "
    "of its three classification metrics, and with its stability selection on the first task of some settings. It "
    "tests whether the loss rose in a region, Segue whether negative flips are more frequent there than elsewhere; "
    "outside the planted slices flips in both directions are equally frequent, so that both mean the same slices, "
    "except where models were really trained.",
    "Its regions have one-sided numeric conditions only; settings named 'range' plant two-sided ones.",
    "power_over_peer compares with the peer's best mode on the tasks named. Its brier and log_loss modes see the "
    "probabilities, which Segue's discovery does not; its accuracy mode sees, like Segue, the answers only.",
    "The search of null tasks, and of the others, ran on a machine with other work: seconds compare the tools only.",
)


def main(given: Sequence[str] | None = None) -> Path:
    """Run what is not yet recorded, and write the record.

    Args:
        given: The command line's arguments.

    Returns:
        The record.
    """
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a few small tasks; writes to a temporary folder")
    parser.add_argument("--resume", action="store_true", help="keep the rows of the record that is there")
    parser.add_argument("--seeds", type=int, default=10, help="tasks of each setting with planted slices")
    parser.add_argument("--null-seeds", type=int, default=150, help="tasks of each setting without any")
    parser.add_argument(
        "--stable", type=int, default=1, help="tasks of each setting for the peer's stability selection"
    )
    parser.add_argument("--peer-nulls", type=int, default=25, help="on how many of these the peer is run")
    parser.add_argument("--no-peer", action="store_true", help="without modeldiff-ml")
    parser.add_argument("--peer-python", help="a Python in which modeldiff-ml is installed; else one is made")
    parser.add_argument("--out", type=Path, help="folder of the record")
    arguments = parser.parse_args(given)
    settings, million = [*NULLS, *MODEST, *PLENTY], 1_000_000
    if arguments.quick:
        arguments.seeds, arguments.null_seeds, arguments.stable, million = 2, 2, 0, 20_000
        settings = [Setting(slices=0, samples=1000), Setting(samples=2000, conditions=1, lift=8), PLENTY[1]]
        arguments.no_peer = arguments.no_peer or not arguments.peer_python
        arguments.out = arguments.out or Path(tempfile.mkdtemp(prefix="segue-benchmark-"))
    python = None if arguments.no_peer else arguments.peer_python or peer_python()
    rows = read_rows("flips", "discovery", arguments.out) if arguments.resume else []
    versions = package_versions(["segue", "numpy", "scipy", "scikit-learn"])
    path = None
    for number, setting in enumerate(settings, start=1):
        seeds = range(arguments.seeds if setting.slices else arguments.null_seeds)
        done = {row["seed"] for row in rows if row["setting"] == setting.name}
        print(f"[{number}/{len(settings)}] {setting.name}", file=sys.stderr, flush=True)
        left = [seed for seed in seeds if seed not in done]
        both = [seed for seed in left if setting.slices or seed < arguments.peer_nulls]
        stable = arguments.stable if setting in MODEST else 0
        rows += run_setting(setting, both, python, stable)
        rows += run_setting(setting, [seed for seed in left if seed not in both], None, 0)
        path = record(rows, arguments, versions | peer_versions(python))
    if not any(row["setting"] == "time" for row in rows):
        rows.append(time_one(million))
    path = record(rows, arguments, versions | peer_versions(python))
    print_summary(rows)
    return path


def run_setting(setting: Setting, seeds: Sequence[int], python: str | None, stable: int) -> list[dict[str, Any]]:
    """Run both tools on the tasks of a setting.

    Args:
        setting: The setting.
        seeds: One task each.
        python: The peer's Python, if the peer is run.
        stable: On how many tasks the peer's stability selection is run.

    Returns:
        One row per seed.
    """
    if not seeds:
        return []
    tasks = [make_task(setting, seed) for seed in seeds]
    rows = []
    for seed, task in zip(seeds, tasks, strict=True):
        start = time.perf_counter()
        discovery = discover(task.columns, task.negative_flips, seed=seed)
        seconds = time.perf_counter() - start
        masks = [one.mask(task.population) for one in discovery.slices]
        aside = [[other.mask(task.population) for other in one.besides] for one in discovery.slices]
        rows.append(
            {
                "setting": setting.name,
                "mechanism": setting.mechanism if setting.slices else "null",
                "plenty": setting in PLENTY,
                "seed": seed,
                "flips": int(task.negative_flips.sum()),
                "planted": list(task.planted),
                "shares": [round(float(planted.mean()), 4) for planted in task.truth],
                "tools": {"segue": judge(task, masks, seconds, aside)},
            }
        )
    if python is not None:
        for row, task, answer in zip(rows, tasks, ask_peer(python, seeds, tasks, stable), strict=True):
            for tool, told in answer.items():
                masks = [peer_mask(region, task.population) for region in told["regions"]]
                row["tools"][tool] = judge(task, masks, told["seconds"])
    return rows


def judge(
    task: Task, masks: Sequence[Bools], seconds: float, aside: Sequence[Sequence[Bools]] | None = None
) -> dict[str, Any]:
    """Compare reported slices with what was planted, in the task's population.

    Args:
        task: The task.
        masks: The population's samples in each slice.
        seconds: What the search took.
        aside: The population's samples in the slices besides which each is reported.

    Returns:
        How many slices were reported and how many are false, the best overlap with each planted one, and the seconds.
    """
    false = 0
    for number, mask in enumerate(masks):
        counted = np.ones(len(mask), dtype=bool)
        for other in aside[number] if aside else ():
            counted &= ~other
        inside, rest = task.harm[mask & counted], task.harm[~mask & counted]
        false += not len(inside) or inside.mean() < EXCESS * rest.mean()
    best = [
        max((float((mask & planted).sum() / (mask | planted).sum()) for mask in masks), default=0.0)
        for planted in task.truth
    ]
    return {
        "reported": len(masks),
        "false": false,
        "jaccard": [round(value, 4) for value in best],
        "seconds": round(seconds, 3),
    }


def peer_python() -> str:
    """Return the Python of an environment with the peer, made in the user's cache folder if it is not there."""
    folder = Path(platformdirs.user_cache_dir("segue")) / "peers" / PEER.replace("==", "-")
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if (
        subprocess.run([python, "-c", "import modeldiff"], check=False, capture_output=True).returncode
        if python.exists()
        else True
    ):
        print(f"installing {PEER} into an environment of its own", file=sys.stderr)
        venv.create(folder, with_pip=True, clear=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", PEER], check=True)
    return str(python)


def peer_versions(python: str | None) -> dict[str, str]:
    """Return the versions of the peer and of what it stands on."""
    if python is None:
        return {}
    code = (
        "import json, importlib.metadata as m; print(json.dumps({p: m.version(p) for p in ('modeldiff-ml', 'pandas')}))"
    )
    told = subprocess.run([python, "-c", code], check=True, capture_output=True, text=True).stdout
    return {
        ("modeldiff-ml" if name == "modeldiff-ml" else f"peer's {name}"): value
        for name, value in json.loads(told).items()
    }


def ask_peer(python: str, seeds: Sequence[int], tasks: Sequence[Task], stable: int) -> list[dict[str, Any]]:
    """Run the peer on tasks, in its own environment."""
    with tempfile.TemporaryDirectory() as folder:
        given, taken = Path(folder) / "tasks.pickle", Path(folder) / "results.json"
        told = [
            {"columns": task.columns, "labels": task.labels, "old": task.old, "new": task.new, "seed": int(seed)}
            for seed, task in zip(seeds, tasks, strict=True)
        ]
        given.write_bytes(pickle.dumps(told))
        script = Path(__file__).parent / "planted" / "modeldiff_side.py"
        subprocess.run([python, script, given, taken, "--stable", str(stable)], check=True)
        answers: list[dict[str, Any]] = json.loads(taken.read_text(encoding="utf-8"))["answers"]
    return answers


def peer_mask(region: Sequence[tuple[str, str, Any]], columns: Columns) -> Bools:
    """Return which samples lie in a region of the peer's."""
    inside = np.ones(len(next(iter(columns.values()))), dtype=bool)
    for name, sign, value in region:
        column = columns[name]
        inside &= {"<=": np.less_equal, ">": np.greater, "==": np.equal, "!=": np.not_equal}[sign](column, value)
    return inside


def time_one(samples: int) -> dict[str, Any]:
    """Time a search of ten columns of many samples."""
    draws = np.random.default_rng(0)
    columns = customers(samples, draws)
    flipped = draws.random(samples) < np.where((columns["age"] >= 62) & (columns["plan"] == "pro"), 0.04, 0.02)
    start = time.perf_counter()
    discovery = discover(columns, flipped)
    seconds = time.perf_counter() - start
    tools = {"segue": {"reported": len(discovery.slices), "seconds": round(seconds, 2)}}
    return {"setting": "time", "seed": 0, "samples": samples, "columns": len(columns), "tools": tools}


def record(rows: list[dict[str, Any]], arguments: argparse.Namespace, versions: dict[str, str]) -> Path:
    """Write the record."""
    seeds = sorted({row["seed"] for row in rows})
    return write_record(
        "flips",
        "discovery",
        seeds=seeds,
        rows=rows,
        claims=claims(rows),
        versions=versions,
        notes=NOTES,
        folder=arguments.out,
    )


def tools_of(rows: Sequence[dict[str, Any]]) -> list[str]:
    """Return the tools that ran on every one of some rows."""
    return [tool for tool in (rows[0]["tools"] if rows else {}) if all(tool in row["tools"] for row in rows)]


def power(rows: Sequence[dict[str, Any]], tool: str) -> NDArray[np.float64]:
    """Return the share of the planted slices of each task that a tool found, ``(tasks,)``."""
    return np.array([np.mean([value >= FOUND for value in row["tools"][tool]["jaccard"]]) for row in rows])


def claims(rows: Sequence[dict[str, Any]]) -> list[Claim]:
    """Return what the rows show."""
    nulls = [row for row in rows if row.get("mechanism") == "null"]
    planted = [row for row in rows if row.get("planted")]
    found: list[Claim] = []
    if nulls:
        hits = sum(row["tools"]["segue"]["reported"] > 0 for row in nulls)
        found.append(
            _share(
                "null_reports",
                "Share of data sets with random flips on which any slice is reported",
                hits,
                len(nulls),
                "<= 0.05",
            )
        )
    if planted:
        reported = sum(row["tools"]["segue"]["reported"] for row in planted)
        false = sum(row["tools"]["segue"]["false"] for row in planted)
        if reported:
            found.append(
                _share(
                    "false_share",
                    "Share of the slices reported on tasks with planted slices that have no true excess of flips",
                    false,
                    reported,
                    "<= 0.05",
                )
            )
        plenty = [row for row in planted if row["plenty"]]
        if plenty:
            found.append(
                _share(
                    "power_plenty",
                    "Share of planted slices found among 20,000 samples, 2% flips elsewhere, 10% inside",
                    int(power(plenty, "segue").sum()),
                    len(plenty),
                    ">= 0.9",
                )
            )
        peers = [tool for tool in tools_of(planted) if tool != "segue"]
        if peers:
            best = max(peers, key=lambda tool: power(planted, tool).mean())
            found.append(_difference("power_over_peer", planted, best))
            # Segue sees which answers flipped; this mode of the peer's sees no more than that either.
            found.append(_difference("power_over_peer_answers", planted, "modeldiff accuracy"))
            for mechanism in ("flips", "shift", "trained"):
                some = [row for row in planted if row["mechanism"] == mechanism]
                if some:
                    best = max(peers, key=lambda tool, some=some: power(some, tool).mean())
                    found.append(_difference(f"power_over_peer_{mechanism}", some, best))
    for row in rows:
        if row["setting"] == "time":
            seconds = row["tools"]["segue"]["seconds"]
            found.append(
                Claim(
                    "discovery.seconds",
                    f"Seconds to search {row['samples']:,} samples of {row['columns']} columns",
                    seconds,
                    None,
                    None,
                    "<= 60",
                )
            )
    return found


def _share(name: str, statement: str, hits: int, trials: int, bar: str) -> Claim:
    interval = stats.binomtest(hits, trials).proportion_ci()
    return Claim(f"discovery.{name}", statement, hits / trials, interval.low, interval.high, bar)


def _difference(name: str, rows: Sequence[dict[str, Any]], peer: str) -> Claim:
    difference = power(rows, "segue") - power(rows, peer)
    draws = np.random.default_rng(0)
    means = difference[draws.integers(len(difference), size=(4000, len(difference)))].mean(axis=1)
    low, high = np.percentile(means, [2.5, 97.5])
    kinds = sorted({row["mechanism"] for row in rows})
    statement = (
        f"Share of planted slices found, Segue's minus the peer's in its {peer.removeprefix('modeldiff ')} mode (peer: "
        f"{power(rows, peer).mean():.3f}, Segue: {power(rows, 'segue').mean():.3f}), tasks of kind {', '.join(kinds)}"
    )
    return Claim(f"discovery.{name}", statement, float(difference.mean()), float(low), float(high), ">= 0")


def print_summary(rows: Sequence[dict[str, Any]]) -> None:
    """Print power, reports, false reports and time of each tool on each setting."""
    names = list(dict.fromkeys(row["setting"] for row in rows if row["setting"] != "time"))
    print(
        f"{'setting':<48} {'tool':<26} {'tasks':>5} {'found':>6} {'Jaccard':>8} {'told':>5} {'false':>5} {'seconds':>8}"
    )
    for name in names:
        here = [row for row in rows if row["setting"] == name]
        for tool in list(dict.fromkeys(tool for row in here for tool in row["tools"])):
            some = [row for row in here if tool in row["tools"]]
            results = [row["tools"][tool] for row in some]
            scored = [value for one in results for value in one["jaccard"]]
            share = f"{np.mean(power(some, tool)):.2f}" if scored else "-"
            overlap = f"{np.mean(scored):.2f}" if scored else "-"
            told, false = (sum(one[key] for one in results) for key in ("reported", "false"))
            seconds = np.median([one["seconds"] for one in results])
            print(f"{name:<48} {tool:<26} {len(some):>5} {share:>6} {overlap:>8} {told:>5} {false:>5} {seconds:>8.2f}")


if __name__ == "__main__":
    print(main())
