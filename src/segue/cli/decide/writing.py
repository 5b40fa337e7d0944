"""What the subcommands write: tables, and words that hold what came from the data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from segue.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray


def check_table(path: str | None) -> None:
    """Refuse a name that does not say which format is meant, before anything is computed.

    Args:
        path: What ``--to`` names, if anything.

    Raises:
        InputError: If it ends in neither ``.csv`` nor ``.parquet``.
    """
    if path is not None and not path.lower().endswith((".csv", ".parquet")):
        raise InputError(f"--to is {path!r}; name a file that ends in .csv or .parquet")


def write_table(columns: Mapping[str, NDArray[Any]], path: str) -> None:
    """Write a table, which is complete or not there.

    Args:
        columns: Its columns by name.
        path: A CSV or Parquet file.
    """
    import pyarrow as pa
    from pyarrow import csv
    from pyarrow import parquet as pq

    from segue.congruent.decisions.replacing import replacing

    table = pa.table({name: pa.array(values.tolist()) for name, values in columns.items()})
    with replacing(path, "--to") as file:
        (csv.write_csv if path.lower().endswith(".csv") else pq.write_table)(table, file)


def shown(text: str) -> str:
    """Return text with names from the data in it, safe to show."""
    from segue.cli.outputs.visible import visible

    return visible(text, most=2000)
