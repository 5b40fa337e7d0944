"""Every method and every baseline on every update scenario: errors, flips and costs, side by side.

    python -m benchmarks.congruent.methods                   # all of it, on two cores
    python -m benchmarks.congruent.methods --resume          # goes on where an interrupted run stopped
    python -m benchmarks.congruent.methods --data digits     # some data sets
    python -m benchmarks.congruent.methods --quick           # a smoke test
    python -m benchmarks.congruent.methods --table           # write docs/congruent-results.md from the record

Within a scenario and a seed all methods see the same old model, training and validation samples. A method's strengths
are swept, one point is picked on the validation samples (the fewest negative flips at an accuracy not below the mean of
four independently trained models), and that point answers the test samples, once. ``auto`` runs as a user would run it:
it knows one independently trained model, and picks by the same rule (margin 0) against that one.
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
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

from benchmarks.congruent.table import write_table
from benchmarks.record import Claim, package_versions, read_rows, write_record
from segue.congruent.recipes import Candidate, Workshop
from segue.congruent.recipes.methods.constrained import CONSTRAINED
from segue.congruent.recipes.methods.ensembles import MEMBERS
from segue.congruent.recipes.methods.interpolated import SHARES
from segue.congruent.recipes.methods.margins import MARGIN_PRESERVING
from segue.congruent.recipes.methods.plain import independent_run

SEEDS = (0, 1, 2, 3, 4)
DATA = ("digits", "newsgroups", "fashion", "transformer")
# Fine-tuning a transformer takes a minute: the methods that were promising on the others, with one strength each.
FEW = {
    "transformer": (
        "independent",
        "fine-tuning",
        "distillation",
        "focal-logit-matching",
        "interpolation",
        "congruent-fine-tuning",
    )
}
"""Methods of the costly data sets; the others get all."""
SAME = {"new-error": "reweighting"}
"""Methods that are another one by a second name."""
DEVELOPED_ON = (0, 1)
"""Seeds on whose validation samples the patient recipes were designed."""
AUTO_BUDGET = 5.0
EVERY = "every-method"
LONGER = "longer-training"
# Trainings of a method that another one needs as well: the ensemble's members, the fine-tuned models.
SHARED = {
    "independent": 1,
    "most-centric": MEMBERS,
    "elodi": MEMBERS,
    "congruent-distillation": MEMBERS,
    "patient-distillation": MEMBERS,
    "averaging": 1,
    "switching": 1,
    "fine-tuning": 1,
    "interpolation": 1,
    "fisher-interpolation": 1,
    "congruent-soup": 3,
}
# How many points of a sweep are tried: two strengths for each constrained training, with all shares of the old model
# where weights are interpolated. Candidates are made when they are asked for: the others are not trained.
LIMITS = dict.fromkeys((method.name for method in (*CONSTRAINED, MARGIN_PRESERVING)), 2) | {
    "congruent-fine-tuning": 2 * len(SHARES),
    "congruent-distillation": 2 * len(SHARES),
}
TABLE = Path(__file__).parents[2] / "docs" / "congruent-results.md"

NOTES = (
    "Scenario: data set and what changes with the update (data: twice the samples; classes: the old model knows 7 of "
    "10, or 15 of 20; architecture: a wider network on the same samples; encoder: embeddings of a newer encoder; seed: "
    "nothing but chance).",
    "All choices, strengths included, were made on validation samples; the test samples were answered once per method. "
    "Learning rates, epochs and sizes are those of plain training. The grids of strengths were set on fashion/data and "
    "fashion/architecture, on validation samples of seed 0.",
    "trainings: plain trainings that the whole sweep of the method takes, those of ensemble members included; "
    "trainings_of_pick: those that the picked point alone takes. passes: models that run at prediction time.",
    "In the scenario 'encoder' the old model reads other inputs: methods that begin from its weights do not apply. In "
    "'architecture' they begin at the old model inside the wider network.",
    "margin-preserving applies where class sets grow.",
    "longer-training, patient-fine-tuning and patient-distillation take six times the epochs of a plain training; how "
    "long, and the weights of their terms, were chosen on validation samples of seeds 0 and 1.",
    "new-error is left out: its loss is that of reweighting.",
    "independent: the mean of four independently trained models (two for the transformer): one may be lucky.",
    "Two strengths of each constrained training are tried (the first two of the recipes' own grids).",
    "every-method: all methods tried, and the pick among their points made on the same validation samples.",
    "The old model itself, alpha = 1 of an interpolation, is no candidate. Constrained trainings clip the gradient's "
    "norm at 5, distillation of an ensemble at 1; the others do not clip. elodi sums its differences over the classes, "
    "with weights 0.02 and 0.1.",
    "In the scenario 'seed' the samples are the same: fine-tuning is then training for twice as long.",
    "auto: the recipe with a budget of five plain trainings, the unconstrained one included.",
    "Both old and new model would have to be distilled from ensembles for ELODI's full benefit; here the old model is "
    "given, as it is for a user.",
)


WITH_PLAIN = {"averaging", "switching", "ensemble", "most-centric", "elodi", "congruent-distillation"}
"""Methods whose trainings hold an independently trained model already."""


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
    parser.add_argument("--data", nargs="+", default=list(DATA), choices=DATA)
    parser.add_argument("--work", type=Path, help="folder that keeps trained models, so that nothing is trained twice")
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args(given)
    if options.table:
        write_table(read_rows("congruent", "methods", options.out), TABLE)
        return TABLE
    if options.quick:
        options.seeds, options.data = [0], ["digits"]
    rows = read_rows("congruent", "methods", options.out) if options.resume else []
    done = {(row["scenario"], row["seed"]) for row in rows}
    jobs = [job for job in jobs_of(options.data, options.seeds) if (f"{job[0]}/{job[1]}", job[2]) not in done]
    if options.quick:
        jobs = [job for job in jobs if job[1] == "data"]
    quick = ("independent", "focal-logit-matching", "interpolation", "auto") if options.quick else None
    began = time.perf_counter()
    path = record(rows, options.out) if not jobs else Path()
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(options.processes, max(len(jobs), 1)), mp_context=context) as pool:
        running = {pool.submit(run_job, *job, quick or FEW.get(job[0]), options.work): job for job in jobs}
        for number, finished in enumerate(as_completed(running), start=1):
            name, kind, seed = running[finished]
            rows += finished.result()
            path = record(rows, options.out)
            passed = time.perf_counter() - began
            print(f"[{number}/{len(jobs)}] {name}/{kind}, seed {seed}: {passed:.0f} s", file=sys.stderr, flush=True)
    return path


def jobs_of(data: Sequence[str], seeds: Sequence[int]) -> list[tuple[str, str, int]]:
    """Return data set, kind and seed of every case, all scenarios of a seed before the next seed."""
    from benchmarks.congruent.scenarios import KINDS

    return [(name, kind, seed) for seed in seeds for name in data for kind in KINDS[name]]


def run_job(
    name: str, kind: str, seed: int, only: Sequence[str] | None = None, work: Path | None = None
) -> list[dict[str, Any]]:
    """Run every method on one case.

    Args:
        name: The data set.
        kind: What changes.
        seed: The seed.
        only: The methods; all by default.
        work: Where trained models are kept; a temporary folder by default.

    Returns:
        A row for each method that applies.
    """
    import torch

    from benchmarks.congruent.scenarios import counts_of, make_case
    from segue.congruent.recipes import FewestFlips, train
    from segue.congruent.recipes.methods import METHODS
    from segue.errors import DivergedError

    torch.set_num_threads(1)
    case = make_case(name, kind, seed)
    labels, old = case.test[1], case.update.answers_in_new_classes(case.old_test)
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as temporary:
        folder = temporary if work is None else work / f"{name}-{kind}-{seed}"
        members = independent_models(
            Workshop(case.update, Path(folder), progress=False), MEMBERS if only is None else 2
        )
        floor = float(np.mean([member.accuracy for member in members]))
        answered = [counts_of(case, member.predictor.logits(case.test, case.old_test)) for member in members]
        told = [row_of(name, kind, seed, "independent", *pair) for pair in zip(members, answered, strict=True)]
        rows.append({**mean_row(told), "trainings": 1.0, "diverged": 0})
        for method in METHODS if only is None else only:
            if method in {"auto", "independent", *SAME}:
                continue
            # Each method has a workshop of its own over the same runs, so that it is charged with what it needs.
            shop = Workshop(case.update, Path(folder), progress=False)
            if not METHODS[method].applies(shop):
                continue
            candidates = []
            try:
                for candidate in islice(METHODS[method].candidates(shop), limit(name, method)):
                    candidates.append(candidate)  # ruff: ignore[manual-list-copy] - what came before a divergence counts
            except DivergedError as error:
                shop.diverged.append(str(error))
            if not candidates:
                continue
            picked = pick(candidates, floor)
            rows.append(
                {
                    **row_of(
                        name,
                        kind,
                        seed,
                        method,
                        picked,
                        counts_of(case, picked.predictor.logits(case.test, case.old_test)),
                    ),
                    "trainings": shop.trainings,
                    "diverged": len(shop.diverged),
                }
            )
        if only is None or "auto" in only:
            rule = FewestFlips(margin=0.0)  # as strict as the other methods' picks
            outcome = train(case.update, rule=rule, trainings=AUTO_BUDGET, folder=folder, progress=False)
            picked = outcome.pick
            rows.append(
                {
                    **row_of(
                        name,
                        kind,
                        seed,
                        "auto",
                        picked,
                        counts_of(case, picked.predictor.logits(case.test, case.old_test)),
                    ),
                    "trainings": outcome.trainings,
                    "diverged": 0,
                    "picked": picked.label,
                }
            )
    accuracy_old = float((old == labels).float().mean())
    for row in rows:
        row["accuracy_old"] = accuracy_old
    return rows


def independent_models(shop: Workshop, members: int) -> list[Candidate]:
    """Train the models that all others are compared with: several, since one of them may be lucky."""
    return [shop.single("independent", {}, independent_run(shop, member)) for member in range(members)]


def mean_row(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return one row with the mean of all rates of several."""
    return {
        key: float(np.mean([row[key] for row in rows])) if isinstance(value, float) else value
        for key, value in rows[0].items()
    }


def pick(candidates: Sequence[Candidate], floor: float) -> Candidate:
    """Pick the fewest flips at an accuracy that is not below the floor; where there is none, the highest accuracy."""
    good = [one for one in candidates if one.accuracy >= floor - 1e-9]
    if not good:
        return max(candidates, key=lambda one: (one.accuracy, -one.negative_flip_rate))
    return min(good, key=lambda one: (one.negative_flip_rate, -one.accuracy, one.trainings))


def limit(name: str, method: str) -> int | None:
    """Return how many points of a method's sweep are tried; ``None`` for all."""
    points = LIMITS.get(method)
    return points // 2 if points and name in FEW else points


def row_of(name: str, kind: str, seed: int, method: str, picked: Any, counts: dict[str, int]) -> dict[str, Any]:
    """Return what is known of a picked point, test counts included."""
    samples = sum(counts.values())
    wrong = counts["negative_flips"] + counts["both_wrong_same"] + counts["both_wrong_differ"]
    right_old = counts["both_right"] + counts["negative_flips"]
    nfr, error_rate = counts["negative_flips"] / samples, wrong / samples
    return {
        "scenario": f"{name}/{kind}",
        "seed": seed,
        "method": method,
        "settings": dict(picked.settings),
        "error_rate": error_rate,
        "nfr": nfr,
        "relative_nfr": nfr / (right_old / samples * error_rate) if right_old and wrong else 0.0,
        "pfr": counts["positive_flips"] / samples,
        "validation_accuracy": picked.accuracy,
        "validation_nfr": picked.negative_flip_rate,
        "trainings_of_pick": picked.trainings,
        "passes": picked.passes,
    }


def record(rows: list[dict[str, Any]], out: Path | None) -> Path:
    """Write the record of the rows so far."""
    rows = [row for row in rows if row["method"] != EVERY]
    rows = sorted([*rows, *every_method(rows)], key=lambda row: (row["scenario"], row["seed"]))
    return write_record(
        "congruent",
        "methods",
        seeds=sorted({row["seed"] for row in rows}),
        rows=rows,
        claims=claims(rows),
        versions=package_versions(["torch", "numpy", "scikit-learn", "lightning"]),
        notes=NOTES,
        folder=out,
    )


def every_method(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return a row for each case with what a user would pick who tries every method.

    The pick is made on validation samples by the rule that picked each method's point, among the single models; it is
    one of the rows, so that no test sample is answered again.

    Args:
        rows: The rows of all methods.

    Returns:
        The picked rows, with what all trainings together cost.
    """
    found = []
    for case in dict.fromkeys((row["scenario"], row["seed"]) for row in rows):
        own = {row["method"]: row for row in rows if (row["scenario"], row["seed"]) == case}
        floor = own["independent"]["validation_accuracy"] - 1e-9
        good = [
            row
            for row in own.values()
            if row["passes"] == 1 and row["method"] != "auto" and row["validation_accuracy"] >= floor
        ]
        picked = min(good, key=lambda row: (row["validation_nfr"], -row["validation_accuracy"]))
        cost = sum(max(row["trainings"] - SHARED.get(name, 0), 0) for name, row in own.items() if name != "auto")
        found.append({**picked, "method": EVERY, "trainings": cost, "picked": picked["method"]})
    return found


def ratios(
    rows: Sequence[dict[str, Any]], method: str, part: str = ""
) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Return negative flips over those of independent training, and the accuracy gained, per seed.

    Both are means over the scenarios: first the ratio within a scenario and a seed, then the mean.

    Args:
        rows: The rows.
        method: The method.
        part: ``""`` for test samples, ``"validation_"`` for validation samples.

    Returns:
        ``(seeds,)`` each.
    """
    of_method = {(row["scenario"], row["seed"]): row for row in rows if row["method"] == method}
    plain = {(row["scenario"], row["seed"]): row for row in rows if row["method"] == "independent"}
    by_seed: dict[int, list[tuple[float, float]]] = {}
    for key, row in of_method.items():
        flips = row[f"{part}nfr"] / plain[key][f"{part}nfr"] if plain[key][f"{part}nfr"] else 1.0
        by_seed.setdefault(key[1], []).append((flips, accuracy(row, part) - accuracy(plain[key], part)))
    means = np.array([np.mean(found, axis=0) for _, found in sorted(by_seed.items())])
    return means[:, 0], means[:, 1]


def accuracy(row: dict[str, Any], part: str) -> float:
    """Return a row's accuracy on the test or the validation samples."""
    return float(row["validation_accuracy"] if part else 1 - row["error_rate"])


def everywhere(rows: Sequence[dict[str, Any]]) -> list[str]:
    """Return the single-model methods that were run in every scenario and seed."""
    cases = {(row["scenario"], row["seed"]) for row in rows}
    names = dict.fromkeys(row["method"] for row in rows if row["passes"] == 1)
    return [
        name
        for name in names
        if {(row["scenario"], row["seed"]) for row in rows if row["method"] == name} == cases
        and all(row["passes"] == 1 for row in rows if row["method"] == name)
    ]


def claims(rows: Sequence[dict[str, Any]]) -> list[Claim]:
    """Return what the issue asks for, computed from the rows."""
    # Where only some methods were run, none of them can be called the best.
    rows = [row for row in rows if row["scenario"].split("/")[0] not in FEW] or rows
    # The best recipe is chosen on validation samples: test samples choose nothing. What is picked anew in each case
    # from all methods has a claim of its own: its validation numbers are the best of many, and flattered by that.
    holding = [
        name
        for name in everywhere(rows)
        if name not in {"independent", EVERY} and ratios(rows, name, "validation_")[1].mean() >= 0
    ]
    best = min(holding or ["independent"], key=lambda name: ratios(rows, name, "validation_")[0].mean())
    found = []
    for name, method, words in (
        ("congruent", best, f"the best single-model recipe ({best}, chosen on validation samples)"),
        ("congruent.each_case", EVERY, "a recipe chosen anew in each case from all methods, on validation samples,"),
    ):
        if method not in {row["method"] for row in rows}:
            continue
        flips, gained = ratios(rows, method)
        found += [
            Claim(
                f"{name}.nfr_ratio",
                f"Negative flips of {words} over those of independent training, mean over the scenarios",
                *with_interval(flips),
                "<= 0.5",
            ),
            Claim(
                f"{name}.accuracy_gained",
                f"Accuracy of {words} minus that of independent training, mean over the scenarios",
                *with_interval(gained),
                ">= 0",
            ),
        ]
    later = [row for row in rows if row["seed"] not in DEVELOPED_ON]
    if later:
        found.append(
            Claim(
                "congruent.later_seeds.nfr_ratio",
                f"The same of {best} on those seeds alone whose validation samples had no part in designing it",
                *with_interval(ratios(later, best)[0]),
                "<= 0.5",
            )
        )
    if LONGER in {row["method"] for row in rows}:
        gained = ratios(rows, best)[1] - ratios(rows, LONGER)[1]
        found.append(
            Claim(
                "congruent.accuracy_over_longer_training",
                f"Accuracy of the best recipe ({best}) minus that of independent training for as many epochs as the "
                f"patient recipes take, mean over the scenarios",
                *with_interval(gained),
                ">= 0",
            )
        )
    growth = [row for row in rows if row["scenario"] == "fashion/data"] or list(rows)
    return [*found, *auto_claim(growth)]


def auto_claim(rows: Sequence[dict[str, Any]]) -> list[Claim]:
    """Return how ``auto`` compares with the best method that its budget would have paid for."""
    names = [name for name in everywhere(rows) if name not in {"auto", "independent", EVERY}]
    if "auto" not in {row["method"] for row in rows}:
        return []
    within = [
        name
        for name in names
        # the unconstrained training is part of the budget, whether the method needs it or not
        if max(row["trainings"] for row in rows if row["method"] == name) + (name not in WITH_PLAIN) <= AUTO_BUDGET
        and ratios(rows, name, "validation_")[1].mean() >= 0
    ]
    if not within:
        return []
    best = min(within, key=lambda name: np.mean([row["nfr"] for row in rows if row["method"] == name]))
    of = {name: np.array([row["nfr"] for row in rows if row["method"] == name]) for name in ("auto", best)}
    value = float(of["auto"].mean() / of[best].mean())
    return [
        Claim(
            "congruent.auto",
            f"Negative flips of auto within five plain trainings over those of the best method of the table that the "
            f"budget pays for ({best}), on test samples, {rows[0]['scenario']}",
            value,
            *interval_of_ratio(of["auto"], of[best]),
            "<= 1.1",
        )
    ]


def with_interval(values: np.ndarray[Any, Any]) -> tuple[float, float | None, float | None]:
    """Return the mean over the seeds with its 95% interval by Student's t."""
    mean = float(values.mean())
    if len(values) < 2:
        return mean, None, None
    half = float(stats.t.ppf(0.975, len(values) - 1) * stats.sem(values))
    return mean, mean - half, mean + half


def interval_of_ratio(above: np.ndarray[Any, Any], below: np.ndarray[Any, Any]) -> tuple[float | None, float | None]:
    """Return the 95% interval of a ratio of means over paired seeds, by the delta method."""
    if len(above) < 2:
        return None, None
    ratio = above.mean() / below.mean()
    half = stats.t.ppf(0.975, len(above) - 1) * stats.sem(above - ratio * below) / below.mean()
    return float(ratio - half), float(ratio + half)


if __name__ == "__main__":
    main()
