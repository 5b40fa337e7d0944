"""Write queries and gallery of one setting: ``python -m benchmarks.retrieval.search_contest.vectors FOLDER ...``."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from numpy.lib.format import open_memmap

BLOCK = 1 << 16
COPIES = 30
DIMENSIONS = 128


def main() -> None:
    """Write ``queries.npy`` and ``gallery.npy``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--queries", type=int, required=True)
    parser.add_argument("--gallery", type=int, required=True)
    parser.add_argument("--kind", choices=("random", "copies"), required=True)
    parser.add_argument("--seed", type=int, required=True)
    asked = parser.parse_args()
    rng = np.random.default_rng(asked.seed)
    np.save(asked.folder / "queries.npy", rng.standard_normal((asked.queries, DIMENSIONS), dtype=np.float32))
    shape = (asked.gallery, DIMENSIONS)
    gallery = open_memmap(asked.folder / "gallery.npy", mode="w+", dtype=np.float32, shape=shape)
    once = rng.standard_normal((-(-asked.gallery // COPIES), DIMENSIONS), dtype=np.float32)
    for start in range(0, asked.gallery, BLOCK):
        stop = min(start + BLOCK, asked.gallery)
        if asked.kind == "random":
            gallery[start:stop] = rng.standard_normal((stop - start, DIMENSIONS), dtype=np.float32)
        else:
            gallery[start:stop] = once[np.arange(start, stop) % len(once)]
    gallery.flush()


if __name__ == "__main__":
    main()
