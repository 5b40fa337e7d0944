"""Files written batch by batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def write_batches(batches: Any, names: Sequence[str], path: str, *, parquet: bool) -> None:
    """Write Arrow batches to a Parquet or CSV file, one at a time in memory.

    Args:
        batches: A pyarrow record batch reader.
        names: What its columns are called in the file.
        path: The file.
        parquet: Whether to write Parquet; CSV otherwise.
    """
    import pyarrow as pa
    from pyarrow import csv
    from pyarrow import parquet as pq

    schema = pa.schema([field.with_name(name) for field, name in zip(batches.schema, names, strict=True)])
    writer = pq.ParquetWriter(path, schema, compression="zstd") if parquet else csv.CSVWriter(path, schema)
    with writer:
        for batch in batches:
            writer.write_batch(pa.RecordBatch.from_arrays(batch.columns, schema=schema))
