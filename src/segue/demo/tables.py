"""Prediction tables as a team would have them: one Parquet file per model, a row per picture."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from PIL import Image

from segue.demo.files import write_whole
from segue.demo.pictures import PictureSet
from segue.demo.properties import PROPERTIES
from segue.demo.training import Answers

PROTECTED = 200
DECIMALS = 3


def answers_table(pictures: PictureSet, answers: Answers) -> pa.Table:
    """Return what one model said about the test pictures: ``id``, ``label``, ``prediction``, ``confidence``.

    Args:
        pictures: The pictures and the names of their classes.
        answers: The model's answers to the test pictures, in their order.

    Returns:
        One row per picture.
    """
    names = np.array(pictures.classes)
    return pa.table(
        {
            "id": ids(pictures),
            "label": names[pictures.test.labels].tolist(),
            "prediction": names[answers.classes].tolist(),
            "confidence": np.round(answers.confidences, 6),
        }
    )


def described(pictures: PictureSet, table: pa.Table) -> pa.Table:
    """Add to a table of answers what is known of the pictures themselves.

    Args:
        pictures: The pictures.
        table: One row per test picture, in their order.

    Returns:
        The table with a column of what the picture shows (named after the noun: ``garment``), the measured properties
        and ``image`` (the picture as PNG).
    """
    images = pictures.test.images
    table = table.append_column(pictures.noun, table.column("label"))
    for name, measure in PROPERTIES.items():
        table = table.append_column(name, pa.array(np.round(measure(images), DECIMALS)))
    return table.append_column("image", pa.array([png(image) for image in images], pa.binary()))


def ids(pictures: PictureSet) -> list[str]:
    """Return what the test pictures are called, in their order."""
    return [f"{pictures.noun}-{number:05d}" for number in range(len(pictures.test))]


def protected_ids(pictures: PictureSet) -> list[str]:
    """Return the ids of the golden set: some 200 test pictures at even distances, whatever the models say of them."""
    return ids(pictures)[:: max(1, len(pictures.test) // PROTECTED)]


def png(image: NDArray[np.uint8]) -> bytes:
    """Return a grey picture ``(height, width)`` as the bytes of a PNG file."""
    stream = io.BytesIO()
    Image.fromarray(image).save(stream, format="PNG")
    return stream.getvalue()


def write_parquet(table: pa.Table, path: Path) -> None:
    """Write a table in one step: a process that dies leaves the file as it was.

    Args:
        table: The table.
        path: The Parquet file.
    """
    write_whole(path, lambda unfinished: pq.write_table(table, unfinished, compression="zstd"))
