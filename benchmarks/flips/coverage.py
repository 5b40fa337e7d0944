"""Do the intervals cover? Measured coverage of every 95% interval, for n from 50 to 100,000 and NFR from 0 to 5%.

A population of known rates is drawn from again and again; each time the interval is computed as ``compare`` does it,
and it is counted how often it holds the true value. Three ways of sampling: independent samples, weighted samples
(log-normal weights, twice as heavy on negative flips, so that weights and outcome are not independent), and samples
that come in groups of ten whose members flip alike (Dirichlet-multinomial, intra-group correlation 0.1).

    python -m benchmarks.flips.coverage            # about an hour on one core
    python -m benchmarks.flips.coverage --quick    # a smoke run, written nowhere unless --out says so
"""

from __future__ import annotations

import argparse
import functools
import sys
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

from benchmarks.record import Claim, package_versions, read_rows, write_record
from segue.flips import compare_scores, intervals
from segue.flips.assemble import fractional
from segue.flips.counts import NEGATIVE_FLIP, Tally
from segue.flips.estimate import Estimate
from segue.flips.intervals import BOTH_WRONG, CHANGED, NEW_WRONG, OLD_RIGHT, OLD_WRONG

SIZES = (50, 200, 1_000, 10_000, 100_000)
RATES = (0.0, 0.001, 0.005, 0.01, 0.02, 0.05)
GROUP = 10
CORRELATION = 0.1
WEIGHT_SPREAD = 0.7

FLIP = (NEGATIVE_FLIP,)
# Each interval: what it is among and how it is computed, and whether it is exact (never under 95%) by construction.
BINOMIAL: dict[str, tuple[intervals.Cells, intervals.Cells]] = {
    "negative_flip_rate": (FLIP, intervals.EVERY),
    "accuracy_old": (OLD_RIGHT, intervals.EVERY),
    "churn": (CHANGED, intervals.EVERY),
    "negative_flip_impact": (FLIP, NEW_WRONG),
    "backward_trust_compatibility": ((0,), OLD_RIGHT),
    "backward_error_compatibility_given_old_error": (BOTH_WRONG, OLD_WRONG),
    "backward_error_compatibility_given_new_error": (BOTH_WRONG, NEW_WRONG),
}


def population(nfr: float) -> np.ndarray:
    """Return the probabilities of the five cells: old accuracy 85%, 5% mended, 10% wrong in both, 4% of them anew."""
    return np.array([0.85 - nfr, nfr, 0.05, 0.06, 0.04])


def truth(cells: np.ndarray) -> dict[str, float]:
    """Return the true value of every quantity in a population of cells."""
    a, b, c, same, differ = cells
    d = same + differ
    found = {name: cells[list(hits)].sum() / cells[list(among)].sum() for name, (hits, among) in BINOMIAL.items()}
    return found | {"accuracy_change": c - b, "relative_negative_flip_rate": b / ((a + b) * (b + d))}


def independent(n: int, nfr: float, repeats: int, rng: np.random.Generator) -> dict[str, list[Estimate]]:
    """Draw independent samples and compute every interval."""
    found: dict[str, list[Estimate]] = {name: [] for name in truth(population(nfr))}
    for counts in rng.multinomial(n, population(nfr), size=repeats):
        tally = Tally(counts)
        for name, (hits, among) in BINOMIAL.items():
            found[name].append(intervals.rate(tally, hits, among))
        found["accuracy_change"].append(intervals.accuracy_change(tally))
        found["relative_negative_flip_rate"].append(intervals.relative_rate(tally))
    return found


def sampled(n: int, nfr: float, repeats: int, rng: np.random.Generator, *, grouped: bool) -> dict[str, list[Estimate]]:
    """Draw weighted or grouped samples and compute the intervals of the four main rates."""
    names = ("negative_flip_rate", "accuracy_old", "accuracy_change", "relative_negative_flip_rate")
    found: dict[str, list[Estimate]] = {name: [] for name in names}
    cells = population(nfr)
    for repeat in range(repeats):
        if grouped:
            groups = n // GROUP
            alpha = cells * (1 - CORRELATION) / CORRELATION
            shares = np.zeros((groups, 5))
            shares[:, alpha > 0] = rng.dirichlet(alpha[alpha > 0], size=groups)
            by_group = rng.multinomial(GROUP, shares)
            tally = Tally(by_group.sum(axis=0), groups=by_group.astype(float), seed=repeat)
        else:
            drawn = rng.choice(5, n, p=cells).astype(np.int8)
            weights = rng.lognormal(0, WEIGHT_SPREAD, n) * np.where(drawn == NEGATIVE_FLIP, 2.0, 1.0)
            tally = Tally.of(drawn, weights)
        found["negative_flip_rate"].append(intervals.rate(tally, FLIP))
        found["accuracy_old"].append(intervals.rate(tally, OLD_RIGHT))
        found["accuracy_change"].append(intervals.accuracy_change(tally))
        found["relative_negative_flip_rate"].append(intervals.relative_rate(tally))
    return found


def severities(n: int, nfr: float, repeats: int, rng: np.random.Generator) -> dict[str, list[Estimate]]:
    """Draw severities (Beta(2, 3), mean 0.4) and score changes (skewed), and compute the intervals of their means."""
    found: dict[str, list[Estimate]] = {"fractional_flips": [], "score_change": []}
    for _ in range(repeats):
        flips = rng.random(n) < nfr
        severity = np.where(flips, rng.beta(2, 3, n), 0.0)
        rate = intervals.clopper_pearson(int(flips.sum()), n)
        found["fractional_flips"].append(fractional(severity, np.where(flips, 1, 0).astype(np.int8), rate))
        change = np.where(flips, -rng.beta(2, 3, n), np.where(rng.random(n) < 0.05, rng.beta(2, 3, n), 0.0))
        found["score_change"].append(compare_scores(np.full(n, 0.5), 0.5 + change).score_change)
    return found


def alone(n: int, nfr: float, repeats: int, fewer: int, rng: np.random.Generator) -> dict[str, list[Estimate]]:
    """Draw independent samples and compute all intervals of rates, and fewer times those of means."""
    return independent(n, nfr, repeats, rng) | severities(n, nfr, fewer, rng)


def rows_of(
    sampling: str, n: int, nfr: float, seed: int, found: dict[str, list[Estimate]], true: dict[str, float]
) -> list[dict[str, Any]]:
    """Return one row per interval: how often it held the true value, and how wide it was."""
    rows = []
    for name, estimates in found.items():
        value = true[name]
        # An undefined rate (no trial at all) has no interval to judge.
        judged = [e for e in estimates if not np.isnan(e.value)]
        if not judged:
            continue
        hits = sum(e.low - 1e-12 <= value <= e.high + 1e-12 for e in judged)
        rows.append(
            {
                "sampling": sampling,
                "interval": name,
                "samples": n,
                "nfr": nfr,
                "seed": seed,
                "true": value,
                "repeats": len(judged),
                "covered": hits,
                "coverage": hits / len(judged),
                "above": sum(e.low > value + 1e-12 for e in judged) / len(judged),
                "below": sum(e.high < value - 1e-12 for e in judged) / len(judged),
                "median_width": float(np.median([e.high - e.low for e in judged])),
            }
        )
    return rows


def expected(sampling: str, nfr: float) -> dict[str, float]:
    """Return the true values under a way of sampling: heavier flips count twice in the weighted population."""
    cells = population(nfr)
    if sampling == "weighted":
        cells = cells * np.array([1, 2, 1, 1, 1])
        cells = cells / cells.sum()
    return truth(cells) | {"fractional_flips": 0.4 * nfr, "score_change": 0.4 * (1 - nfr) * 0.05 - 0.4 * nfr}


# name, sampling, intervals, words
KINDS = (
    ("exact", "independent", tuple(BINOMIAL), "the exact intervals of rates"),
    ("accuracy_change", "independent", ("accuracy_change",), "the score interval of the accuracy change"),
    ("relative", "independent", ("relative_negative_flip_rate",), "the interval of the relative NFR"),
    ("fractional", "independent", ("fractional_flips",), "the interval of fractional flips"),
    ("score_change", "independent", ("score_change",), "the interval of the mean score change of graded outputs"),
    ("weighted", "weighted", None, "the intervals of weighted samples"),
    ("grouped", "grouped", None, "the intervals of samples in groups of ten"),
)


def claims_of(rows: list[dict[str, Any]]) -> list[Claim]:
    """Return the claims: the least coverage over all sizes and rates, and the mean one, per kind of interval."""
    claims = []
    for kind, sampling, names, words in KINDS:
        pooled: dict[tuple[Any, ...], list[int]] = {}
        for row in rows:
            if row["sampling"] == sampling and (names is None or row["interval"] in names):
                sums = pooled.setdefault((row["interval"], row["samples"], row["nfr"]), [0, 0])
                sums[0] += row["covered"]
                sums[1] += row["repeats"]
        if not pooled:
            continue
        hits, repeats = min(pooled.values(), key=lambda pair: pair[0] / pair[1])
        spread = stats.binomtest(hits, repeats).proportion_ci(0.95)
        words = f"coverage of {words}, over n = 50 to 100,000 and NFR = 0 to 5%"
        bar = ">= 0.94" if kind == "exact" else ">= 0.92"
        claims.append(Claim(f"coverage.{kind}.least", f"least {words}", hits / repeats, spread.low, spread.high, bar))
        shares = [hit / repeats for hit, repeats in pooled.values()]
        mean, error = float(np.mean(shares)), 1.96 * float(np.std(shares)) / len(shares) ** 0.5
        claims.append(Claim(f"coverage.{kind}.mean", f"mean {words}", mean, mean - error, mean + error, ">= 0.94"))
    return claims


def main() -> int:
    """Run the simulation.

    Returns:
        The exit code.
    """
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--repeats", type=int, default=2000, help="draws per size and rate (weighted, grouped: a fifth)"
    )
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--rates", type=float, nargs="+", default=RATES)
    parser.add_argument("--seeds", type=int, nargs="+", default=(0, 1))
    parser.add_argument("--quick", action="store_true", help="a smoke run of seconds")
    parser.add_argument("--resume", action="store_true", help="keep the configurations that the record already holds")
    parser.add_argument("--out", type=Path, help="folder of the record, instead of benchmarks/results/flips")
    given = parser.parse_args()
    if given.quick:
        given.repeats, given.sizes, given.rates, given.seeds = 60, (50, 1000), (0.0, 0.01), (0,)
    rows = read_rows("flips", "coverage", given.out) if given.resume else []
    done = {(row["sampling"], row["samples"], row["nfr"], row["seed"]) for row in rows}

    def save() -> Path | None:
        if given.quick and given.out is None:
            return None
        notes = (
            "least: the smallest coverage of all sizes, rates and intervals of its kind, pooled over seeds; of many "
            "simulated shares the smallest lies below the true coverage by chance alone",
            "hyper-parameters of the intervals were not chosen on these runs",
        )
        versions = package_versions(("segue", "numpy", "scipy"))
        return write_record(
            "flips",
            "coverage",
            seeds=given.seeds,
            rows=rows,
            claims=claims_of(rows),
            versions=versions,
            notes=notes,
            folder=given.out,
        )

    for n in given.sizes:
        for nfr in given.rates:
            for seed in given.seeds:
                fewer = max(1, given.repeats // (5 if n < 100_000 else 10))
                draws = {
                    "independent": functools.partial(alone, n, nfr, given.repeats, fewer),
                    "weighted": functools.partial(sampled, n, nfr, fewer, grouped=False),
                    "grouped": functools.partial(sampled, n, nfr, fewer, grouped=True),
                }
                for number, (sampling, draw) in enumerate(draws.items()):
                    if (sampling, n, nfr, seed) in done:
                        continue
                    rng = np.random.default_rng([seed, n, round(nfr * 1e6), number])
                    rows += rows_of(sampling, n, nfr, seed, draw(rng=rng), expected(sampling, nfr))
            print(f"n = {n:,}, NFR = {nfr:.1%}", file=sys.stderr, flush=True)
            save()
    for claim in claims_of(rows):
        print(f"{claim.name:38} {claim.value:.4f}  bar {claim.bar}  {'holds' if claim.holds else 'DOES NOT HOLD'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
