"""Two methods that DuckDB 2 renamed and Ibis 12 still calls by their old names.

Ibis's development version no longer does (its pull request 12001), so this file goes when that is released.
"""

from __future__ import annotations

import warnings
from typing import Any

ROWS_PER_BATCH = 1_000_000


def let_ibis_speak_to_duckdb() -> None:
    """Give DuckDB's connections the two methods back, where they lack them."""
    import duckdb

    for name, method in (("fetch_arrow_table", _table), ("fetch_record_batch", _reader)):
        if not hasattr(duckdb.DuckDBPyConnection, name):
            setattr(duckdb.DuckDBPyConnection, name, method)


def _table(connection: Any) -> Any:
    with warnings.catch_warnings():  # that it copies is no matter for the few rows that a comparison fetches
        warnings.simplefilter("ignore", UserWarning)
        return connection.to_arrow_table()


def _reader(connection: Any, rows_per_batch: int = ROWS_PER_BATCH) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return connection.to_arrow_reader(rows_per_batch)
