"""DuckDB joins the two files and counts the four cells, and does nothing else: no check, no slice, no interval."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import duckdb

from benchmarks.flips.scale_contest.contestant import run


def compare(folder: Path, asked: argparse.Namespace) -> dict[str, Any]:
    """Count the cells."""
    with duckdb.connect() as connection:
        connection.execute("SET preserve_insertion_order = false")
        connection.execute("SET memory_limit = ?", [asked.memory])
        connection.execute("SET threads = ?", [asked.threads])
        connection.execute("SET temp_directory = ?", [str(folder)])
        rows = connection.execute(
            f"SELECT old.prediction = label, new.prediction = label, count(*) "
            f"FROM '{folder}/old.parquet' AS old JOIN "
            f"(SELECT id, prediction FROM '{folder}/new.parquet') AS new USING (id) GROUP BY ALL"
        ).fetchall()
    cells = {(old, new): count for old, new, count in rows}
    return {"negative_flips": cells.get((True, False), 0), "positive_flips": cells.get((False, True), 0)}


if __name__ == "__main__":
    run(compare)
