"""Old clusters under new vectors: which photos leave the album they were in?"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segue.errors import InputError
from segue.flips.checks import class_column, counted, group_numbers, proportion, same_length, seed_number
from segue.retrieval.agreement import adjusted_rand, bcubed
from segue.retrieval.cluster_result import Agreement, ClusterLoss, ClusterStudy, Truth
from segue.retrieval.estimates import mean_difference, mean_over_queries
from segue.retrieval.nearest import MEMORY, working_memory
from segue.retrieval.nearest_centroid import Centroids, assigned, centroids_of
from segue.retrieval.vectors import as_vectors, known_metric, same_dimension


def cluster_study(
    gallery_old: ArrayLike,
    gallery_new: ArrayLike,
    clusters: ArrayLike,
    *,
    labels: ArrayLike | None = None,
    held_out: ArrayLike | None = None,
    metric: str = "cosine",
    groups: ArrayLike | None = None,
    confidence: float = 0.95,
    seed: int = 0,
    memory: int = MEMORY,
) -> ClusterStudy:
    """Assign items to old centroids by their old and by their new vectors, and compare with the clusters they are in.

    The old vectors show what the rule can reach: however the clusters were made, some items lie nearer to another
    centroid. By default every item also has a part in its own old centroid, which is how a collection stands on the
    day of the upgrade, but favours the old vectors where clusters are small: the new ones have no part in any. With
    ``held_out`` the centroids are those of the other items, and the study is one of items that arrive later.

    Args:
        gallery_old: The old model's vectors, ``(n, d)``.
        gallery_new: The new vectors of the same items in a space with the old ones, ``(n, d)``: of a compatible
            model, or mapped.
        clusters: The old cluster of each item, ``(n,)``: integers or strings. Every value is a cluster, -1 too.
        labels: What each item truly is, ``(n,)``, if known.
        held_out: Which items are assigned, ``(n,)`` flags; the centroids are those of the others. All items do both
            by default; a single item is never left out of its own centroid alone.
        metric: ``"cosine"``, ``"inner-product"`` or ``"l2"``.
        groups: Which items move together, ``(n,)``, such as photos of one event. By default items are independent
            given the clusters; pass ``groups=clusters`` for a statement on other clusters than these.
        confidence: Nominal coverage of the intervals.
        seed: Seed of the bootstrap.
        memory: Bytes of working memory.

    Returns:
        The study.

    Raises:
        InputError: If anything passed is not as described; the sentence says what and where.

    Example:
        >>> old = [[1.0, 0.0], [1.0, 0.1], [0.0, 1.0], [0.1, 1.0]]
        >>> new = [[1.0, 0.0], [0.1, 1.0], [0.0, 1.0], [0.1, 1.0]]
        >>> study = cluster_study(old, new, ["sea", "sea", "hill", "hill"])
        >>> study.moved_old.value, study.moved_new.value, study.assigned_new.tolist()
        (0.0, 0.25, ['sea', 'hill', 'hill', 'hill'])
        >>> print(study.losses[0])
        sea (keeps 50% of 2 items by new vectors, 100% by old ones)
    """
    proportion(confidence, "confidence")
    seed_number(seed)
    kind, budget = known_metric(metric), working_memory(memory)
    old, new = as_vectors(gallery_old, "gallery_old", kind), as_vectors(gallery_new, "gallery_new", kind)
    same_dimension(old, new)
    given = class_column(clusters, "clusters")
    columns = {"gallery_old": old.values, "gallery_new": new.values, "clusters": given}
    true = None if labels is None else class_column(labels, "labels")
    same_length(columns if true is None else columns | {"labels": true})
    if len(np.unique(given)) < 2:
        raise InputError(f"clusters holds the single cluster {given[0]!s}; nothing can leave it: pass at least two")
    group = group_numbers(groups, len(given), "gallery_old")
    here = np.arange(len(given)) if held_out is None else _held_out(held_out, given)
    rest = here if held_out is None else np.setdiff1d(np.arange(len(given)), here)
    known = centroids_of(old, given, rest, kind)
    by_old, by_new = (assigned(vectors, here, known, budget) for vectors in (old, new))
    asked = given[here]
    moved = [(answer != asked).astype(np.float64) for answer in (by_old, by_new)]
    options: dict[str, Any] = {
        "groups": None if group is None else group[here],
        "confidence": confidence,
        "seed": seed,
    }
    return ClusterStudy(
        items=len(here),
        clusters=len(known.names),
        metric=kind,
        held_out=held_out is not None,
        old=Agreement(bcubed(asked, by_old), adjusted_rand(asked, by_old)),
        new=Agreement(bcubed(asked, by_new), adjusted_rand(asked, by_new)),
        moved_old=mean_over_queries(moved[0], **options),
        moved_new=mean_over_queries(moved[1], **options),
        moved_change=mean_difference(*moved, **options),
        truth=None if true is None else Truth(*(bcubed(true[here], found) for found in (asked, by_old, by_new))),
        losses=_losses(known, asked, by_old, by_new),
        assigned_old=by_old,
        assigned_new=by_new,
        confidence=confidence,
        groups=None if group is None else len(np.unique(group[here])),
    )


def _held_out(flags: ArrayLike, clusters: NDArray[Any]) -> NDArray[np.int64]:
    chosen = np.asarray(flags)
    if chosen.shape != clusters.shape or chosen.dtype.kind != "b":
        raise InputError(
            f"held_out has shape {chosen.shape} and type {chosen.dtype}; pass one flag (True or False) per item, shape "
            f"({len(clusters):,},)"
        )
    if not chosen.any():
        raise InputError("held_out holds no item out; flag the items to assign, or leave it out to assign all")
    lost = np.setdiff1d(clusters, clusters[~chosen])
    if len(lost):
        raise InputError(
            f"held_out leaves {counted(len(lost), 'cluster')} without items, first {lost[0]!s}; keep at least one item "
            f"of each cluster for its centroid"
        )
    return np.flatnonzero(chosen)


def _losses(
    known: Centroids, clusters: NDArray[Any], by_old: NDArray[Any], by_new: NDArray[Any]
) -> tuple[ClusterLoss, ...]:
    place = np.searchsorted(known.names, clusters)
    count, old, new = (
        np.bincount(place, weights=weights, minlength=len(known.names))
        for weights in (None, by_old == clusters, by_new == clusters)
    )
    names = known.names.tolist()
    worst = [number for number in np.argsort(new - old, kind="stable").tolist() if count[number]]
    return tuple(
        ClusterLoss(names[number], int(count[number]), *(float(kept[number] / count[number]) for kept in (old, new)))
        for number in worst
    )
