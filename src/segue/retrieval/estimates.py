"""Means over queries, and of differences between two systems on the same queries, with their intervals.

Hits and misses (0 and 1) are answers right and wrong, and get the exact and score intervals of :mod:`segue.flips`.
Graded values get three intervals, the wider end counting: the bootstrap over queries (or over groups of queries, where
several show the same person or product), Student's, and one made of the exact share of queries that differ from the
best or the worst value, which does not collapse to a point when all queries agree. The bootstrap adds to Student's
what a skewed metric asks for: a longer end on the side where few queries lie far off.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segue.errors import InputError
from segue.flips import intervals
from segue.flips.checks import counted, group_numbers, proportion, same_length, seed_number, values_of
from segue.flips.counts import POSITIVE_FLIP, Tally
from segue.flips.estimate import Estimate
from segue.flips.graded import Change, ScoreSums, graded_cells
from segue.retrieval.bootstrap import bootstrap

Undefined = Literal["leave out", "zero"]
Groups = NDArray[np.int64] | None


def mean_over_queries(
    values: ArrayLike,
    *,
    groups: ArrayLike | None = None,
    undefined: Undefined = "leave out",
    confidence: float = 0.95,
    seed: int = 0,
) -> Estimate:
    """Average a metric over queries.

    Args:
        values: The metric of each query, ``(q,)``, in [0, 1]; NaN where nothing is relevant.
        groups: Which person, product or session each query comes from, ``(q,)``; every query on its own by default.
        undefined: What queries to which nothing is relevant count: ``"leave out"``, as image retrieval and
            verification do (the value says nothing of the model), or ``"zero"``, as trec_eval does for judged queries.
        confidence: Nominal coverage.
        seed: Seed of the bootstrap.

    Returns:
        The mean with its interval; undefined, with [0, 1], where no query is left.

    Raises:
        InputError: If values are no numbers in [0, 1].

    Example:
        >>> print(mean_over_queries([1.0] * 100))
        1 [0.9638, 1]
        >>> mean_over_queries([1.0, 0.0, float("nan")]).value
        0.5
        >>> round(mean_over_queries([1.0, 0.0, float("nan")], undefined="zero").value, 4)
        0.3333
    """
    proportion(confidence, "confidence")
    seed_number(seed)
    metric, group = _counted_queries({"values": as_metric(values, "values")}, groups, undefined)
    here = metric["values"]
    if not len(here):
        return Estimate(float("nan"), 0.0, 1.0)
    if _hits_and_misses(here):
        return intervals.rate(
            Tally.of(graded_cells(here, 0.0), None, group, seed), (POSITIVE_FLIP,), confidence=confidence
        )
    student = _sums(here, group).mean(confidence, 0.0, 1.0)
    # how far the mean is from the worst and from the best value: a share of queries times a mean among them
    above, below = (_share_times_mean(away, group, confidence, seed) for away in (here, 1 - here))
    parted = Estimate(student.value, min(above.low, 1 - below.high), max(above.high, 1 - below.low))
    ends = [student, parted, bootstrap(here, group, confidence, seed)]
    return _widest(student.value, ends, 0.0, 1.0)


def mean_difference(
    old: ArrayLike,
    new: ArrayLike,
    *,
    groups: ArrayLike | None = None,
    undefined: Undefined = "leave out",
    confidence: float = 0.95,
    seed: int = 0,
) -> Estimate:
    """Average the change of a metric over queries that both systems answered.

    Args:
        old: The old system's metric of each query, ``(q,)``, in [0, 1]; NaN where nothing is relevant.
        new: The new system's, ``(q,)``.
        groups: Which person, product or session each query comes from, ``(q,)``.
        undefined: What queries to which nothing is relevant count; see :func:`mean_over_queries`.
        confidence: Nominal coverage.
        seed: Seed of the bootstrap.

    Returns:
        The mean of new minus old with its paired interval: for hits and misses that of an accuracy change; else
        Student's, that of the shares of queries that rise and fall (as for graded scores in
        :mod:`segue.flips.graded`), and the bootstrap over queries, the wider end counting.

    Raises:
        InputError: If lengths differ, or a query is defined for one system only.

    Example:
        >>> change = mean_difference([0.0] * 50 + [1.0] * 50, [0.0] * 40 + [1.0] * 60)
        >>> round(change.value, 3), change.low > 0
        (0.1, True)
    """
    proportion(confidence, "confidence")
    seed_number(seed)
    both = {"old": as_metric(old, "old"), "new": as_metric(new, "new")}
    same_length(both)
    apart = np.flatnonzero(np.isnan(both["old"]) != np.isnan(both["new"]))
    if len(apart):
        raise InputError(
            f"old and new disagree on whether anything is relevant to {len(apart):,} of the queries, first at query "
            f"{apart[0]}; measure both with the same relevance"
        )
    metric, group = _counted_queries(both, groups, undefined)
    difference = metric["new"] - metric["old"]
    if not len(difference):
        return Estimate(float("nan"), -1.0, 1.0)
    if _hits_and_misses(metric["old"], metric["new"]):
        return intervals.accuracy_change(Tally.of(graded_cells(difference, 0.0), None, group, seed), confidence)
    change = Change.of(difference, 1.0, groups=group, seed=seed).mean(confidence)
    resampled = bootstrap(difference, group, confidence, seed)
    return _widest(change.value, [change, resampled], -1.0, 1.0)


def as_metric(values: ArrayLike, name: str) -> NDArray[np.float64]:
    """Read the values that a metric has for each query.

    Args:
        values: The caller's values, ``(q,)``, in [0, 1]; NaN where nothing is relevant.
        name: What the caller calls them.

    Returns:
        The values; what exceeds 1 by rounding alone is 1.

    Raises:
        InputError: If they are no numbers in [0, 1].
    """
    try:
        given = np.asarray(values)
        text = given.dtype.kind == "O" and any(isinstance(value, (str, bytes)) for value in given.flat)
        read = None if text or given.dtype.kind in "USTcmMV" else given.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"{name} can't be read as numbers ({error}); pass one value per query") from error
    if read is None:
        raise InputError(f"{name} holds {values_of(given)}; pass one number per query")
    array: NDArray[np.float64] = read
    if array.ndim != 1 or not len(array):
        raise InputError(f"{name} has shape {array.shape}; pass one value per query, shape (q,)")
    outside = np.flatnonzero((array < 0) | (array > 1 + 1e-12))
    if len(outside):
        raise InputError(
            f"{name} has {counted(len(outside), 'value')} outside [0, 1], first at query {outside[0]} "
            f"({array[outside[0]]:g}); pass the values of a metric between 0 and 1"
        )
    return np.minimum(array, 1.0)


def _counted_queries(
    values: dict[str, NDArray[np.float64]], groups: ArrayLike | None, undefined: str
) -> tuple[dict[str, NDArray[np.float64]], Groups]:
    if undefined not in {"leave out", "zero"}:
        raise InputError(f"undefined is {undefined!r}; pass 'leave out' or 'zero'")
    count = len(next(iter(values.values())))
    group = group_numbers(groups, count, next(iter(values)))
    if undefined == "zero":
        return {name: np.nan_to_num(array) for name, array in values.items()}, group
    kept = np.logical_and.reduce([~np.isnan(array) for array in values.values()])
    return {name: array[kept] for name, array in values.items()}, None if group is None else group[kept]


def _hits_and_misses(*metrics: NDArray[np.float64]) -> bool:
    return all(bool(((values == 0) | (values == 1)).all()) for values in metrics)


def _sums(values: NDArray[np.float64], group: Groups, among: NDArray[np.bool_] | None = None) -> ScoreSums:
    chosen = slice(None) if among is None else among
    return ScoreSums.of(values[chosen], None, None if group is None else group[chosen])


def _share_times_mean(values: NDArray[np.float64], group: Groups, confidence: float, seed: int) -> Estimate:
    signs = graded_cells(values, 0.0)
    share = intervals.rate(Tally.of(signs, None, group, seed), (POSITIVE_FLIP,), confidence=confidence)
    return intervals.product(share, _sums(values, group, signs == POSITIVE_FLIP).severity(confidence, 1.0))


def _widest(value: float, ends: list[Estimate], least: float, most: float) -> Estimate:
    low, high = min(end.low for end in ends), max(end.high for end in ends)
    return Estimate(value, max(least, low), min(most, high))
