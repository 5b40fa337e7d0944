"""Compare tables of predictions of any size: DuckDB reads, joins and counts them, in memory or out of it.

Parquet, CSV, JSON lines and Arrow files, globs and folders of them, and pandas, polars and pyarrow tables; two of
them joined on the samples' ids, or one that holds both models' predictions.
"""

from segue.flips.table.compare import compare_tables
from segue.flips.table.engine import Progress, ResourceError, Resources
from segue.flips.table.opening import input_files
from segue.flips.table.scores import compare_score_tables
from segue.flips.table.sources import Table
from segue.flips.table.watched import watch_tables

__all__ = [
    "Progress",
    "ResourceError",
    "Resources",
    "Table",
    "compare_score_tables",
    "compare_tables",
    "input_files",
    "watch_tables",
]
