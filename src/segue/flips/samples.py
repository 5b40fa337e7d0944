"""The flipped samples themselves, and the matrix of what they turned into."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from segue.errors import require

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl


@dataclass(frozen=True, eq=False)
class FlippedSamples:
    """The samples whose answer changed between right and wrong.

    Attributes:
        columns: The table: ``id``, ``flip`` ("negative" or "positive"), ``label``, ``old``, ``new``, where known
            ``old_confidence`` and ``new_confidence``, then the slice columns and whatever else was asked for.
        negative: How many negative flips there are in all.
        positive: How many positive flips there are in all.
    """

    columns: Mapping[str, NDArray[Any]]
    negative: int
    positive: int

    def __len__(self) -> int:
        """Return the number of rows held, which may be fewer than there are flips."""
        return len(next(iter(self.columns.values()))) if self.columns else 0

    @property
    def complete(self) -> bool:
        """Whether every flipped sample is held."""
        return len(self) == self.negative + self.positive

    def to_dict(self) -> dict[str, list[Any]]:
        """Return the table as lists by column, ready for JSON where the columns are."""
        return {name: column.tolist() for name, column in self.columns.items()}

    def to_polars(self) -> pl.DataFrame:
        """Return the table as a polars data frame.

        Raises:
            MissingExtraError: If polars is not installed.
        """
        polars = require("polars", "frames", "to_polars()")
        frame: pl.DataFrame = polars.DataFrame(dict(self.columns))
        return frame

    def to_pandas(self) -> pd.DataFrame:
        """Return the table as a pandas data frame.

        Raises:
            MissingExtraError: If pandas is not installed.
        """
        pandas = require("pandas", "frames", "to_pandas()")
        frame: pd.DataFrame = pandas.DataFrame(dict(self.columns))
        return frame


@dataclass(frozen=True, eq=False)
class FlipMatrix:
    """How often a negative flip of each label became each new answer, most frequent first.

    Attributes:
        labels: The label, ``(pairs,)``.
        answers: The new, wrong answer, ``(pairs,)``.
        counts: How many negative flips, ``(pairs,)``.
    """

    labels: NDArray[Any]
    answers: NDArray[Any]
    counts: NDArray[np.int64]

    @classmethod
    def of(cls, labels: NDArray[Any], answers: NDArray[Any]) -> FlipMatrix:
        """Count the pairs among negative flips.

        Args:
            labels: Label of every negative flip, ``(flips,)``.
            answers: New answer of every negative flip, ``(flips,)``.

        Returns:
            The pairs that occur.

        Example:
            >>> matrix = FlipMatrix.of(np.array(["cat", "dog", "cat"]), np.array(["dog", "fox", "dog"]))
            >>> list(zip(matrix.labels.tolist(), matrix.answers.tolist(), matrix.counts.tolist()))
            [('cat', 'dog', 2), ('dog', 'fox', 1)]
        """
        rows, row = np.unique(labels, return_inverse=True)
        columns, column = np.unique(answers, return_inverse=True)
        pairs, counts = np.unique(row * max(len(columns), 1) + column, return_counts=True)
        order = np.argsort(-counts, kind="stable")
        pairs, counts = pairs[order], counts[order]
        width = max(len(columns), 1)
        return cls(rows[pairs // width], columns[pairs % width], counts.astype(np.int64))

    def dense(self) -> tuple[list[Any], list[Any], NDArray[np.int64]]:
        """Return row classes, column classes and the full matrix ``(labels, answers)``."""
        rows, row = np.unique(self.labels, return_inverse=True)
        columns, column = np.unique(self.answers, return_inverse=True)
        full = np.zeros((len(rows), len(columns)), dtype=np.int64)
        full[row, column] = self.counts
        return rows.tolist(), columns.tolist(), full

    def to_dict(self) -> list[dict[str, Any]]:
        """Return one entry per pair: label, answer, count."""
        return [
            {"label": label, "answer": answer, "count": count}
            for label, answer, count in zip(
                self.labels.tolist(), self.answers.tolist(), self.counts.tolist(), strict=True
            )
        ]
