"""Slice columns of tables: categories as they are, numbers and dates cut at their quintiles.

The rule is that of slices of arrays (``segue.flips.slices``): words, booleans and integers with at most 20 values are
categories; other numbers and dates are cut at their quintiles, and a missing value is a slice of its own. Where a
column has few different values the engine counts each of them and the quintiles follow from these counts; where it
has many, the four quintiles are found first, exactly and in little memory, by counting values in ever finer ranges.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segue.errors import InputError
from segue.flips.checks import MISSING
from segue.flips.slices import MOST_CATEGORIES, are_categories, bin_names, quantile_edges, quintile_ranks
from segue.flips.table.engine import Engine
from segue.flips.table.kinds import Kind
from segue.flips.table.layout import Layout, Placed
from segue.flips.table.sql import literal

SAMPLE_ROWS = 50_000
MANY_NUMBERS = 2000
"""With more different values than this, a numeric column's quintiles are found before samples are counted."""

_RANGES_PER_ROUND = 4096
_FEW = 20_000
_ORDERED = {Kind.INTEGER, Kind.FLOAT, Kind.TIME}


@dataclass(frozen=True)
class Slicing:
    """How one column cuts the samples into slices.

    Attributes:
        name: The column's name.
        key: Its name in queries.
        sql: What a query groups by.
        kind: The kind of its values.
        expected: About how many different values a query will find.
        edges: Inner edges of a numeric column whose ranges the engine tells apart; ``None`` where it counts values.
    """

    name: str
    key: str
    sql: str
    kind: Kind
    expected: int
    edges: NDArray[np.float64] | None = None

    def categories(self, values: NDArray[Any], counts: NDArray[np.int64]) -> tuple[list[str], NDArray[np.int64]]:
        """Return the slices' names and the slice of each counted value.

        Args:
            values: The values that a query found, with repetitions, ``(rows,)``.
            counts: How many samples each row stands for, ``(rows,)``.

        Returns:
            The names, and a number for each row.

        Raises:
            InputError: If there are more than 1,000 categories.
        """
        missing = np.array([value is None for value in values.tolist()], dtype=bool)
        if self.edges is not None:
            code = np.where(missing, len(self.edges) + 1, np.where(missing, 0, values)).astype(np.int64)
            return [*bin_names(self.edges, self._dtype), MISSING], code
        if self.kind not in _ORDERED:
            names, code = np.unique(np.where(missing, MISSING, values.astype(np.str_)), return_inverse=True)
            _refuse_many(self.name, len(names))
            return [str(name) for name in names.tolist()], code.astype(np.int64)
        numbers = np.where(missing, 0, values).astype(np.int64 if self.kind is Kind.INTEGER else np.float64)
        found, totals = _totals(numbers[~missing], counts[~missing])
        present = found[totals > 0]
        if self.kind is not Kind.TIME and are_categories(present):
            code = np.where(missing, len(present), np.searchsorted(present, numbers))
            return [*(f"{value:.0f}" for value in present.tolist()), MISSING], code.astype(np.int64)
        # Infinite values have no part in the cuts, and lie in the outer bins.
        finite = np.isfinite(found)
        edges = quantile_edges(counted_quantiles(found[finite].astype(np.float64), totals[finite]))
        code = np.where(missing, len(edges) + 1, np.searchsorted(edges, numbers, side="right"))
        return [*bin_names(edges, self._dtype), MISSING], code.astype(np.int64)

    @property
    def _dtype(self) -> np.dtype[Any] | None:
        return np.dtype("datetime64[s]") if self.kind is Kind.TIME else None


def plan_slices(engine: Engine, layout: Layout, *, exact: bool = False) -> tuple[Slicing, ...]:
    """Decide for every slice column what the engine counts.

    Args:
        engine: Where the relations are.
        layout: Where the columns are.
        exact: Whether to look at all rows instead of the first ones.

    Returns:
        One plan per column.

    Raises:
        InputError: If a column has more than 1,000 categories.
    """
    found: dict[str, int] = {}
    for side in ("old", "new"):
        here = [place for place in layout.slices if place.side == side]
        if here:
            distinct = ", ".join(f"count(DISTINCT {place.key}) AS {place.key}" for place in here)
            rows = f"{side}_side" if exact else f"(SELECT * FROM {side}_side LIMIT {SAMPLE_ROWS}) AS few"
            answer = engine.table(f"SELECT {distinct} FROM {rows}", "slices" if exact else "")
            found |= {place.name: int(answer[place.key][0]) for place in here}
    return tuple(_plan(engine, place, found[place.name]) for place in layout.slices)


def _plan(engine: Engine, place: Placed, distinct: int) -> Slicing:
    slicing = Slicing(place.name, place.key, place.sql, place.kind, distinct + 1)
    if place.kind not in _ORDERED:
        if distinct > MOST_CATEGORIES:
            answer = engine.table(f"SELECT count(DISTINCT {place.key}) AS k FROM {place.side}_side", "slices")
            _refuse_many(place.name, int(answer["k"][0]))
        return slicing
    if distinct <= MANY_NUMBERS:
        return slicing
    edges = quantile_edges(np.array(exact_quantiles(engine, f"{place.side}_side", place.key)))
    cases = " ".join(f"WHEN {place.sql} < {edge!r} THEN {number}" for number, edge in enumerate(edges.tolist()))
    sql = f"CASE WHEN {place.sql} IS NULL THEN NULL {cases} ELSE {len(edges)} END"
    return replace(slicing, sql=sql, edges=edges, expected=len(edges) + 2)


def _refuse_many(name: str, distinct: int) -> None:
    if distinct > MOST_CATEGORIES:
        raise InputError(
            f"slices[{name!r}] has {distinct:,} different values, more than {MOST_CATEGORIES:,}; "
            f"bin them, or pass the column as groups if it names customers or patients"
        )


def counted_quantiles(values: NDArray[np.float64], counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the quintiles of numbers that are given with their counts, as the in-memory path finds them.

    Args:
        values: The numbers, ``(rows,)``, in any order, with repetitions.
        counts: How often each occurs, ``(rows,)``.

    Returns:
        The quantiles at 1/5, 2/5, ..., ``(4,)``; empty where nothing is counted.

    Example:
        >>> counted_quantiles(np.array([1.0, 2.0]), np.array([3, 3]))
        array([1., 1., 2., 2.])
    """
    found, totals = _totals(values, counts)
    reached = np.cumsum(totals)
    if not len(reached) or reached[-1] == 0:
        return np.empty(0)
    return found[np.searchsorted(reached, quintile_ranks(int(reached[-1])), side="right")]


def _totals(values: NDArray[Any], counts: NDArray[np.int64]) -> tuple[NDArray[Any], NDArray[np.int64]]:
    # The shortcut takes samples from one row that it has added to another, so only the sum per value is a count.
    found, number = np.unique(values, return_inverse=True)
    return found, np.bincount(number, weights=counts, minlength=len(found)).round().astype(np.int64)


def exact_quantiles(engine: Engine, relation: str, column: str) -> NDArray[np.float64]:
    """Return the quintiles of a column of any size.

    Args:
        engine: Where the relation is.
        relation: What to read.
        column: A column of numbers; infinite ones have no part in the quintiles.

    Returns:
        The quantiles at 1/5, 2/5, ..., ``(4,)``; empty where all values are missing or infinite.
    """
    low, high, total = _range(engine, relation, column)
    if not (np.isfinite(low) and np.isfinite(high)):
        largest = float(np.finfo(np.float64).max)
        relation = f"(SELECT {column} FROM {relation} WHERE {column} BETWEEN {-largest!r} AND {largest!r}) AS finite"
        low, high, total = _range(engine, relation, column)
    if total == 0:
        return np.empty(0)
    whole = (low, high, total)
    return np.array([_value_at(engine, relation, column, rank, whole) for rank in quintile_ranks(total)])


def _range(engine: Engine, relation: str, column: str) -> tuple[float, float, int]:
    """Return the lowest and the highest value of a column, and how many there are."""
    answer = engine.table(
        f"SELECT count({column}) AS n, min({column}) AS low, max({column}) AS high FROM {relation}", "ranges"
    )
    total = int(answer["n"][0])
    return (float(answer["low"][0]), float(answer["high"][0]), total) if total else (0.0, 0.0, 0)


def _value_at(engine: Engine, relation: str, column: str, rank: int, whole: tuple[float, float, int]) -> float:
    """Return the value at a rank, found by counting in ranges, then in ranges of the range that holds it, and so on."""
    low, high, count = whole
    skipped = 0
    while low < high and count > _FEW:
        width = (high - low) / _RANGES_PER_ROUND
        answer = engine.table(
            f"SELECT bin, count(*) AS n, min(x) AS low, max(x) AS high FROM (SELECT {column} AS x, "
            f"CAST(floor(({column} - {low!r}) / {width!r}) AS BIGINT) AS bin FROM {relation} "
            f"WHERE {column} >= {low!r} AND {column} <= {high!r}) AS r GROUP BY bin ORDER BY bin",
            "ranges",
        )
        reached = np.cumsum(answer["n"].astype(np.int64))
        place = int(np.searchsorted(reached, rank - skipped, side="right"))
        skipped += int(reached[place - 1]) if place else 0
        low, high, count = (float(answer["low"][place]), float(answer["high"][place]), int(answer["n"][place]))
    if low == high:
        return low
    answer = engine.table(
        f"SELECT {column} AS x FROM {relation} WHERE {column} >= {low!r} AND {column} <= {high!r} ORDER BY x", "ranges"
    )
    return float(answer["x"].astype(np.float64)[rank - skipped])


def known_slicing(layout: Layout, targets: Mapping[Any, Sequence[Any]], name: str, key: str) -> Slicing:
    """Return the slice that tells apart labels that the old model may know from those that it can't.

    Args:
        layout: Where the columns are.
        targets: What each old class may be called now.
        name: What the slice is called.
        key: Its name in queries.
    """
    reachable = sorted({target for several in targets.values() for target in several}, key=str)
    within = f"{layout.label} IN ({', '.join(map(literal, reachable))})" if reachable else "FALSE"
    return Slicing(name, key, f"CASE WHEN {within} THEN 'yes' ELSE 'no' END", Kind.TEXT, 2)
