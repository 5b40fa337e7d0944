"""What the contestants have in common: how they are called and what they print."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

SLICES = ("platform", "country", "age")


def run(compare: Callable[[Path, argparse.Namespace], dict[str, Any]]) -> None:
    """Read the command line, compare, and print what was found with the seconds it took.

    Args:
        compare: Compares the files in a folder; returns at least the four cells.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--memory", default="1GB")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--flips", type=int, default=0)
    asked = parser.parse_args()
    start, busy = time.perf_counter(), time.process_time()
    found = compare(asked.folder, asked)
    took = {"seconds": time.perf_counter() - start, "processor_seconds": time.process_time() - busy}
    print(json.dumps(found | took))
