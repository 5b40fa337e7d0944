"""Fashion-MNIST as an upgrade: a small network on few pictures, replaced by a wider one on four times as many.

The embedding is what goes into the last layer: 32 numbers before, 64 after. Gallery and pairs are other pictures of the
train part than those that the networks saw; the queries are of the test part, on which nothing is chosen.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks.adapters.texts import Case, Embedded, Floats
from benchmarks.congruent.newsgroups import default_cache
from benchmarks.congruent.pictures import SmallConvolutional, garments
from benchmarks.congruent.scenarios import momentum, one_cycle
from segue.demo.files import alone_in, sweep, write_whole
from segue.retrieval import Relevance
from segue.training import fit, outputs_of
from segue.training.seeds import drawn_from

SIZES = {"old": 2_000, "new": 8_000, "gallery": 4_000, "pairs": 2_000, "queries": 2_500}
WIDTHS = {"old": 8, "new": 16}
EPOCHS, RATE, BATCH = 6, 0.1, 32


def draw_pictures(seed: int, cache: Path | None = None) -> Case:
    """Train both networks, once for a seed, and draw gallery, pairs and queries.

    Args:
        seed: Seed of draws and networks.
        cache: Where embeddings are kept; the user's cache folder if none is given.

    Returns:
        The case.

    Raises:
        SegueError: If the pictures can't be had.
    """
    part = garments()
    order = torch.randperm(len(part.pool[1]), generator=torch.Generator().manual_seed(seed))
    later = torch.randperm(len(part.test[1]), generator=torch.Generator().manual_seed(seed))[: SIZES["queries"]]
    seen, others = order[: SIZES["new"]], order[SIZES["new"] : SIZES["new"] + SIZES["gallery"] + SIZES["pairs"]]
    pictures = torch.cat([part.pool[0][others], part.test[0][later]])
    found: dict[str, tuple[Floats, Floats]] = {}
    for name, width in WIDTHS.items():
        settings = "-".join(map(str, (name, width, SIZES[name], EPOCHS, RATE, BATCH, len(others), len(later), seed)))
        folder = (cache or default_cache().parent / "garments") / settings
        whole = folder / "all.npy"
        if not whole.is_file():
            with alone_in(folder):
                sweep(folder)
                network = trained(part.pool, seen[: SIZES[name]], width, seed)
                write_whole(whole, partial(_save, embeddings(network, pictures)))
        rows: Floats = np.load(whole)
        found[name] = rows[: len(others)], rows[len(others) :]
    labels = part.pool[1][others].numpy(), part.test[1][later].numpy()
    rows_of = np.arange(len(others))
    gallery, pairs = rows_of[: SIZES["gallery"]], rows_of[SIZES["gallery"] :]
    relevance = Relevance.from_labels(labels[1], labels[0][gallery])
    return Case(Embedded(found["old"], found["new"], labels), gallery, pairs, relevance)


def trained(pool: tuple[Tensor, Tensor], rows: Tensor, width: int, seed: int) -> SmallConvolutional:
    """Train a network on some pictures of the pool."""
    with drawn_from(seed, f"width {width}"):
        network = SmallConvolutional(10, width)
    optimizer = momentum(network.parameters(), RATE)
    fit(
        network,
        (pool[0][rows], pool[1][rows]),
        nn.CrossEntropyLoss(),
        optimizer=optimizer,
        schedule=one_cycle(optimizer, EPOCHS * -(-len(rows) // BATCH)),
        epochs=EPOCHS,
        batch_size=BATCH,
        seed=seed,
        progress=False,
    )
    return network


def embeddings(network: SmallConvolutional, pictures: Tensor) -> Floats:
    """Return what goes into the last layer, ``(n, 4 * width)``."""
    unlabelled = torch.zeros(len(pictures), dtype=torch.int64)
    rows: Floats = outputs_of(network.features, (pictures, unlabelled)).numpy()
    return rows


def _save(rows: Floats, path: Path) -> None:
    np.save(path, rows)
