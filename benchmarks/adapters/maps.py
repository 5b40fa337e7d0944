"""Every adapter in both directions on 20 Newsgroups, beside three other packages', by number of pairs.

    python -m benchmarks.adapters.maps             # all of it, about twenty minutes on two cores
    python -m benchmarks.adapters.maps --resume    # goes on where an interrupted run stopped
    python -m benchmarks.adapters.maps --quick     # a smoke test on digits, without the other packages
    python -m benchmarks.adapters.maps --table     # write docs/adapters-results.md from the records

Per seed: 4,000 texts of the train part are the stored gallery, others are the pairs that both models have embedded, the
7,528 later texts of the test part are the queries. paraphrase-MiniLM-L3, or GloVe in 50 dimensions, is replaced by
all-MiniLM-L6. Relevant is what is of the query's newsgroup.
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
from pathlib import Path
from typing import Any

from benchmarks.adapters.claimed import FEW, MANY, claims
from benchmarks.adapters.peers.packages import PEERS, ask, python_of
from benchmarks.adapters.table import PAGE, write_page
from benchmarks.adapters.texts import DIGITS, GALLERY, GLOVE, L3, draw
from benchmarks.adapters.tried import SIDES, Search, searches
from benchmarks.record import package_versions, read_rows, write_record
from segue.flips.estimate import Estimate
from segue.retrieval.cross_result import CrossTest, Mapped

SEEDS = (0, 1, 2, 3, 4)
PLAN = {L3: (MANY, FEW, 5_000, 1_000, 200, 100), GLOVE: (MANY, FEW)}
"""Numbers of pairs by old encoder."""
QUICK = {DIGITS: (200,)}
BEST = {L3: MANY, GLOVE: FEW, DIGITS: MANY}
"""fit_best is run up to so many pairs; it fits each candidate five times."""

NOTES = (
    "Nothing was chosen on the queries: hyper-parameters and the default map of each side were fixed on splits of the "
    "train part, whose queries were train texts.",
    "side: gallery, the old gallery mapped into the new space and searched by new queries; queries, new queries mapped "
    "into the old space, the old encoder not run; blend, mapped queries half way (or as said) to the old queries.",
    "gain: (new/old - old/old) / (new/new - old/old), which is the paragon here: the new model as it is. criterion: "
    "new/old - old/old, with its paired interval over queries. Triples are value, low, high.",
    "fit_best is given the pairs with their labels, and the stored gallery with its own, as a user would; recommended: "
    "whether it says that its choice is better than the old model. foretold: what it said on the pairs.",
    "FCT and FastFill with width 512, 30 epochs, rate 1e-3, batches of 128, set on a split of the train part; with "
    "their authors' settings, for far more pairs, a fit takes minutes here. Without side information.",
    "LambdaOrthogonal is one fit with two maps; without labels, as all maps here but ClassAware, which learns from the "
    "labels of the pairs. Its settings were fixed on splits of the train part, after the maps without labels had been "
    "run on the test part and had missed their bars.",
    "seconds: of fitting, on a machine with other work.",
    "Peers were run from their packages on the same arrays. drift-spark and embspec map queries only; their gallery "
    "rows are the same classes with old and new exchanged. drift-spark needs equal dimensions. isotrieve maps the "
    "gallery, and queries by its inverse; its ResidualMLP needs torch and is advised against in its README, and the "
    "simplex of its ContrastiveMapping does not fit into memory at 384 dimensions; both were left out.",
)


def main(given: Sequence[str] | None = None) -> Path:
    """Run what is not yet recorded, and write the record.

    Args:
        given: The command line; the process's own by default.

    Returns:
        The record, or the page.
    """
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="one seed of digits, without trained maps and peers")
    parser.add_argument("--resume", action="store_true", help="keep the rows of an earlier run")
    parser.add_argument("--table", action="store_true", help="only write the page from the records")
    parser.add_argument("--no-peers", action="store_true", help="without other packages")
    parser.add_argument("--out", type=Path, help="folder of the record")
    parser.add_argument("--seeds", type=int, nargs="+", default=list(SEEDS))
    parser.add_argument("--old", nargs="+", default=[L3, GLOVE], choices=[L3, GLOVE], help="old encoders")
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args(given)
    if options.table:
        write_page(read_rows("adapters", "maps", options.out), read_rows("adapters", "backfill", options.out))
        return PAGE
    if options.quick:
        options.seeds, options.out = [0], options.out or Path(tempfile.mkdtemp(prefix="segue-benchmark-"))
    rows = read_rows("adapters", "maps", options.out) if options.resume else []
    pythons = {} if options.quick or options.no_peers else {peer.package: python_of(peer) for peer in PEERS}
    done = {(row["old"], row["pairs"], row["seed"]) for row in rows}
    plan = QUICK if options.quick else {old: PLAN[old] for old in options.old}
    jobs = [(old, pairs, seed) for seed in options.seeds for old, several in plan.items() for pairs in several]
    left = [job for job in jobs if job not in done]
    began = time.perf_counter()
    path = record(rows, options.out, pythons)
    with ProcessPoolExecutor(
        max(1, min(options.processes, len(left))), mp_context=multiprocessing.get_context("spawn")
    ) as pool:
        running = {pool.submit(run_job, *job, pythons, quick=options.quick): job for job in left}
        for number, finished in enumerate(as_completed(running), start=1):
            rows += finished.result()
            path = record(rows, options.out, pythons)
            told = "{}, {} pairs, seed {}".format(*running[finished])
            print(f"[{number}/{len(left)}] {told}: {time.perf_counter() - began:.0f} s", file=sys.stderr, flush=True)
    return path


def run_job(
    old: str, pairs: int, seed: int, pythons: dict[str, str | None], *, quick: bool = False
) -> list[dict[str, Any]]:
    """Run every map on one draw.

    Args:
        old: The old encoder.
        pairs: How many pairs.
        seed: The seed of the draw.
        pythons: Where each peer is installed.
        quick: Whether trained maps are left out.

    Returns:
        A row for each map, and one for what did not run.
    """
    import torch

    torch.set_num_threads(1)
    case = draw(old, seed, pairs, 600 if quick else GALLERY)
    measures = ("cmc@1", "map") if pairs in {MANY, *QUICK[DIGITS]} else ("cmc@1",)
    ends = {measure: case.ends(measure) for measure in measures}

    def row(search: Search) -> dict[str, Any]:
        mapped: Mapped = "gallery" if search.side == "gallery" else "queries"
        judged = {
            measure: cells(
                case.judged(measure, ends[measure], case.values(measure, search.queries, search.gallery), mapped)
            )
            for measure in measures
        }
        named = {"old": old, "pairs": pairs, "seed": seed, "side": search.side, "adapter": search.adapter}
        return {**named, **judged, "seconds": round(search.seconds, 3), **search.told}

    every = pairs in {FEW, MANY} or quick
    rows = [
        row(search) for search in searches(case, every=every, train=(old, pairs) == (L3, MANY), best=pairs <= BEST[old])
    ]
    refused: dict[str, str] = {}
    for peer in PEERS:
        python = pythons.get(peer.package)
        if python is not None:
            found, reasons = ask(peer, python, case)
            rows += [row(search) for search in found]
            refused |= reasons
        elif peer.package in pythons:
            refused[peer.package] = "can't be installed"
    if refused:
        rows.append({"old": old, "pairs": pairs, "seed": seed, "side": "refused", "adapter": "", "reasons": refused})
    return sorted(rows, key=lambda one: [*SIDES, "refused"].index(one["side"]))


def cells(judged: CrossTest) -> dict[str, Any]:
    """Return the numbers of a cross test that are kept."""
    return {
        "old_old": triple(judged.old_old),
        "new_old": triple(judged.new_old),
        "new_new": triple(judged.new_new),
        "gain": triple(judged.update_gain),
        "criterion": triple(judged.criterion),
    }


def triple(estimate: Estimate) -> list[float]:
    """Return value, low and high, to five digits."""
    return [round(float(number), 5) for number in (estimate.value, estimate.low, estimate.high)]


def record(rows: list[dict[str, Any]], out: Path | None, pythons: dict[str, str | None]) -> Path:
    """Write the record."""
    installed = {peer.package: peer.version for peer in PEERS if pythons.get(peer.package)}
    packages = ["segue", "numpy", "scipy", "faiss-cpu", "torch"]
    order = sorted(rows, key=lambda row: (row["old"] != L3, row["old"], -row["pairs"], row["seed"]))
    return write_record(
        "adapters",
        "maps",
        seeds=sorted({row["seed"] for row in rows}),
        rows=order,
        claims=claims(rows),
        versions=package_versions(packages) | installed,
        notes=NOTES,
        folder=out,
    )


if __name__ == "__main__":
    print(main())
