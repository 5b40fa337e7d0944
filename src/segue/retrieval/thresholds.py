"""What happens at the old threshold: false accepts and false rejects before and after the upgrade."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segue.errors import InputError
from segue.flips import intervals
from segue.flips.checks import group_numbers, proportion, seed_number
from segue.flips.counts import NEGATIVE_FLIP, Tally
from segue.flips.estimate import Estimate
from segue.flips.intervals import NEW_RIGHT, NEW_WRONG, OLD_WRONG
from segue.retrieval.all_pairs import GENUINE, IMPOSTOR, AllPairs, cut, decisions
from segue.retrieval.embedded import refuse_relevance_of_others
from segue.retrieval.metrics.threshold import allowed
from segue.retrieval.nearest import MEMORY, working_memory
from segue.retrieval.relevance import Relevance
from segue.retrieval.threshold_study import Matched, Rates, ThresholdStudy
from segue.retrieval.vectors import Metric, as_vectors, known_metric, same_dimension


def at_old_threshold(
    queries_old: ArrayLike,
    queries_new: ArrayLike,
    gallery_old: ArrayLike,
    gallery_new: ArrayLike,
    relevance: Relevance,
    *,
    threshold: float | None = None,
    far: float = 1e-3,
    metric: str = "cosine",
    groups: ArrayLike | None = None,
    confidence: float = 0.95,
    seed: int = 0,
    memory: int = MEMORY,
) -> ThresholdStudy:
    """Hold the old threshold against the new system's scores: all pairs of queries and gallery items.

    A pair is genuine when the item is relevant to the query, and an impostor otherwise; own copies are left out. With
    judgements that name few items, matches that nobody judged count as impostors.

    The pairs of a query depend on each other. Rates are shares of all pairs, and their intervals those of samples in
    groups (:mod:`segue.flips.intervals`), each query, or each of ``groups``, being one. That several queries meet the
    same gallery item is not accounted for, nor is how sure the thresholds are.

    A threshold that is set on the very pairs it is measured on has, for the old system, the rate it was set for by
    construction; only other pairs show what it does elsewhere, and the new system's rates are not favoured so. Pass
    the threshold in use, or one set on other items (:func:`threshold_at_far`). The new system's own threshold is set
    on these pairs in any case.

    Args:
        queries_old: Query vectors of the old system, ``(q, d_old)``.
        queries_new: Query vectors of the new system, ``(q, d_new)``.
        gallery_old: Gallery vectors that the old queries search, ``(n, d_old)``.
        gallery_new: Gallery vectors that the new queries search, ``(n, d_new)``: the old ones again, mapped ones, or
            those of the new model.
        relevance: What is relevant to these queries in this gallery.
        threshold: The old threshold; set on the old system's pairs by default.
        far: The share of false accepts that it is then set for.
        metric: ``"cosine"``, ``"inner-product"`` or ``"l2"`` (scores are minus the squared distance).
        groups: Which person, product or session each query comes from, ``(q,)``.
        confidence: Nominal coverage of the intervals.
        seed: Seed of the bootstrap.
        memory: Bytes of working memory. Scores that fit in half of it are computed once; where they don't, each
            system's are computed four times.

    Returns:
        The study.

    Raises:
        InputError: If anything passed is not as described, there are no genuine or no impostor pairs, or too few
            impostors for such a rate.

    Example:
        >>> relevance = Relevance.from_labels(["ann", "bob"], ["ann", "bob"])
        >>> old = [[1.0, 0.0], [0.0, 1.0]]
        >>> new = [[1.0, 0.0], [1.0, 0.2]]  # all look alike to it
        >>> study = at_old_threshold(old, new, old, new, relevance, threshold=0.5)
        >>> study.false_accepts.old.value, study.false_accepts.new.value, study.false_rejects.new.value
        (0.0, 1.0, 0.0)
        >>> study.matched.true_accepts.value  # above 0.98, which is what the two score with each other
        1.0
    """
    proportion(confidence, "confidence")
    seed_number(seed)
    kind, budget = known_metric(metric), working_memory(memory)
    old, new = _pairs(
        {"queries_old": queries_old, "queries_new": queries_new},
        {"gallery_old": gallery_old, "gallery_new": gallery_new},
        relevance,
        kind,
        budget,
    )
    for count, what, other in ((old.genuine, "genuine", "relevant"), (old.impostors, "impostor", "not relevant")):
        if not count:
            raise InputError(f"relevance has no {what} pair; pass queries to which something in the gallery is {other}")
    group = group_numbers(groups, len(relevance), "queries_old")
    limit = _threshold(threshold) if threshold is not None else _at_far(old, far)
    found = decisions(old, new, limit, limit)
    accepted = _tally(found[IMPOSTOR], group, seed)
    passing = int(accepted.counts[list(OLD_WRONG)].sum())
    own = new.threshold(passing) if passing < new.impostors else -math.inf
    at_own = decisions(old, new, limit, own)
    genuine, impostor = (_tally(at_own[kind], group, seed) for kind in (GENUINE, IMPOSTOR))
    return ThresholdStudy(
        threshold=limit,
        far=float(far) if threshold is None else None,
        metric=kind,
        queries=len(relevance),
        false_accepts=_rates(accepted, confidence),
        false_rejects=_rates(_tally(found[GENUINE], group, seed), confidence),
        matched=Matched(
            own,
            intervals.rate(impostor, NEW_WRONG, confidence=confidence),
            intervals.rate(genuine, NEW_RIGHT, confidence=confidence),
            intervals.accuracy_change(genuine, confidence),
        ),
        groups=None if group is None else int(group.max()) + 1,
        confidence=confidence,
    )


def threshold_at_far(
    queries: ArrayLike,
    gallery: ArrayLike,
    relevance: Relevance,
    far: float,
    *,
    metric: str = "cosine",
    memory: int = MEMORY,
) -> float:
    r"""Set a threshold on all pairs of queries and gallery items: the one of :func:`segue.retrieval.tar_at_far`.

    It is the smallest score ``t`` with :math:`\#\{\mathrm{impostor} > t\} \le \mathrm{FAR} \cdot m`, found without
    keeping the ``m`` scores.

    Args:
        queries: Query vectors, ``(q, d)``.
        gallery: Gallery vectors, ``(n, d)``.
        relevance: What is relevant to these queries in this gallery; all other pairs are impostors.
        far: The largest allowed share of false accepts, such as 1e-3.
        metric: ``"cosine"``, ``"inner-product"`` or ``"l2"``.
        memory: Bytes of working memory.

    Returns:
        The threshold; a pair is accepted when its score is above it.

    Raises:
        InputError: If anything passed is not as described, or there are too few impostors for such a rate.

    Example:
        >>> relevance = Relevance.from_labels([0], [0, 1, 1, 1, 1])
        >>> threshold_at_far([[1.0]], [[9.0], [4.0], [3.0], [2.0], [1.0]], relevance, 0.25, metric="inner-product")
        3.0
    """
    kind, budget = known_metric(metric), working_memory(memory)
    return _at_far(_pairs({"queries": queries}, {"gallery": gallery}, relevance, kind, budget)[0], far)


def _pairs(
    queries: Mapping[str, ArrayLike],
    galleries: Mapping[str, ArrayLike],
    relevance: Relevance,
    metric: Metric,
    memory: int,
) -> list[AllPairs]:
    asked, held = (
        [as_vectors(values, name, metric) for name, values in given.items()] for given in (queries, galleries)
    )
    for one, other in zip(asked, held, strict=True):
        same_dimension(one, other)
        refuse_relevance_of_others(relevance, {one.name: one, other.name: other})
    share = memory // len(asked)
    blocks = cut(len(relevance), relevance.gallery, max(vectors.dimension for vectors in held), share)
    return [AllPairs(one, other, relevance, metric, blocks, share) for one, other in zip(asked, held, strict=True)]


def _at_far(pairs: AllPairs, far: float) -> float:
    return pairs.threshold(allowed(far, pairs.impostors, "far", "impostor pair"))


def _threshold(threshold: float) -> float:
    try:
        limit = float(threshold)
    except (TypeError, ValueError):
        limit = math.nan
    if not math.isfinite(limit):
        raise InputError(f"threshold is {threshold!r}; pass a finite score, or leave it out to set it by far")
    return limit


def _tally(cells: NDArray[np.int64], group: NDArray[np.int64] | None, seed: int) -> Tally:
    sums = cells.astype(np.float64)
    if group is not None:
        sums = np.zeros((int(group.max()) + 1, cells.shape[1]))
        np.add.at(sums, group, cells)
    # a query without such pairs is no observation of them
    return Tally(cells.sum(axis=0), groups=sums[sums.any(axis=1)], seed=seed)


def _rates(tally: Tally, confidence: float) -> Rates:
    change = intervals.accuracy_change(tally, confidence)
    return Rates(
        old=intervals.rate(tally, OLD_WRONG, confidence=confidence),
        new=intervals.rate(tally, NEW_WRONG, confidence=confidence),
        change=Estimate(0.0 - change.value, 0.0 - change.high, 0.0 - change.low),
        newly=intervals.rate(tally, (NEGATIVE_FLIP,), confidence=confidence),
        pairs=tally.as_counts(),
    )
