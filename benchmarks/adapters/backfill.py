"""In which order to re-embed a mapped gallery: the area under the backfill curve, against random order.

    python -m benchmarks.adapters.backfill             # both data sets, five seeds
    python -m benchmarks.adapters.backfill --resume    # goes on where an interrupted run stopped
    python -m benchmarks.adapters.backfill --quick     # a smoke test on digits

The old gallery is mapped into the new space, new queries search it, and it is re-embedded in ten steps. Texts:
paraphrase-MiniLM-L3 to all-MiniLM-L6 on 20 Newsgroups; pictures: a small network to a wider one on Fashion-MNIST. All
orders see the same mapped gallery, but for ``FastFill whole``, which maps and orders by the same network.
"""

from __future__ import annotations

import os

# One thread for each process: two run side by side.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import multiprocessing
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.vq import kmeans2

from benchmarks.adapters.claimed import over_seeds
from benchmarks.adapters.texts import DIGITS, L3, Case, Floats, draw
from benchmarks.adapters.tried import COURSE, DEFAULTS, defaults
from benchmarks.record import Claim, package_versions, read_rows, write_record
from segue.adapters import FastFill
from segue.adapters.backfill_order import (
    by_distance_to_class_mean,
    by_expected_error,
    by_isolation,
    by_query_traffic,
    by_uncertainty,
    largest_first,
)
from segue.adapters.expected_error import expected_errors
from segue.retrieval import Relevance, search
from segue.retrieval.backfill import backfill_curve, random_order
from segue.retrieval.estimates import mean_difference

Order = NDArray[np.int64]

SEEDS = (0, 1, 2, 3, 4)
DATA = ("newsgroups", "garments")
MEASURES = ("cmc@1", "map")
STEPS = 10
ASKED = 2_500
"""Queries, drawn anew for each seed; the area under a curve takes many rankings."""
PAIRS = 2_000
RANDOM, TRUTH = "random", "true error, which nobody knows"
FASTFILL = "FastFill's uncertainty"
WHOLE = "FastFill whole"
DRAWS = 2
CLUSTERS, TRAFFIC_DEPTH = 50, 10

NOTES = (
    "area: mean quality over the backfill (trapezoids); gained: area minus that of random order on the same mapped "
    "gallery, paired over queries, the random areas being means of two random orders. Triples are value, low, high.",
    "Map: the mean of KernelRidge and LocalMixture, fitted on 2,000 pairs; gallery 4,000; 2,500 test queries, drawn "
    "anew for each seed; ten steps.",
    "class mean: distance to the mean of the item's class in the mapped gallery, which needs labels of the gallery; "
    "cluster mean: the same with 50 clusters of k-means. traffic: times found among the ten nearest of the pairs' new "
    "vectors, times the expected error.",
    "FastFill with width 512, 30 epochs, rate 1e-3, batches of 128, without labels, head and side information; the "
    "authors train on far more pairs, with all three. FastFill whole is compared with random order on its own map.",
    "Nothing was chosen on the queries.",
)


def main(given: Sequence[str] | None = None) -> Path:
    """Run what is not yet recorded, and write the record.

    Args:
        given: The command line; the process's own by default.

    Returns:
        The record.
    """
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="one seed of digits")
    parser.add_argument("--resume", action="store_true", help="keep the rows of an earlier run")
    parser.add_argument("--out", type=Path, help="folder of the record")
    parser.add_argument("--seeds", type=int, nargs="+", default=list(SEEDS))
    parser.add_argument("--data", nargs="+", default=list(DATA), choices=DATA)
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args(given)
    if options.quick:
        options.seeds, options.data = [0], [DIGITS]
        options.out = options.out or Path(tempfile.mkdtemp(prefix="segue-benchmark-"))
    rows = read_rows("adapters", "backfill", options.out) if options.resume else []
    done = {(row["data"], row["seed"]) for row in rows}
    jobs = [(data, seed) for seed in options.seeds for data in options.data if (data, seed) not in done]
    began = time.perf_counter()
    path = record(rows, options.out)
    with ProcessPoolExecutor(
        max(1, min(options.processes, len(jobs))), mp_context=multiprocessing.get_context("spawn")
    ) as pool:
        running = {pool.submit(run_job, *job): job for job in jobs}
        for number, finished in enumerate(as_completed(running), start=1):
            rows += finished.result()
            path = record(rows, options.out)
            told = "{}, seed {}".format(*running[finished])
            print(f"[{number}/{len(jobs)}] {told}: {time.perf_counter() - began:.0f} s", file=sys.stderr, flush=True)
    return path


def case_of(data: str, seed: int) -> Case:
    """Return the draw of a data set."""
    if data == "garments":
        from benchmarks.adapters.pictures import draw_pictures

        return draw_pictures(seed)
    return draw(DIGITS, seed, 400, 600) if data == DIGITS else draw(L3, seed, PAIRS)


def run_job(data: str, seed: int) -> list[dict[str, Any]]:
    """Measure every order on one draw.

    Args:
        data: The data set.
        seed: The seed.

    Returns:
        A row for each order.
    """
    import torch

    torch.set_num_threads(1)
    case = fewer(case_of(data, seed), seed)
    mapped, orders = orders_of(case, seed)
    fastfill = FastFill(**COURSE, seed=seed).fit(*case.paired)
    uncertain = by_uncertainty(fastfill, case.stored[0])
    own = fastfill.transform(case.stored[0])
    areas: dict[str, dict[str, Any]] = {name: {} for name in (RANDOM, *orders, FASTFILL, f"{WHOLE}, random", WHOLE)}
    for measure in MEASURES:
        chance = random_areas(case, mapped, seed, measure)
        areas[RANDOM][measure] = judged(chance, None)
        for name, order in {**orders, FASTFILL: uncertain}.items():
            areas[name][measure] = judged(area(case, mapped, order, measure), chance)
        chance = random_areas(case, own, seed, measure)
        areas[f"{WHOLE}, random"][measure] = judged(chance, None)
        areas[WHOLE][measure] = judged(area(case, own, uncertain, measure), chance)
        ends = [
            float(np.nanmean(case.values(measure, case.queries[1], gallery)))
            for gallery in (mapped, own, case.stored[1])
        ]
        for name, cells in areas.items():
            cells[measure] |= {"start": round(ends[name.startswith(WHOLE)], 5), "end": round(ends[2], 5)}
    return [{"data": data, "seed": seed, "order": name, **cells} for name, cells in areas.items()]


def orders_of(case: Case, seed: int) -> tuple[Floats, dict[str, Order]]:
    """Return the mapped gallery and the orders on it."""
    (old, new), stored = case.paired, case.stored
    adapter = defaults(len(old))["gallery", DEFAULTS["gallery"]]
    fitted = adapter.unfitted().fit(old, new)
    mapped = fitted.transform(stored[0])
    errors = expected_errors(adapter, old, new, stored[0], seed=seed)
    clusters = kmeans2(mapped.astype(np.float64), min(CLUSTERS, len(mapped) // 10), minit="++", seed=seed)[1]
    found = search(new, mapped, TRAFFIC_DEPTH)
    true = stored[1] / np.linalg.norm(stored[1], axis=1, keepdims=True)
    return mapped, {
        "class mean": by_distance_to_class_mean(mapped, case.data.labels[0][case.gallery]),
        "cluster mean": by_distance_to_class_mean(mapped, clusters),
        "isolation": by_isolation(mapped),
        "expected error": by_expected_error(adapter, old, new, stored[0], seed=seed),
        "traffic": by_query_traffic(found, errors),
        TRUTH: largest_first(np.square(mapped - true).sum(axis=1)),
    }


def fewer(case: Case, seed: int) -> Case:
    """Return the case with some of its queries."""
    count = len(case.data.labels[1])
    rows = np.sort(np.random.default_rng(seed).permutation(count)[:ASKED])
    data = replace(
        case.data,
        **{name: (getattr(case.data, name)[0], getattr(case.data, name)[1][rows]) for name in ("old", "new", "labels")},
    )
    relevance = Relevance.from_labels(data.labels[1], data.labels[0][case.gallery])
    return Case(data, case.gallery, case.pairs, relevance)


def area(case: Case, mapped: Floats, order: Order, measure: str) -> NDArray[np.float64]:
    """Return the area under each query's curve."""
    curve = backfill_curve(case.queries[1], mapped, case.stored[1], order, case.relevance, steps=STEPS, measure=measure)
    return curve.query_areas


def random_areas(case: Case, mapped: Floats, seed: int, measure: str) -> NDArray[np.float64]:
    """Return the mean area under each query's curve over some random orders."""
    drawn = (random_order(len(mapped), DRAWS * seed + number) for number in range(DRAWS))
    return np.mean([area(case, mapped, order, measure) for order in drawn], axis=0)


def judged(areas: NDArray[np.float64], chance: NDArray[np.float64] | None) -> dict[str, Any]:
    """Return the mean area, and what it is above random order."""
    told: dict[str, Any] = {"area": round(float(np.nanmean(areas)), 5)}
    if chance is not None:
        gained = mean_difference(chance.clip(0, 1), areas.clip(0, 1))
        told["gained"] = [round(float(number), 5) for number in (gained.value, gained.low, gained.high)]
    return told


def claims(rows: Sequence[dict[str, Any]]) -> list[Claim]:
    """Return what FastFill's order and ours gain over random order, at the lower ends of their intervals."""
    found = []
    for data in dict.fromkeys(row["data"] for row in rows):
        own = [row for row in rows if row["data"] == data]
        seeds = len({row["seed"] for row in own})
        for key, name in CLAIMED.items():
            for measure in MEASURES:
                mean, low, _ = over_seeds(gained(own, name, measure))
                told = f"Area under the backfill curve ({measure}) of the order by {name} minus that of random order"
                end = mean if low is None else low
                found.append(
                    Claim(
                        f"backfill.{data}.{key}.{measure}",
                        f"{told}; {data}, {100 * mean:+.2f} points in the mean of {seeds} seeds, here the lower end of "
                        "its 95% interval",
                        end,
                        None,
                        None,
                        "> 0",
                    )
                )
    return found


CLAIMED = {
    "fastfill": FASTFILL,
    "fastfill_whole": WHOLE,
    "class_mean": "class mean",
    "isolation": "isolation",
    "expected_error": "expected error",
}
"""The orders of two papers, and two of ours that need no labels."""


def gained(rows: Sequence[dict[str, Any]], order: str, measure: str) -> list[float]:
    """Return what an order gains over random order, by seed."""
    own = sorted((row for row in rows if row["order"] == order), key=lambda row: row["seed"])
    return [row[measure]["gained"][0] for row in own]


def record(rows: list[dict[str, Any]], out: Path | None) -> Path:
    """Write the record; where seeds are missing, it says so."""
    ran = {data: len({row["seed"] for row in rows if row["data"] == data}) for data in DATA}
    missing = [f"{count} of {len(SEEDS)} seeds of {data}" for data, count in ran.items() if count < len(SEEDS)]
    short = [f"Not run in full: {' and '.join(missing)} so far; --resume goes on."] if missing else []
    return write_record(
        "adapters",
        "backfill",
        seeds=sorted({row["seed"] for row in rows}),
        rows=sorted(rows, key=lambda row: (row["data"] != DATA[0], row["seed"])),
        claims=claims(rows),
        versions=package_versions(["segue", "numpy", "scipy", "faiss-cpu", "torch"]),
        notes=[*short, *NOTES],
        folder=out,
    )


if __name__ == "__main__":
    print(main())
