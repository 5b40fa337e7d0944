"""Small files of embeddings: 24 items of 3 products, as two models see them, and 6 queries."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

ITEMS, QUERIES, DIMENSIONS = 24, 6, 4
IDS = np.array([f"s{number}" for number in range(ITEMS)])
LABELS = np.array(["cup", "jug", "pot"] * (ITEMS // 3))
COUNTRIES = np.array(["DE", "FR", "IT", "ES"] * (ITEMS // 4))
_draws = np.random.default_rng(7)
_directions = np.eye(DIMENSIONS)[[0, 1, 2] * (ITEMS // 3)]
OLD = (_directions + 0.7 * _draws.normal(size=(ITEMS, DIMENSIONS))).astype(np.float32)
NEW = (_directions + 0.2 * _draws.normal(size=(ITEMS, DIMENSIONS))).astype(np.float32)
SOUND = {
    "old": {"embeddings": OLD, "ids": IDS, "labels": LABELS, "country": COUNTRIES},
    "new": {"embeddings": NEW, "ids": IDS, "labels": LABELS, "country": COUNTRIES},
}
SOUND |= {
    f"q-{side}": {
        "embeddings": SOUND[side]["embeddings"][:QUERIES] * 2,
        "ids": np.array([f"q{number}" for number in range(QUERIES)]),
        "labels": LABELS[:QUERIES],
        "country": COUNTRIES[:QUERIES],
    }
    for side in ("old", "new")
}


def save(path, **changes):
    """Write one of the sound files with other columns; ``None`` leaves one out."""
    path = Path(path)
    columns = {**SOUND.get(path.stem, SOUND["old"]), **changes}
    columns = {name: values for name, values in columns.items() if values is not None}
    if path.suffix == ".npy":
        np.save(path, columns["embeddings"])
    elif path.suffix == ".npz":
        np.savez(path, **columns)
    else:
        single = {"embeddings": "embedding", "ids": "id", "labels": "label"}
        table = pa.table({single.get(name, name): _column(values) for name, values in columns.items()})
        if path.suffix == ".parquet":
            pq.write_table(table, path)
        else:
            with pa.ipc.new_file(path, table.schema) as writer:
                writer.write_table(table, max_chunksize=7)
    return path


def save_all(folder):
    """Write the sound files in every form."""
    for side in SOUND:
        for ending in ("npy", "npz", "parquet", "arrow"):
            save(Path(folder) / f"{side}.{ending}")


def _column(values):
    if isinstance(values, (pa.Array, pa.ChunkedArray)):
        return values
    array = np.asarray(values)
    if array.ndim == 2:
        return pa.FixedSizeListArray.from_arrays(array.ravel(), array.shape[1])
    return pa.array(array.tolist())
