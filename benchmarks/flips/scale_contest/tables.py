"""Writes the two files: ``python -m benchmarks.flips.scale_contest.tables FOLDER --rows 10000000 --ids dense``.

Each file has its own order of the ids, so that nothing can be had by reading them side by side. The old file has the
three slice columns: four platforms, fifty countries, ages from 18 to 87.
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path

ACCURACIES = {"old": 86, "new": 89}
MIXED = 80
"""Percentage of samples that both models decide by the same draw, so that their errors go together."""


def main() -> None:
    """Write ``old.parquet`` and ``new.parquet``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rows", type=int, required=True)
    parser.add_argument("--ids", choices=("dense", "hashed", "text"), default="dense")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--memory", default="2GB")
    asked = parser.parse_args()
    import duckdb

    with duckdb.connect() as connection:
        connection.execute("SET preserve_insertion_order = false")
        connection.execute("SET memory_limit = ?", [asked.memory])
        connection.execute("SET temp_directory = ?", [str(asked.folder)])
        for name in ACCURACIES:
            connection.execute(_written(asked.folder / f"{name}.parquet", name, asked.rows, asked.ids, asked.seed))


def _written(path: Path, name: str, rows: int, ids: str, seed: int) -> str:
    def draw(what: str, sides: int) -> str:
        return f"CAST(hash(sample, '{what}', {seed}) % {sides} AS INTEGER)"

    # Multiplying by a number without a common divisor visits every sample once, in an order of each file's own.
    step = int(rows * (0.618034 if name == "old" else 0.754877)) or 1
    while math.gcd(step, rows) != 1:
        step += 1
    sample = f"CAST((CAST(i AS HUGEINT) * {step} + 17) % {rows} AS BIGINT)"
    key = {
        "dense": "sample",
        "hashed": f"CAST(hash(sample, 'id', {seed}) >> 1 AS BIGINT)",
        "text": "'sample-' || CAST(sample AS VARCHAR)",
    }[ids]
    own = draw(f"right {name}", 100)
    right = f"CASE WHEN {draw('mixed', 100)} < {MIXED} THEN {draw('right', 100)} ELSE {own} END < {ACCURACIES[name]}"
    wrong = f"({draw('label', 100)} + 1 + {draw(f'wrong {name}', 99)}) % 100"
    slices = ""
    if name == "old":
        slices = (
            f", ['web', 'ios', 'android', 'tv'][1 + {draw('platform', 4)}] AS platform, "
            f"'country-' || {draw('country', 50)} AS country, 18 + {draw('age', 70)} AS age"
        )
    return (
        f"COPY (SELECT {key} AS id, {draw('label', 100)} AS label, "
        f"CAST(CASE WHEN {right} THEN {draw('label', 100)} ELSE {wrong} END AS INTEGER) AS prediction{slices} "
        f"FROM (SELECT {sample} AS sample FROM range({rows}) AS r(i))) TO '{path}' (FORMAT parquet)"
    )


if __name__ == "__main__":
    main()
