"""Small pictures of the flipped samples, embedded in the page within a budget."""

from __future__ import annotations

import base64
import io
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".gif", ".bmp", ".webp", ".tif", ".tiff", ".ppm", ".pgm"})
SIDE = 160
SMALL = 64
DEFAULT_BUDGET = 12_000_000

NO_PICTURE = "no picture"
LEFT_OUT = "left out: the page's budget for pictures is spent"


@dataclass
class Album:
    """The pictures embedded so far.

    Attributes:
        base: Folder that relative paths start from.
        budget: Bytes of pictures that may still be embedded.
        pictures: The pictures as ``data:`` addresses.
        reasons: Why a picture is not shown, each reason once.
        wanted: How many samples have a picture.
        largest_side: Longest side of any original seen, in pixels.
    """

    base: Path
    budget: int = DEFAULT_BUDGET
    pictures: list[str] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    wanted: int = 0
    largest_side: int = 0
    _spent: bool = False

    def add(self, source: Any) -> int:
        """Embed a picture.

        Args:
            source: What the column holds: bytes, a path, a mapping with ``bytes`` or ``path``, an array of pixels,
                or nothing.

        Returns:
            The picture's number, or ``-1 - r`` where it is not shown, for the reason with the number ``r``.
        """
        found = source_of(source)
        if found is None:
            return self._refuse(NO_PICTURE)
        self.wanted += 1
        # Once a picture did not fit, none is taken any more: which pictures are shown must be easy to say.
        if self._spent:
            return self._refuse(LEFT_OUT)
        try:
            encoded, side = thumbnail(found, self.base)
        except PictureError as error:
            return self._refuse(str(error))
        if len(encoded) > self.budget:
            self._spent = True
            return self._refuse(LEFT_OUT)
        self.budget -= len(encoded)
        self.largest_side = max(self.largest_side, side)
        self.pictures.append(encoded)
        return len(self.pictures) - 1

    @property
    def small(self) -> bool:
        """Whether the originals are so small that their pixels should be shown as squares."""
        return 0 < self.largest_side <= SMALL

    def _refuse(self, reason: str) -> int:
        if reason not in self.reasons:
            self.reasons.append(reason)
        return -1 - self.reasons.index(reason)


class PictureError(Exception):
    """A picture that can't be shown; the message says why in a few words."""


def source_of(value: Any) -> Any | None:
    """Return what a cell's picture is read from: bytes, a path or pixels; ``None`` where it holds none."""
    if isinstance(value, Mapping):  # a data set's image feature: {"bytes": ..., "path": ...}
        value = value.get("bytes") or value.get("path")
    if isinstance(value, bytearray | memoryview):
        value = bytes(value)
    if isinstance(value, np.ndarray):
        return value if value.size else None
    if isinstance(value, bytes | str | Path) and str(value):
        return value if len(str(value)) else None
    return None


def thumbnail(source: Any, base: Path) -> tuple[str, int]:
    """Return a picture as a ``data:`` address, and the longest side of the original.

    Pictures of up to 64 pixels are kept as they are (PNG); larger ones are turned upright as their camera says,
    shrunk to 160 pixels and written as JPEG.

    Args:
        source: Bytes, a path or pixels.
        base: Folder that relative paths start from.

    Returns:
        The address and the side in pixels.

    Raises:
        PictureError: If there is no such file, or it can't be read as a picture.
    """
    try:
        with warnings.catch_warnings():
            # Pillow warns of pictures beyond 89 million pixels and refuses those beyond 179 million.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with _open(source, base) as opened:
                side = max(opened.size)
                opened.draft("RGB", (2 * SIDE, 2 * SIDE))
                picture = _plain(ImageOps.exif_transpose(opened))
    except FileNotFoundError as error:
        raise PictureError("picture not found") from error
    except Image.DecompressionBombError as error:
        raise PictureError("picture too large to open") from error
    except UnidentifiedImageError as error:
        raise PictureError("not a picture that can be read") from error
    except (OSError, ValueError, SyntaxError, TypeError, EOFError) as error:  # what Pillow raises on broken files
        raise PictureError("broken picture") from error
    held = io.BytesIO()
    if side <= SMALL:
        picture.save(held, "PNG", optimize=True)
        kind = "png"
    else:
        picture.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS, reducing_gap=3.0)
        picture.save(held, "JPEG", quality=78, optimize=True)
        kind = "jpeg"
    return f"data:image/{kind};base64,{base64.b64encode(held.getvalue()).decode('ascii')}", side


def _open(source: Any, base: Path) -> Image.Image:
    if isinstance(source, bytes):
        return Image.open(io.BytesIO(source))
    if isinstance(source, np.ndarray):
        pixels = source if source.dtype.kind in "iufb" else source.astype(np.float64)
        if pixels.dtype != np.uint8:
            pixels = _stretched(pixels.astype(np.float64))
        return Image.fromarray(pixels.squeeze())
    return Image.open(base / source)


def _plain(picture: Image.Image) -> Image.Image:
    # RGB or grey with eight bits: transparent parts become white, and deeper pixels (X-rays, height maps) are
    # stretched from their darkest to their brightest.
    if picture.mode in {"I", "F"} or picture.mode.startswith("I;"):
        return Image.fromarray(_stretched(np.asarray(picture, dtype=np.float64)))
    if picture.mode in {"RGBA", "LA", "PA"} or "transparency" in picture.info:
        picture = picture.convert("RGBA")
        below = Image.new("RGBA", picture.size, "white")
        return Image.alpha_composite(below, picture).convert("RGB")
    return picture.convert("L") if picture.mode in {"1", "L"} else picture.convert("RGB")


def _stretched(pixels: np.ndarray[Any, np.dtype[np.float64]]) -> np.ndarray[Any, np.dtype[np.uint8]]:
    pixels = np.nan_to_num(pixels, posinf=0.0, neginf=0.0)
    low, high = float(pixels.min()), float(pixels.max())
    return np.rint((pixels - low) * (255 / (high - low) if high > low else 0.0)).astype(np.uint8)
