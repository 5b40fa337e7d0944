"""What kind of thing each column of the flipped samples holds, and how it is written into the page."""

from __future__ import annotations

import datetime
import itertools
import json
import math
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segue.report.thumbnails import SUFFIXES, Album

MOST_CHOICES = 1000
_DIGITS = re.compile(r"[0-9]+")
LARGEST_EXACT = 2**53
BEYOND_ALL = 1.7976931348623157e308
"""Stands for infinity, which JSON does not know."""

TITLES = {"id": "Sample", "flip": "Flip", "label": "Label"}


@dataclass(frozen=True)
class Column:
    """A column as the page holds it.

    Attributes:
        name: Its name in the table.
        title: What stands above it.
        kind: ``words``, ``numbers`` or ``pictures``.
        role: ``id``, ``flip``, ``label``, ``old``, ``new``, ``confidence``, ``change``, or empty for all others.
        names: Of words: each text once, in the order in which they are sorted. Of pictures: the reasons why one is
            not shown.
        codes: Of words: the number of each row's text, -1 where it is missing. Of pictures: the number of each row's
            picture, or -1 minus the number of a reason.
        values: Of numbers: the numbers, ``None`` where missing.
        choose: Of words: whether they are few enough to be chosen from a list.
        style: ``percent``, ``code`` (nested objects as JSON), ``long`` (text of more than a line), ``pixels`` (small
            pictures) or empty.
    """

    name: str
    title: str
    kind: str
    role: str = ""
    names: tuple[str, ...] = ()
    codes: tuple[int, ...] = ()
    values: tuple[float | int | None, ...] = ()
    choose: bool = False
    style: str = ""

    def text(self, row: int) -> str:
        """Return what a cell shows, in words; the reason for a picture that is not shown."""
        if self.kind == "numbers":
            return shown(self.values[row], self.style)
        code = self.codes[row]
        if self.kind == "pictures":
            return "" if code >= 0 else self.names[-1 - code]
        return self.names[code] if code >= 0 else ""

    def to_dict(self) -> dict[str, Any]:
        """Return the column for the page's script."""
        held: dict[str, Any] = {
            "name": self.name,
            "title": self.title,
            "kind": self.kind,
            "role": self.role,
            "style": self.style,
            "choose": self.choose,
        }
        if self.kind == "numbers":
            return {**held, "values": self.values}
        return {**held, "names": self.names, "codes": self.codes}


def read_column(
    name: str,
    values: NDArray[Any],
    order: NDArray[np.int64],
    album: Album,
    titles: Mapping[str, str],
    kinds: tuple[str, str] = ("broken", "mended"),
) -> Column:
    """Find out what a column holds and write it down in the order of the page.

    Args:
        name: Its name.
        values: Its values, ``(rows,)``.
        order: Which row comes first, second, ..., ``(rows,)``.
        album: Where pictures are kept.
        titles: What stands above columns, where that is not their name.
        kinds: What negative and positive flips are called.

    Returns:
        The column.
    """
    if isinstance(values, np.ma.MaskedArray):  # a database's column with missing values
        held = np.empty(len(values), dtype=object)
        held[:] = values.tolist()
        values = held
    title = titles.get(name, TITLES.get(name, name.replace("_", " ")))
    role = {"id": "id", "flip": "flip", "label": "label", "old": "old", "new": "new"}.get(name, "")
    if name in {"old_confidence", "new_confidence"}:
        role = "confidence"
    cells = [_plain(value) for value in values[order].tolist()] if values.dtype.kind == "O" else _cells(values[order])
    if role == "" and _pictures(cells, album.base):
        codes = tuple(album.add(value) for value in cells)
        return Column(name, title, "pictures", role, tuple(album.reasons), codes, style="pixels" * album.small)
    present = [value for value in cells if not _missing(value)]
    if present and role not in {"id", "flip", "label"} and all(_is_number(value) for value in present):
        style = "percent" if role == "confidence" and all(0 <= value <= 1 for value in present) else ""
        if style or not (role in {"old", "new"} and all(isinstance(value, int) for value in present)):
            return Column(name, title, "numbers", role, values=tuple(map(_number, cells)), style=style)
    if role == "id" and present and all(_is_number(value) and abs(value) < LARGEST_EXACT for value in present):
        return Column(name, title, "numbers", role, values=tuple(map(_number, cells)))
    if role == "flip":
        cells = [dict(zip(("negative", "positive"), kinds, strict=True)).get(value, value) for value in cells]
    return _words(name, title, role, cells)


def shown(value: float | None, style: str) -> str:
    """Return a number as a cell shows it.

    Example:
        >>> shown(0.98765, "percent"), shown(3, ""), shown(0.123456789, ""), shown(None, "")
        ('98.8%', '3', '0.12346', '')
    """
    if value is None:
        return ""
    if abs(value) == BEYOND_ALL:
        return "∞" if value > 0 else "\u2212∞"
    if style == "percent":
        return f"{100 * value:.1f}%"
    written = str(value) if isinstance(value, int) else f"{value:.5g}"
    return written.replace("-", "\u2212") if "e" not in written else written


def _words(name: str, title: str, role: str, cells: Sequence[Any]) -> Column:
    texts = [None if _missing(value) else _text(value) for value in cells]
    nested = any(isinstance(value, dict | list | tuple | np.ndarray) for value in cells[:1000])
    numbers = {
        text: number for number, text in enumerate(sorted({text for text in texts if text is not None}, key=natural))
    }
    codes = tuple(-1 if text is None else numbers[text] for text in texts)
    longest = max(map(len, numbers), default=0)
    repeats = len(numbers) <= max(1, len(texts) // 2) or role in {"flip", "label", "old", "new"}
    choose = 0 < len(numbers) <= MOST_CHOICES and repeats and longest <= 120
    style = "code" if nested else "long" if longest > 60 else ""
    return Column(name, title, "words", role, tuple(numbers), codes, choose=choose, style=style)


def natural(text: str) -> tuple[str, str]:
    """Return what texts are sorted by: numbers in them by size, and neither case nor accents.

    Example:
        >>> sorted(["item 10", "Item 2", "Äpfel", "zebra"], key=natural)
        ['Äpfel', 'Item 2', 'item 10', 'zebra']
    """
    plain = text[:200].casefold()
    if not plain.isascii():
        plain = "".join(letter for letter in unicodedata.normalize("NFKD", plain) if not unicodedata.combining(letter))
    return _DIGITS.sub(lambda found: found.group().zfill(15), plain), text


def _cells(values: NDArray[Any]) -> list[Any]:
    if values.dtype.kind in "mM":
        return [None if np.isnat(value) else str(value).replace("T", " ") for value in values]
    return list(values.tolist())


def _plain(value: Any) -> Any:
    return _cells(np.array([value]))[0] if isinstance(value, np.generic) else value


def _text(value: Any) -> str:
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, dict | list | tuple):
        return json.dumps(value, ensure_ascii=False, default=str)
    if isinstance(value, bytes | bytearray | memoryview):
        return f"{len(value):,} bytes"
    if isinstance(value, datetime.datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, bool | np.bool_):
        return str(bool(value))  # as in the names of slices
    # A lone surrogate can't be written as UTF-8.
    return str(value).encode("utf-8", "replace").decode("utf-8")


def _missing(value: Any) -> bool:
    # pandas' NA and NaT are known by their name: pandas need not be installed.
    if value is None or type(value).__name__ in {"NAType", "NaTType"}:
        return True
    return isinstance(value, float | Decimal) and math.isnan(value)


def _is_number(value: Any) -> bool:
    if isinstance(value, bool):
        return False
    return isinstance(value, float | Decimal) or (isinstance(value, int) and abs(value) < LARGEST_EXACT)


def _number(value: Any) -> float | int | None:
    if _missing(value):
        return None
    if isinstance(value, int):
        return value
    number = float(value)
    if math.isnan(number):
        return None
    if math.isinf(number):
        return math.copysign(BEYOND_ALL, number)
    return float(f"{number:.9g}")


def _pictures(cells: Sequence[Any], base: Path) -> bool:
    """Return whether a column holds pictures: one among the first hundred values that can be opened is enough."""
    return any(_is_picture(value, base) for value in itertools.islice((v for v in cells if not _missing(v)), 100))


def _is_picture(value: Any, base: Path) -> bool:
    if isinstance(value, Mapping):
        if not {"bytes", "path"} & value.keys():
            return False
        value = value.get("bytes") or value.get("path")
    if isinstance(value, bytes | bytearray | memoryview):
        return looks_like_picture(bytes(value[:16]))
    if isinstance(value, np.ndarray):
        return value.dtype == np.uint8 and (value.ndim == 2 or (value.ndim == 3 and value.shape[2] in {1, 3, 4}))
    if not isinstance(value, str | Path) or Path(value).suffix.lower() not in SUFFIXES:
        return False
    try:
        return (base / value).is_file()
    except (OSError, ValueError):  # a text too long to be a path, or with a zero byte in it
        return False


def looks_like_picture(start: bytes) -> bool:
    r"""Return by its first bytes whether something is a picture (PNG, JPEG, GIF, BMP, WebP or TIFF).

    Example:
        >>> looks_like_picture(b"\x89PNG\r\n\x1a\n...."), looks_like_picture(b"some text")
        (True, False)
    """
    if start[:4] == b"RIFF":
        return start[8:12] == b"WEBP"
    return start.startswith((b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF87a", b"GIF89a", b"BM", b"II*\0", b"MM\0*"))
