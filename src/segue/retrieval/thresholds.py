"""What happens at the old threshold: false accepts and false rejects before and after the upgrade."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segue.errors import InputError
from segue.flips import intervals
from segue.flips.checks import group_numbers, proportion
from segue.flips.counts import NEGATIVE_FLIP, Counts, Tally
from segue.flips.estimate import Estimate
from segue.flips.intervals import NEW_RIGHT, NEW_WRONG, OLD_WRONG
from segue.retrieval.all_pairs import GENUINE, IMPOSTOR, AllPairs, cut, decisions
from segue.retrieval.metrics.threshold import allowed
from segue.retrieval.nearest import MEMORY, working_memory
from segue.retrieval.relevance import Relevance
from segue.retrieval.vectors import Metric, as_vectors, known_metric, same_dimension


@dataclass(frozen=True)
class Rates:
    """The errors of two systems on the same pairs.

    Attributes:
        old: Share of the pairs on which the old system errs.
        new: Share on which the new one errs.
        change: New minus old, paired.
        newly: Share on which the new system errs and the old one did not.
        pairs: The pairs by who is right about them.
    """

    old: Estimate
    new: Estimate
    change: Estimate
    newly: Estimate
    pairs: Counts

    def to_dict(self) -> dict[str, Any]:
        """Return the numbers by name."""
        rates = {name: getattr(self, name).to_dict() for name in ("old", "new", "change", "newly")}
        return rates | {"pairs": self.pairs.to_dict()}


@dataclass(frozen=True)
class Matched:
    """The new system at a threshold of its own, with the old rate of false accepts.

    Attributes:
        threshold: The smallest at which the new system accepts no more impostors than the old one does at its own;
            -inf where the old one accepts all.
        false_accepts: Share of the impostor pairs it then accepts: the old share, less where scores tie.
        true_accepts: Share of the genuine pairs it then accepts.
        true_accepts_change: That minus the old system's share, paired.
    """

    threshold: float
    false_accepts: Estimate
    true_accepts: Estimate
    true_accepts_change: Estimate

    def to_dict(self) -> dict[str, Any]:
        """Return the numbers by name."""
        threshold = self.threshold if math.isfinite(self.threshold) else None
        names = ("false_accepts", "true_accepts", "true_accepts_change")
        return {"threshold": threshold} | {name: getattr(self, name).to_dict() for name in names}


@dataclass(frozen=True)
class ThresholdStudy:
    """What two systems accept at the old system's threshold, on all pairs of queries and gallery items.

    Attributes:
        threshold: The old threshold: a pair is accepted when its score is above it.
        far: The rate of false accepts for which it was set on these same pairs; ``None`` where it was given.
        metric: How vectors are compared.
        queries: Number of queries.
        false_accepts: Impostor pairs accepted.
        false_rejects: Genuine pairs rejected.
        matched: The new system at a threshold of its own.
        groups: Number of groups the queries came in; ``None`` where they are independent.
        confidence: Nominal coverage of the intervals.
    """

    threshold: float
    far: float | None
    metric: str
    queries: int
    false_accepts: Rates
    false_rejects: Rates
    matched: Matched
    groups: int | None = None
    confidence: float = 0.95

    def __str__(self) -> str:
        """Return in words what was found."""
        accepts, rejects, matched = self.false_accepts, self.false_rejects, self.matched
        origin = "given" if self.far is None else f"set on these pairs for at most {self.far:.4%} false accepts"
        return (
            f"At the old threshold {self.threshold:.4g} ({origin}) the old system accepts {accepts.old.percent(4)} of "
            f"{accepts.pairs.samples:,} impostor pairs, and the new one {accepts.new.percent(4)} (change "
            f"{accepts.change.percent(4, signed=True)}). The old system rejects {rejects.old.percent()} of "
            f"{rejects.pairs.samples:,} genuine pairs, and the new one {rejects.new.percent()} (change "
            f"{rejects.change.percent(signed=True)}); {rejects.newly.percent()} are rejected only now. With a "
            f"threshold of its own, {matched.threshold:.4g}, the new system has the old rate of false accepts, and "
            f"accepts {matched.true_accepts.percent()} of the genuine pairs (change "
            f"{matched.true_accepts_change.percent(signed=True)})."
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the numbers by name, ready for JSON."""
        told = {name: value for name, value in asdict(self).items() if not isinstance(value, dict)}
        return told | {name: getattr(self, name).to_dict() for name in ("false_accepts", "false_rejects", "matched")}


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
    group = group_numbers(groups, len(relevance))
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
        if (len(one), len(other)) != (len(relevance), relevance.gallery):
            raise InputError(
                f"{one.name} and {other.name} have {len(one):,} and {len(other):,} rows, relevance "
                f"{len(relevance):,} and {relevance.gallery:,}; pass the relevance of these queries in this gallery"
            )
    share = memory // len(asked)
    blocks = cut(len(relevance), relevance.gallery, max(vectors.dimension for vectors in held), share)
    return [AllPairs(one, other, relevance, metric, blocks, share) for one, other in zip(asked, held, strict=True)]


def _at_far(pairs: AllPairs, far: float) -> float:
    return pairs.threshold(allowed(far, pairs.impostors, "far", "impostor pairs"))


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
