"""Sums of scores and of their squares, from which every mean of a comparison of scores follows with its variance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segue.flips.counts import N_CELLS, NEGATIVE_FLIP, POSITIVE_FLIP, Tally
from segue.flips.graded import ScoreSums
from segue.flips.table.engine import Answer, Engine
from segue.flips.table.layout import Layout
from segue.flips.table.slicing import SAMPLE_ROWS
from segue.flips.table.state import CELL_BASE

_QUANTITIES = ("old", "new", "change")


@dataclass(frozen=True)
class ScoreMoments:
    """Sums of weights and scores per cell, direction of change and group: enough for every mean and its variance.

    Scores are taken relative to a typical one, ``shift``, so that the squares of large scores do not swallow their
    differences.
    """

    answer: Answer
    shift: dict[str, float]
    grouped: bool
    weighted: bool

    @classmethod
    def of(cls, engine: Engine, layout: Layout, state: str) -> ScoreMoments:
        """Add up the scores of all samples that count.

        Args:
            engine: Where the relations are.
            layout: Where the columns are.
            state: The SQL of a row's state.

        Returns:
            The sums.
        """
        shift = {"change": 0.0}
        for name, place in (("old", layout.old), ("new", layout.new)):
            few = f"(SELECT {place.key} AS x FROM {place.side}_side LIMIT {SAMPLE_ROWS}) AS few"
            typical = float(engine.table(f"SELECT avg(x) AS x FROM {few}", "")["x"].astype(np.float64)[0])
            shift[name] = typical if np.isfinite(typical) else 0.0
        old, new = layout.old.sql, layout.new.sql
        values = {"old": f"{old} - {shift['old']!r}", "new": f"{new} - {shift['new']!r}", "change": f"{new} - {old}"}
        inner = [f"{state} AS state", *(f"{sql} AS x_{name}" for name, sql in values.items())]
        inner += [f"{'1' if layout.weight is None else layout.weight.sql} AS w", f"{old} AS o_", f"{new} AS n_"]
        keys = ["cell", "direction"]
        if layout.group is not None:
            inner.append(f"{layout.group.sql} AS grp")
            keys.append("grp")
        sums = ["count(*) AS n", "sum(w) AS m", "sum(w * w) AS mm", "min(o_) AS lo", "min(n_) AS ln"]
        sums += ["max(o_) AS ho", "max(n_) AS hn"]
        for name in _QUANTITIES:
            sums += [f"sum(w * x_{name}) AS t_{name}", f"sum(w * w * x_{name}) AS b_{name}"]
            sums.append(f"sum(w * w * x_{name} * x_{name}) AS c_{name}")
        direction = f"CASE WHEN n_ > o_ THEN {POSITIVE_FLIP} WHEN n_ < o_ THEN {NEGATIVE_FLIP} ELSE 0 END"
        chosen = [f"state % {CELL_BASE} AS cell", f"{direction} AS direction"]
        if layout.group is not None:
            chosen.append("grp")
        by = ", ".join(str(number + 1) for number in range(len(keys)))
        answer = engine.table(
            f"SELECT {', '.join([*chosen, *sums])} FROM (SELECT {', '.join(inner)} FROM {layout.matched}) AS r "
            f"WHERE state % {CELL_BASE} < {N_CELLS} GROUP BY {by}",
            "adding up scores",
        )
        return cls(answer, shift, layout.group is not None, layout.weight is not None)

    @property
    def cell(self) -> NDArray[np.int64]:
        """Cell of the rows, ``(rows,)``."""
        return self.answer["cell"].astype(np.int64)

    @property
    def sign(self) -> NDArray[np.int64]:
        """Whether the score of the rows rose at all, dropped or stayed, as a cell, ``(rows,)``."""
        return self.answer["direction"].astype(np.int64)

    @property
    def low(self) -> float:
        """The smallest score of either model."""
        return float(min(self._number("lo").min(), self._number("ln").min()))

    @property
    def high(self) -> float:
        """The largest score of either model."""
        return float(max(self._number("ho").max(), self._number("hn").max()))

    def sums(self, quantity: str, among: NDArray[np.bool_] | None = None, *, flip: bool = False) -> ScoreSums:
        """Return the sums of a quantity, with the sign flipped if asked, over some rows."""
        here = np.ones(len(self.cell), dtype=bool) if among is None else among
        count, mass, squares, total, linear, square = (
            self._number(name)[here] for name in ("n", "m", "mm", f"t_{quantity}", f"b_{quantity}", f"c_{quantity}")
        )
        if not mass.sum() > 0:
            return ScoreSums(0, 0.0, 0.0, 0.0)
        mean = total.sum() / mass.sum()
        units = int(count.sum())
        spread = max(float(square.sum() - 2 * mean * linear.sum() + mean**2 * squares.sum()), 0.0)
        if self.grouped:
            group = np.unique(self.answer["grp"][here].astype(np.str_), return_inverse=True)[1]
            residual = np.bincount(group, weights=total - mean * mass)
            units, spread = len(residual), float(np.sum(residual**2))
        correction = units / (units - 1) if units > 1 else 1.0
        value = float(total.sum() + self.shift[quantity] * mass.sum())
        weight = float(mass.sum())
        return ScoreSums(units, weight, -value if flip else value, spread / weight**2 * correction)

    def signs(self, seed: int) -> Tally:
        """Return the sums of rises, drops and neither."""
        sign, count = self.sign, self._number("n")
        weights = squares = groups = None
        if self.weighted:
            weights, squares = (
                np.bincount(sign, weights=self._number(name), minlength=N_CELLS).astype(np.float64)
                for name in ("m", "mm")
            )
        if self.grouped:
            names, number = np.unique(self.answer["grp"].astype(np.str_), return_inverse=True)
            flat = np.bincount(number * N_CELLS + sign, weights=self._number("m"), minlength=len(names) * N_CELLS)
            groups = flat.reshape(len(names), N_CELLS).astype(np.float64)
        counts = np.bincount(sign, weights=count, minlength=N_CELLS).round().astype(np.int64)
        return Tally(counts, weights, squares, groups, seed)

    def _number(self, name: str) -> NDArray[np.float64]:
        return self.answer[name].astype(np.float64)
