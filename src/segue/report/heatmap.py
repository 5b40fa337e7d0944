"""The flip matrix as a heat map: which labels break, and what they turn into."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from segue.flips.samples import FlipMatrix

MOST_CLASSES = 20
LEVELS = 5


@dataclass(frozen=True, slots=True)
class HeatMap:
    """The rows and columns to draw.

    Attributes:
        labels: Names of the rows.
        answers: Names of the columns.
        counts: The matrix, a row per label.
        levels: Darkness of each cell, 0 for none to 5 for the most, the same shape.
        other_answers: Per row, the count of the columns left out; ``None`` where no column is.
        other_labels: Per column, the count of the rows left out; ``None`` where no row is.
        corner: Count of pairs of which both are left out.
        labels_left_out: How many rows are summed up as others.
        answers_left_out: How many columns are.
        legend: For each darkness from 1, the smallest and the largest count it stands for.
        pairs: The most frequent pairs: label, answer, count.
        total: All negative flips.
        different: How many different pairs occur.
    """

    labels: tuple[str, ...]
    answers: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]
    levels: tuple[tuple[int, ...], ...]
    other_answers: tuple[int, ...] | None
    other_labels: tuple[int, ...] | None
    corner: int
    labels_left_out: int
    answers_left_out: int
    legend: tuple[tuple[int, int, int], ...]
    pairs: tuple[tuple[str, str, int], ...]
    total: int
    different: int


def heat_map(matrix: FlipMatrix, most: int = MOST_CLASSES) -> HeatMap | None:
    """Choose what to draw of a flip matrix.

    With few classes all of them are rows and columns, in the same order, so that the diagonal, on which nothing can
    lie, shows. With many, those of the most frequent pairs are shown and the others summed up.

    Args:
        matrix: The flip matrix.
        most: Largest number of rows, and of columns.

    Returns:
        The heat map; ``None`` where nothing was broken.
    """
    pairs = list(zip(matrix.labels.tolist(), matrix.answers.tolist(), matrix.counts.tolist(), strict=True))
    if not pairs:
        return None
    by_label: Counter[Any] = Counter()
    by_answer: Counter[Any] = Counter()
    for label, answer, count in pairs:
        by_label[label] += count
        by_answer[answer] += count
    everything = set(by_label) | set(by_answer)
    if len(everything) <= most:
        rows = columns = sorted(everything, key=_natural)
    else:
        rows, columns = _most_frequent(pairs, by_label, by_answer, most)
    row_of, column_of = ({key: place for place, key in enumerate(keys)} for keys in (rows, columns))
    counts = [[0] * len(columns) for _ in rows]
    beside, below, corner = [0] * len(rows), [0] * len(columns), 0
    for label, answer, count in pairs:
        row, column = row_of.get(label), column_of.get(answer)
        if row is not None and column is not None:
            counts[row][column] += count
        elif row is not None:
            beside[row] += count
        elif column is not None:
            below[column] += count
        else:
            corner += count
    largest = max(max(row) for row in counts)
    labels_left_out = len(by_label.keys() - row_of.keys())
    answers_left_out = len(by_answer.keys() - column_of.keys())
    return HeatMap(
        labels=tuple(str(label) for label in rows),
        answers=tuple(str(answer) for answer in columns),
        counts=tuple(tuple(row) for row in counts),
        levels=tuple(tuple(level(count, largest) for count in row) for row in counts),
        other_answers=tuple(beside) if answers_left_out else None,
        other_labels=tuple(below) if labels_left_out else None,
        corner=corner,
        labels_left_out=labels_left_out,
        answers_left_out=answers_left_out,
        legend=legend(largest),
        pairs=tuple((str(label), str(answer), count) for label, answer, count in pairs[:6]),
        total=sum(count for *_, count in pairs),
        different=len(pairs),
    )


def level(count: int, largest: int) -> int:
    """Return the darkness of a cell, 0 for none to 5 for the most.

    Example:
        >>> [level(count, 50) for count in (0, 1, 10, 11, 50)], level(1, 1)
        ([0, 1, 1, 2, 5], 1)
    """
    return math.ceil(LEVELS * count / max(largest, LEVELS))


def legend(largest: int) -> tuple[tuple[int, int, int], ...]:
    """Return for each darkness in use the darkness, the smallest and the largest count.

    Example:
        >>> legend(2)
        ((1, 1, 1), (2, 2, 2))
    """
    scale = max(largest, LEVELS)
    ends = [(level, (level - 1) * scale // LEVELS + 1, level * scale // LEVELS) for level in range(1, LEVELS + 1)]
    return tuple((level, low, high) for level, low, high in ends if low <= largest)


def _most_frequent(
    pairs: Sequence[tuple[Any, Any, int]], by_label: Counter[Any], by_answer: Counter[Any], most: int
) -> tuple[list[Any], list[Any]]:
    # Pairs that occur equally often are taken by how much their label and answer weigh.
    rows: set[Any] = set()
    columns: set[Any] = set()
    for label, answer, _ in sorted(pairs, key=lambda pair: (-pair[2], -by_label[pair[0]] - by_answer[pair[1]])):
        if (label in rows or len(rows) < most) and (answer in columns or len(columns) < most):
            rows.add(label)
            columns.add(answer)
    by_weight = ((by_label, rows), (by_answer, columns))
    labels, answers = ([key for key, _ in by.most_common() if key in chosen] for by, chosen in by_weight)
    return labels, answers


def _natural(key: Any) -> tuple[int, float, str]:
    # Numbers before words, and numbers by size.
    try:
        return (0, float(key), "")
    except (TypeError, ValueError):
        return (1, 0.0, str(key))
