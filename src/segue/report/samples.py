"""The flipped samples as the page holds them: typed columns, in an order that puts the worst first."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segue.flips.graded import GradedReport
from segue.flips.result import FlipReport
from segue.report.columns import Column, read_column
from segue.report.thumbnails import DEFAULT_BUDGET, LEFT_OUT, Album
from segue.report.words import count

PLAIN_ROWS = 50
PACK_BEYOND = 200_000
"""JSON longer than this is compressed; shorter one opens in browsers that can't unpack, too."""


@dataclass(frozen=True)
class SampleTable:
    """The table of flipped samples.

    Attributes:
        columns: Its columns in the order of the page; pictures first, then what was asked and answered.
        rows: How many rows the page holds.
        total: How many flipped samples there are.
        data: The columns as JSON, compressed and base64-coded if ``packed``.
        packed: Whether ``data`` is compressed.
        pictures: The pictures as JSON.
        album: The pictures.
        notes: What the reader must know: rows or pictures left out.
    """

    columns: tuple[Column, ...]
    rows: int
    total: int
    data: str
    packed: bool
    pictures: str
    album: Album
    notes: tuple[str, ...]

    @property
    def plain_rows(self) -> int:
        """How many rows are written into the page as plain HTML."""
        return min(self.rows, PLAIN_ROWS)

    def right(self, role: str, row: int) -> bool:
        """Return whether the ``old`` or the ``new`` answer of a row is right, which its flip tells."""
        return (self.kind(row) == "broken") == (role == "old")

    def kind(self, row: int) -> str:
        """Return ``broken`` where a row's flip is negative, else ``mended``."""
        flip = next((column.text(row) for column in self.columns if column.role == "flip"), "")
        return "broken" if flip in {"broken", "lost"} else "mended"

    def name_of(self, row: int) -> str:
        """Return what a row's sample is called."""
        return next((column.text(row) for column in self.columns if column.role == "id"), str(row + 1))


def sample_table(
    report: FlipReport | GradedReport, base: Path | None = None, budget: int = DEFAULT_BUDGET
) -> SampleTable:
    """Write down the flipped samples for the page.

    Args:
        report: What was measured.
        base: Folder that relative paths of pictures start from; the current one by default.
        budget: Bytes of pictures that may be embedded.

    Returns:
        The table.
    """
    graded = isinstance(report, GradedReport)
    held: dict[str, NDArray[Any]] = dict(report.flips.columns)
    if graded:
        for name in ("old", "new"):
            if name in held:
                held[name] = np.asarray(held[name], dtype=np.float64)
    rows = len(report.flips)
    order = worst_first(held, rows)
    album = Album(base or Path(), budget)
    titles = _titles(graded)
    kinds = ("lost", "won") if graded else ("broken", "mended")
    read = {name: read_column(name, values, order, album, titles, kinds) for name, values in held.items()}
    if graded and {"old", "new"} <= held.keys():
        change = (held["new"] - held["old"])[order]
        values = tuple(float(f"{value:.9g}") if np.isfinite(value) else None for value in change.tolist())
        read[" change"] = Column(" change", "Change", "numbers", "change", values=values)
    columns = tuple(sorted(read.values(), key=_place))
    data = _json({"rows": rows, "kinds": kinds, "columns": [column.to_dict() for column in columns]})
    packed = len(data) > PACK_BEYOND
    if packed:
        # The time is left out of the header, so that the same report gives the same page.
        data = base64.b64encode(gzip.compress(data.encode(), compresslevel=6, mtime=0)).decode("ascii")
    total = report.flips.negative + report.flips.positive
    return SampleTable(columns, rows, total, data, packed, _json(album.pictures), album, _notes(rows, total, album))


def worst_first(columns: Mapping[str, NDArray[Any]], rows: int) -> NDArray[np.int64]:
    """Return the order in which a reader wants to see flipped samples.

    Broken ones come before mended ones; among each, those with the largest change of score, or those of which the new
    model is surest, come first.

    Args:
        columns: The flipped samples.
        rows: How many there are.

    Returns:
        Which row comes first, second, ..., ``(rows,)``.
    """
    keys = np.zeros(rows)
    if "new_confidence" in columns and columns["new_confidence"].dtype.kind in "fiu":
        keys = -columns["new_confidence"].astype(np.float64)
    elif {"old", "new"} <= columns.keys() and columns["old"].dtype.kind == columns["new"].dtype.kind == "f":
        keys = -np.abs(columns["new"] - columns["old"])
    mended = np.zeros(rows, dtype=bool)
    if "flip" in columns:
        mended = np.asarray(columns["flip"]) != "negative"
    return np.lexsort((np.nan_to_num(keys, nan=np.inf), mended)).astype(np.int64)


def _titles(graded: bool) -> dict[str, str]:
    what = "score" if graded else "answer"
    return {
        "old": f"Old {what}",
        "new": f"New {what}",
        "old_confidence": "Old confidence",
        "new_confidence": "New confidence",
    }


def _place(column: Column) -> int:
    if column.kind == "pictures":
        return 0
    order = ("id", "flip", "label", "old", "old_confidence", "new", "new_confidence", " change")
    return order.index(column.name) + 1 if column.name in order else len(order) + 1


def _notes(rows: int, total: int, album: Album) -> tuple[str, ...]:
    told = []
    if rows < total:
        told.append(f"The page holds {rows:,} of {count(total, 'flipped sample')}; the counts above are of all.")
    if LEFT_OUT in album.reasons:
        told.append(
            f"The first {len(album.pictures):,} of {count(album.wanted, 'picture')} are included, those of the worst "
            f"samples first; the others are left out to keep the page small enough to send."
        )
    return tuple(told)


def _json(thing: Any) -> str:
    # "</script>" or "<!--" inside a text would end or upset the script element that holds the JSON.
    written = json.dumps(thing, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return written.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
