"""What the contestants have in common: vectors are read, the search alone is timed, and its result is kept."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Found = tuple[NDArray[np.int64], NDArray[np.float32]]


def contest(prepare: Callable[..., Any], search: Callable[..., Found]) -> None:
    """Run a contestant and print its times as JSON.

    Args:
        prepare: From queries, gallery and metric to what the search takes; not timed.
        search: From that, ``k`` and the metric to rows and scores.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--metric", required=True)
    parser.add_argument("-k", type=int, default=10)
    parser.add_argument("--mapped", action="store_true")
    parser.add_argument("--out", type=Path, required=True)
    asked = parser.parse_args()
    gallery = np.load(asked.folder / "gallery.npy", mmap_mode="r" if asked.mapped else None)
    ready = prepare(np.load(asked.folder / "queries.npy"), gallery, asked.metric)
    start, processor = time.perf_counter(), time.process_time()
    rows, scores = search(*ready, asked.k, asked.metric)
    times = {"seconds": time.perf_counter() - start, "processor_seconds": time.process_time() - processor}
    np.savez(asked.out, rows=rows, scores=scores)
    print(json.dumps(times))
