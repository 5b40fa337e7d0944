"""What a search found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segue.errors import InputError
from segue.flips.checks import counted
from segue.retrieval.notebook import Shown


@dataclass(frozen=True, eq=False)
class Hits(Shown):
    """The gallery rows that were found for each query, best first.

    Made by :func:`segue.retrieval.search`, or by hand from what another search engine returned.

    Attributes:
        rows: Gallery rows, ``(q, k)``; -1 where there was nothing more to find, and then only at the end.
        scores: Their scores, ``(q, k)``, larger is nearer; -inf where the row is -1.

    Raises:
        InputError: If the shapes differ, a row is found twice for one query, or scores rise.

    Example:
        >>> print(Hits(np.array([[2, 0], [1, -1]]), np.array([[0.9, 0.4], [0.7, -np.inf]])))
        2 queries, up to 2 hits each; 1 query has fewer.
    """

    rows: NDArray[np.int64]
    scores: NDArray[np.float32]

    def __post_init__(self) -> None:
        """Refuse what is no ranking.

        Raises:
            InputError: If it is none.
        """
        rows, scores = np.asarray(self.rows), np.asarray(self.scores)
        if rows.ndim != 2 or rows.shape != scores.shape or not rows.size:
            raise InputError(
                f"rows has shape {rows.shape} and scores {scores.shape}; pass one row and one score per query and "
                f"rank, shape (q, k) both"
            )
        if rows.dtype.kind not in "iu" or scores.dtype.kind not in "fiu":
            raise InputError(f"rows holds {rows.dtype} and scores {scores.dtype} values; pass integers and numbers")
        if np.isnan(scores).any():
            raise InputError(f"scores has {counted(int(np.isnan(scores).sum()), 'NaN')}; pass -inf for what is missing")
        rows, scores = rows.astype(np.int64, copy=False), scores.astype(np.float32, copy=False)
        object.__setattr__(self, "rows", rows)
        object.__setattr__(self, "scores", scores)
        empty = rows < 0
        if (rows < -1).any() or (empty[:, :-1] & ~empty[:, 1:]).any():
            raise InputError("rows has a negative number before a hit; pass -1 only behind the last hit of a query")
        # -inf minus -inf is NaN, which no comparison calls a rise
        with np.errstate(invalid="ignore"):
            rising = (np.diff(scores, axis=1) > 0).any(axis=1)
        ordered = np.sort(rows, axis=1)
        twice = ((ordered[:, 1:] == ordered[:, :-1]) & (ordered[:, 1:] >= 0)).any(axis=1)
        for bad, fault in ((rising, "scores rise"), (twice, "a gallery row is found twice")):
            if bad.any():
                raise InputError(
                    f"{fault} for {counted(int(bad.sum()), 'query').replace('querys', 'queries')}, first at query "
                    f"{int(np.flatnonzero(bad)[0])}; pass each gallery row once, best first"
                )

    def __len__(self) -> int:
        """Return the number of queries."""
        return len(self.rows)

    @property
    def k(self) -> int:
        """How many hits there are at most for a query."""
        return int(self.rows.shape[1])

    def __str__(self) -> str:
        """Return in words what is held."""
        short = int((self.rows[:, -1] < 0).sum())
        queries = f"{counted(len(self), 'query')}, up to {counted(self.k, 'hit')} each"
        return f"{queries}; {short:,} quer{'y has' if short == 1 else 'ies have'} fewer." if short else f"{queries}."

    def to_dict(self) -> dict[str, Any]:
        """Return rows and scores as nested lists, ready for JSON: without a hit, -1 and ``None``."""
        return {
            "rows": self.rows.tolist(),
            "scores": [[s if np.isfinite(s) else None for s in ranking] for ranking in self.scores.tolist()],
        }
