"""Segue compares the two files: every check, three slices, all rates with intervals and tests, the flip matrix."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from benchmarks.flips.scale_contest.contestant import SLICES, run
from segue.flips.table import Resources, compare_tables


def compare(folder: Path, asked: argparse.Namespace) -> dict[str, Any]:
    """Compare them."""
    report = compare_tables(
        folder / "old.parquet",
        folder / "new.parquet",
        id="id",
        slices=SLICES,
        flips=asked.flips,
        resources=Resources(memory=asked.memory, threads=asked.threads, temp_directory=folder),
    )
    return {
        "negative_flips": report.negative_flips,
        "positive_flips": report.positive_flips,
        "slices": len(report.slices),
    }


if __name__ == "__main__":
    run(compare)
