"""Every method and every baseline of compatible training on every update scenario, side by side.

    python -m benchmarks.compatible.methods                   # all of it, on two cores
    python -m benchmarks.compatible.methods --resume          # goes on where an interrupted run stopped
    python -m benchmarks.compatible.methods --quick           # a smoke test
    python -m benchmarks.compatible.methods --table           # write docs/compatible-results.md from the record

Within a scenario and a seed all methods see the same old model, training and validation samples. A method's settings
are swept, one point is picked on the validation samples (the highest cmc@1 of new queries on the old gallery, where
that of new queries on the new gallery is at most one point below the paragon's), and that point answers the test
samples, once. The paragon is the network trained on the labels alone, the better one of two heads on validation
samples.
"""

from __future__ import annotations

import os

# One thread for each process: two run side by side, and the last digits of sums depend on the number of threads.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import multiprocessing
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.compatible.reading import AUTO, best_method, gain_of, mean
from benchmarks.compatible.table import write_table
from benchmarks.congruent.methods import with_interval
from benchmarks.record import Claim, package_versions, read_rows, write_record

SEEDS = (0, 1, 2, 3, 4)
KINDS = ("data", "classes", "architecture", "dimension")
DEVELOPED_ON = (0, 1)
"""Seeds on whose validation samples our own recipe was designed."""
TABLE = Path(__file__).parents[2] / "docs" / "compatible-results.md"
QUICK = ("influence", "old-neighbours")

NOTES = (
    "Scenario: what changes with the update. data: the old model saw half of the 6,000 training samples; classes: the "
    "old model saw 5 of 10 classes; architecture: a small perceptron before, a wider convolutional network now, on the "
    "same samples; dimension: half of the samples and 32 dimensions before, 64 dimensions now.",
    "Queries and gallery are disjoint halves of the test part, 5,000 each, whose labels say what is relevant. All "
    "choices, settings included, were made on 3,000 samples of the training part; the test part was answered once per "
    "method. Learning rate, epochs and sizes are those of plain training.",
    "The paragon is the network trained on the labels alone, by the same plan: with a linear or with a cosine head, "
    "whichever is better on validation samples.",
    "update_gain: (new/old - old/old) / (paragon - old/old); undefined where the paragon is not shown to be better "
    "than the old model. low and high: 95% intervals over queries.",
    "Where the new embeddings are longer, their first columns search the old gallery. basis-transformation adds 32 "
    "dimensions to the new embedding in every scenario; no other method does.",
    "Two settings of each method are tried, three of old-neighbours; old-neighbours was designed on validation samples "
    "of seeds 0 and 1 of these scenarios, and of two further draws of the scenario classes. An earlier form of it had "
    "answered the test part of one case (data, seed 0) and was weak there, which prompted the redesign. auto picks "
    "among the candidates of old-neighbours, contrastive and influence-cosine, as the recipe does.",
    "stationary is meant for generations that all have the simplex head; here the old model is given, as it is for a "
    "user.",
    "The old threshold was set on old vectors of validation samples, for 1% of false accepts; false accepts and "
    "rejects are those of 1,000 test queries against the old gallery. clusters: queries assigned to the centroids of "
    "the old gallery's classes.",
)


def main(given: Sequence[str] | None = None) -> Path:
    """Run what is not yet recorded, and write the record.

    Args:
        given: The command line; the process's own by default.

    Returns:
        The record.
    """
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="one seed and one scenario of digits, a few methods")
    parser.add_argument("--resume", action="store_true", help="keep the rows of an earlier run")
    parser.add_argument("--table", action="store_true", help="only write the table from the record")
    parser.add_argument("--out", type=Path, help="folder of the record")
    parser.add_argument("--seeds", type=int, nargs="+", default=list(SEEDS))
    parser.add_argument("--kinds", nargs="+", default=list(KINDS), choices=KINDS)
    parser.add_argument("--methods", nargs="+", help="some methods")
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args(given)
    if options.table:
        write_table(read_rows("compatible", "methods", options.out), TABLE)
        return TABLE
    name, seeds, kinds, only = "fashion", options.seeds, options.kinds, options.methods
    if options.quick:
        name, seeds, kinds, only = "digits", [0], ["data"], list(QUICK)
    rows = read_rows("compatible", "methods", options.out) if options.resume else []
    done = {(row["scenario"], row["seed"]) for row in rows}
    jobs = [(name, kind, seed) for seed in seeds for kind in kinds if (f"{name}/{kind}", seed) not in done]
    began = time.perf_counter()
    path = record(rows, options.out) if not jobs else Path()
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(options.processes, max(len(jobs), 1)), mp_context=context) as pool:
        running = {pool.submit(run_job, *job, only): job for job in jobs}
        for number, finished in enumerate(as_completed(running), start=1):
            _, kind, seed = running[finished]
            rows += finished.result()
            path = record(rows, options.out)
            passed = time.perf_counter() - began
            print(f"[{number}/{len(jobs)}] {kind}, seed {seed}: {passed:.0f} s", file=sys.stderr, flush=True)
    return path


def run_job(name: str, kind: str, seed: int, only: Sequence[str] | None = None) -> list[dict[str, Any]]:
    """Run every method on one case.

    Args:
        name: The data set.
        kind: What changes.
        seed: The seed.
        only: The methods; all by default.

    Returns:
        A row for each method.
    """
    import torch

    from benchmarks.compatible.judging import Judge
    from benchmarks.compatible.scenarios import make_case
    from segue.compatible.recipes import METHODS, BestOnOldGallery, Workshop
    from segue.compatible.recipes.training import AUTOMATIC
    from segue.errors import DivergedError

    torch.set_num_threads(1)
    case = make_case(name, kind, seed)
    rule, rows, automatic = BestOnOldGallery(), [], []
    with tempfile.TemporaryDirectory() as folder:
        shop = Workshop(case.update, folder=Path(folder), progress=False)
        free = list(METHODS["independent"].candidates(shop))
        paragon = max(free, key=lambda one: one.new_new)
        judge = Judge(case, paragon.network)
        for method in ["independent", *(only or [method for method in METHODS if method != "independent"])]:
            # Each method has a workshop of its own over the same runs, so that it is charged with what it needs.
            shop = Workshop(case.update, folder=Path(folder), progress=False)
            candidates, diverged = [], 0
            try:
                for candidate in METHODS[method].candidates(shop):
                    candidates.append(candidate)  # ruff: ignore[manual-list-copy] - what came before counts
            except DivergedError:
                diverged = 1
            if not candidates:
                continue
            picked = paragon if method == "independent" else rule.pick(candidates, paragon)
            row = row_of(name, kind, seed, method, picked, paragon)
            rows.append({**row, "trainings": shop.trainings, "diverged": diverged, **judge.row(picked.network)})
            automatic += candidates if method in AUTOMATIC else []
        if set(AUTOMATIC) <= {row["method"] for row in rows}:
            picked = rule.pick(automatic, paragon)
            same = next(row for row in rows if row["method"] == picked.method and row["run"] == picked.run)
            trainings = 2 + sum(row["trainings"] for row in rows if row["method"] in AUTOMATIC)
            rows.append({**same, "method": AUTO, "picked": picked.label, "trainings": trainings})
    return rows


def row_of(name: str, kind: str, seed: int, method: str, picked: Any, paragon: Any) -> dict[str, Any]:
    """Return what is known of a picked point before any test sample was answered."""
    return {
        "scenario": f"{name}/{kind}",
        "seed": seed,
        "method": method,
        "settings": dict(picked.settings),
        "run": picked.run,
        "validation_new_old": picked.new_old,
        "validation_new_new": picked.new_new,
        "validation_paragon": paragon.new_new,
    }


def record(rows: list[dict[str, Any]], out: Path | None) -> Path:
    """Write the record of the rows so far."""
    rows = sorted(rows, key=lambda row: (row["scenario"], row["seed"]))
    return write_record(
        "compatible",
        "methods",
        seeds=sorted({row["seed"] for row in rows}),
        rows=rows,
        claims=claims(rows),
        versions=package_versions(["torch", "numpy", "lightning", "faiss-cpu", "pytorch-metric-learning"]),
        notes=NOTES,
        folder=out,
    )


def claims(rows: Sequence[dict[str, Any]]) -> list[Claim]:
    """Return what the issue asks for, computed from the rows."""
    best = best_method(rows)
    found = []
    for scenario in dict.fromkeys(row["scenario"] for row in rows):
        own = [row for row in rows if row["scenario"] == scenario and row["method"] == best]
        kind = scenario.split("/")[1]
        words = f"of the best recipe ({best}, chosen on validation samples), {kind}, cmc@1"
        held = [float(row["cmc@1 criterion low"] > 0) for row in own]
        found += [
            Claim(
                f"compatible.{kind}.criterion",
                f"Share of the seeds in which the criterion's interval is above 0 {words}",
                mean(held),
                None,
                None,
                "== 1",
            ),
            Claim(
                f"compatible.{kind}.update_gain",
                f"Update gain {words}: what is gained over the seeds by what the paragon gains",
                *gain_of(own),
                ">= 0.6",
            ),
            Claim(
                f"compatible.{kind}.cost",
                f"New/new minus paragon {words}, mean over seeds",
                *with_interval(np.array([row["cmc@1 cost"] for row in own])),
                ">= -0.01",
            ),
        ]
    later = [row for row in rows if row["seed"] not in DEVELOPED_ON and row["method"] == best]
    if later:
        found.append(
            Claim(
                "compatible.later_seeds.update_gain",
                f"Smallest update gain of {best} among the scenarios on those seeds alone whose validation samples "
                "had no part in designing it",
                min(
                    gain_of([row for row in later if row["scenario"] == scenario])[0]
                    for scenario in dict.fromkeys(row["scenario"] for row in later)
                ),
                None,
                None,
                ">= 0.6",
            )
        )
    return found


if __name__ == "__main__":
    main()
