"""Flipped samples that are held in memory, as a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from segue.errors import InputError

if TYPE_CHECKING:
    from segue.flips.samples import FlippedSamples


def check_ending(path: str) -> None:
    """Refuse a file that is neither Parquet nor CSV by its name.

    Args:
        path: The file.

    Raises:
        InputError: If it is another.
    """
    if Path(path).suffix.lower() not in {".parquet", ".csv"}:
        raise InputError(f"--flips-to is {path!r}; name a file that ends in .parquet or .csv")


def write_flips(flips: FlippedSamples, path: str) -> None:
    """Write flipped samples to a Parquet or CSV file.

    Args:
        flips: The samples.
        path: The file.
    """
    import pyarrow as pa
    from pyarrow import csv
    from pyarrow import parquet as pq

    table = pa.table({name: pa.array(column.tolist()) for name, column in flips.columns.items()})
    if path.lower().endswith(".parquet"):
        pq.write_table(table, path, compression="zstd")
    else:
        csv.write_csv(table, path)
