"""The pandas script that a good engineer writes: needed columns only, a checked merge, counts per slice."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.flips.scale_contest.contestant import SLICES, run


def compare(folder: Path, asked: argparse.Namespace) -> dict[str, Any]:
    """Check the files, count the cells and the flips per slice."""
    old = pd.read_parquet(folder / "old.parquet", columns=["id", "label", "prediction", *SLICES])
    new = pd.read_parquet(folder / "new.parquet", columns=["id", "label", "prediction"])
    for name, frame in (("old", old), ("new", new)):
        if frame[["id", "label", "prediction"]].isna().any(axis=None):
            raise ValueError(f"{name}: missing values")
    both = old.merge(new, on="id", how="outer", validate="one_to_one", indicator=True, suffixes=("_old", "_new"))
    if not (both["_merge"] == "both").all():
        raise ValueError("the ids differ")
    if (both["label_old"] != both["label_new"]).any():
        raise ValueError("the labels differ")
    old_right = both["prediction_old"] == both["label_old"]
    new_right = both["prediction_new"] == both["label_old"]
    both["negative"], both["positive"] = old_right & ~new_right, ~old_right & new_right
    both["age"] = pd.qcut(both["age"], 5, duplicates="drop")
    slices = {
        name: both.groupby(name, observed=True)[["negative", "positive"]].agg(["sum", "count"]) for name in SLICES
    }
    return {
        "negative_flips": int(both["negative"].sum()),
        "positive_flips": int(both["positive"].sum()),
        "slices": sum(len(table) for table in slices.values()),
    }


if __name__ == "__main__":
    run(compare)
