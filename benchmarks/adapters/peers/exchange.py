"""What the peers' scripts share: arrays in, variants out. It needs numpy alone and nothing of Segue."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

Map = Callable[[np.ndarray[Any, Any]], np.ndarray[Any, Any]]


class Exchange:
    """The folder that arrays are read from and written to.

    Args:
        folder: The folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.old, self.new, self.gallery, self.queries = (
            np.load(folder / f"{name}.npy") for name in ("pairs_old", "pairs_new", "gallery_old", "queries_new")
        )
        self.variants: list[dict[str, Any]] = []
        self.refused: dict[str, str] = {}

    def run(self, name: str, side: str, fit: Callable[[], tuple[Map, dict[str, Any]]]) -> None:
        """Fit a variant, map what it maps, and keep both; an error of the package is kept in its own words.

        Args:
            name: The variant's name.
            side: ``"gallery"`` or ``"queries"``.
            fit: Fits, and returns the map and what else is to be told; ``seconds``, where it was fitted before.
        """
        start = time.perf_counter()
        try:
            transform, told = fit()
        except Exception as error:  # whatever the package raises is its answer
            self.refused[f"{name} ({side})"] = f"{type(error).__name__}: {error}"
            return
        seconds = told.pop("seconds", time.perf_counter() - start)
        mapped = np.asarray(transform(self.gallery if side == "gallery" else self.queries), dtype=np.float32)
        file = f"{len(self.variants)}.npy"
        np.save(self.folder / file, mapped)
        self.variants.append({"name": name, "side": side, "file": file, "seconds": seconds, "told": told})

    def close(self) -> None:
        """Write what was found."""
        answer = {"variants": self.variants, "refused": self.refused}
        (self.folder / "answer.json").write_text(json.dumps(answer), encoding="utf-8")


def opened() -> Exchange:
    """Return the folder that the command line names."""
    return Exchange(Path(sys.argv[1]))
