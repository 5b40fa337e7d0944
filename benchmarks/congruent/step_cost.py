"""What does a step of positive-congruent training cost, over a plain step of the same network on the same batch?

Plain training, training with cached references and training that asks the old model anew take their steps in turn, in
an order drawn for each round, on the same samples: the ratio of two steps of one round is little moved by what else the
machine does. Its median is taken over the rounds of a seed, by the clock on the wall, which the bar is about, and by
the thread's processor time, which others on the machine move less. Steps are those of ``segue.training.fit``: fetching
the batch, looking the references up (mapped from the file they are kept in), loss, gradient, optimiser. A small
residual network on pictures of Fashion-MNIST's size, and a network of one hidden layer on vectors of 384 numbers, as
sentence encoders give; the contents are random, since a step takes as long on any.

    python -m benchmarks.congruent.step_cost            # some minutes on one core
    python -m benchmarks.congruent.step_cost --quick    # a smoke run, written nowhere unless --out says so
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning.fabric import Fabric
from torch import Tensor, nn

from benchmarks.record import Claim, package_versions, read_rows, write_record
from segue.congruent.losses import CongruentLoss, FocalDistillation, LogitDifferenceInhibition
from segue.congruent.objective import Mixed
from segue.demo.network import SmallResidualNetwork
from segue.training import TensorData, cached_outputs
from segue.training.lookup import Lookup
from segue.training.plan import Plan
from segue.training.step import Stepper

BATCH = 128
SAMPLES = 60_000  # of the cache whose size is claimed
WARMING = 10  # rounds that are not counted
QUANTILES = (0.25, 0.5, 0.75)

LOSSES: dict[str, Callable[[], CongruentLoss]] = {
    "focal distillation": FocalDistillation,
    "logit difference inhibition": LogitDifferenceInhibition,
}


def pictures(samples: int, draws: torch.Generator) -> Tensor:
    """Return random pictures ``(n, 1, 28, 28)``."""
    return torch.randn(samples, 1, 28, 28, generator=draws)


def vectors(samples: int, draws: torch.Generator) -> Tensor:
    """Return random vectors ``(n, 384)``."""
    return torch.randn(samples, 384, generator=draws)


def perceptron(classes: int) -> nn.Module:
    """Return a network of one hidden layer on 384 numbers."""
    return nn.Sequential(nn.Linear(384, 256), nn.ReLU(), nn.Linear(256, classes))


@dataclass(frozen=True)
class Scenario:
    """What is trained on what.

    Attributes:
        classes: Number of classes.
        inputs: What makes the inputs.
        new: What makes the new network.
        old: What makes the old network.
        rounds: Rounds of three steps, for the same number of ``--rounds``: fewer where a step takes long.
    """

    classes: int
    inputs: Callable[[int, torch.Generator], Tensor]
    new: Callable[[], nn.Module]
    old: Callable[[], nn.Module]
    rounds: float


NETWORKS = {
    "residual network": Scenario(
        10, pictures, lambda: SmallResidualNetwork(10, 16), lambda: SmallResidualNetwork(10, 12), 0.05
    ),
    "perceptron": Scenario(20, vectors, lambda: perceptron(20), lambda: perceptron(20), 1.0),
}


def stepper(model: nn.Module, loss: Callable[..., Tensor], references: Lookup) -> Stepper:
    """Return what takes the steps of one way of training."""
    fabric = Fabric(accelerator="cpu", devices=1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, nesterov=True, weight_decay=5e-4)
    trained, stepped = fabric.setup(model, optimizer)
    trained.train()
    return Stepper(fabric, trained, stepped, None, loss, references, seed=0, clip_norm=None)


def contestants(network: str, loss: str, data: TensorData, folder: Path) -> tuple[dict[str, Stepper], float]:
    """Return the ways of training, and the seconds that caching took."""
    scenario = NETWORKS[network]
    torch.manual_seed(0)
    frozen, first = scenario.old(), scenario.new().state_dict()
    began = time.perf_counter()
    kept = cached_outputs(frozen, data, folder=folder)
    caching = time.perf_counter() - began
    objective = Mixed(LOSSES[loss](), weight=0.9)
    device = torch.device("cpu")
    ways: dict[str, tuple[Callable[..., Tensor], Any]] = {
        "plain": (nn.CrossEntropyLoss(), None),
        "cached": (objective, kept),
        "recomputed": (objective, frozen),
    }
    found = {}
    for way, (asked, reference) in ways.items():
        model = scenario.new()
        model.load_state_dict(first)
        found[way] = stepper(model, asked, Lookup.of(reference, len(data), device))
    return found, caching


def rounds(ways: dict[str, Stepper], data: TensorData, count: int, seed: int) -> Iterator[dict[str, list[float]]]:
    """Take one step of each way in each round, and yield the wall-clock and the processor seconds of each."""
    plan = Plan(len(data), BATCH, epochs=count, seed=seed)
    chance = np.random.default_rng(seed)
    done = 0
    while done < count:
        for shares in plan.rest_of_epoch(done // plan.per_epoch * plan.per_epoch)[: count - done]:
            told = {}
            for way in chance.permutation(list(ways)):
                wall, processor = time.perf_counter(), time.thread_time()
                batches = data.batches([shares[0].index], seed, 0)
                ways[way].step(done, shares, batches).item()
                told[str(way)] = [time.perf_counter() - wall, time.thread_time() - processor]
            done += 1
            yield told


def measure(network: str, loss: str, seed: int, count: int, samples: int) -> dict[str, Any]:
    """Return the row of one network, loss and seed."""
    scenario, draws = NETWORKS[network], torch.Generator().manual_seed(seed)
    labels = torch.randint(scenario.classes, (samples,), generator=draws)
    data = TensorData(scenario.inputs(samples, draws), labels)
    with tempfile.TemporaryDirectory() as folder:
        ways, caching = contestants(network, loss, data, Path(folder))
        kept = sum(path.stat().st_size for path in Path(folder).glob("*.npy"))
        found = list(rounds(ways, data, count + WARMING, seed))[WARMING:]
    seconds = {way: np.array([told[way] for told in found]) for way in ways}
    return {
        "network": network,
        "loss": loss,
        "seed": seed,
        "rounds": len(found),
        "batch": BATCH,
        "samples": samples,
        "classes": scenario.classes,
        "cache_bytes": kept,
        "caching_s": round(caching, 3),
        **{f"{way}_ms": quantiles(1000 * taken[:, 0]) for way, taken in seconds.items()},
        **{f"{way}_processor_ms": quantiles(1000 * taken[:, 1]) for way, taken in seconds.items()},
        **paired("cached", seconds),
        **paired("recomputed", seconds),
    }


def paired(way: str, seconds: dict[str, np.ndarray[Any, Any]]) -> dict[str, Any]:
    """Return the quantiles, over the rounds, of what one way's step costs over the plain step of its round."""
    ratios, extra = seconds[way] / seconds["plain"], seconds[way] - seconds["plain"]
    return {
        f"{way}_ratio": quantiles(ratios[:, 0]),
        f"{way}_processor_ratio": quantiles(ratios[:, 1]),
        f"{way}_extra_processor_ms": quantiles(1000 * extra[:, 1]),
    }


def quantiles(values: np.ndarray[Any, Any]) -> dict[str, float]:
    """Return what is kept of the rounds: the median, and the quantiles that show the spread about it."""
    return {f"{share:g}": round(float(np.quantile(values, share)), 4) for share in QUANTILES}


def cache_bytes(classes: int) -> int:
    """Return the size of the file that holds the logits of 60,000 samples."""
    data = torch.zeros(SAMPLES, classes), torch.zeros(SAMPLES, dtype=torch.int64)
    with tempfile.TemporaryDirectory() as folder:
        cached_outputs(nn.Identity(), data, folder=folder)
        return sum(path.stat().st_size for path in Path(folder).glob("*.npy"))


def claims_of(rows: list[dict[str, Any]]) -> list[Claim]:
    """Return the claims: the median of the seeds' median ratios for each network and loss, and the cache's size."""
    claims = []
    for network in NETWORKS:
        for loss in LOSSES:
            mine = [row for row in rows if (row["network"], row["loss"]) == (network, loss)]
            if not mine:
                continue
            wall, processor, extra, plain = (
                np.array([row[name]["0.5"] for row in mine])
                for name in (
                    "cached_ratio",
                    "cached_processor_ratio",
                    "cached_extra_processor_ms",
                    "plain_processor_ms",
                )
            )
            pairs = sum(row["rounds"] for row in mine)
            words = (
                f"a step with cached references over a plain step ({loss}, {network}), wall clock, median of "
                f"{len(mine)} seeds' medians, {pairs:,} pairs of steps on the same batch; interval: lowest and highest "
                f"seed; processor time: {np.median(processor):.2f} x, {np.median(extra):.2f} ms more than "
                f"{np.median(plain):.2f} ms"
            )
            name = f"step_cost.{network.replace(' ', '_')}.{loss.replace(' ', '_')}"
            claims.append(Claim(name, words, float(np.median(wall)), float(wall.min()), float(wall.max()), "<= 1.10"))
    each = cache_bytes(10) / (SAMPLES * 10)
    words = f"bytes on disk of cached references for each sample and class, {SAMPLES:,} samples of 10 classes"
    claims.append(Claim("step_cost.cache_bytes", words, each, None, None, "<= 4.01"))
    return claims


def main() -> int:
    """Run the benchmark.

    Returns:
        The exit code.
    """
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=800, help="rounds of three steps, of the perceptron")
    parser.add_argument("--seeds", type=int, nargs="+", default=(0, 1, 2, 3, 4))
    parser.add_argument("--quick", action="store_true", help="a smoke run of seconds")
    parser.add_argument("--resume", action="store_true", help="keep the configurations that the record already holds")
    parser.add_argument("--out", type=Path, help="folder of the record, instead of benchmarks/results/congruent")
    given = parser.parse_args()
    if given.quick:
        given.rounds, given.seeds = 3, (0,)
    torch.set_num_threads(1)
    rows = read_rows("congruent", "step_cost", given.out) if given.resume else []
    done = {(row["network"], row["loss"], row["seed"]) for row in rows}
    for seed in given.seeds:
        for network in NETWORKS:
            for loss in LOSSES:
                if (network, loss, seed) not in done:
                    count = max(2, round(given.rounds * NETWORKS[network].rounds))
                    rows.append(measure(network, loss, seed, count, 512 if given.quick else 4_096))
                    names = ("cached_ratio", "cached_processor_ratio", "recomputed_ratio", "plain_ms")
                    told = {name: rows[-1][name]["0.5"] for name in names}
                    print(f"{network}, {loss}, seed {seed}: {told}", file=sys.stderr, flush=True)
        if not given.quick or given.out:
            write_record(
                "congruent",
                "step_cost",
                seeds=sorted({row["seed"] for row in rows}),
                rows=rows,
                claims=claims_of(rows),
                versions=package_versions(("segue", "torch", "lightning")),
                notes=(
                    "numbers by quantile are those of the rounds; a ratio is that of two steps of one round: wall "
                    "clock, or the thread's processor time, which others on the machine move less",
                    "one thread; the three ways take their steps in turn, in an order drawn for each round",
                    "cached and recomputed are PC training with the loss named, weight 0.9 beside the cross-entropy; "
                    "plain is the cross-entropy alone",
                    "what a loss adds does not grow with the network: some dozen operations on tensors of the logits' "
                    "size, forward and backward, each some microseconds of overhead rather than arithmetic",
                    "the cache holds 4 bytes for each sample and class, 128 of a header and 16 of a checksum",
                ),
                folder=given.out,
            )
    for claim in claims_of(rows):
        print(f"{claim.name:66} {claim.value:.4f}  bar {claim.bar}  {'holds' if claim.holds else 'DOES NOT HOLD'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
