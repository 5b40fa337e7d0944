"""The backfill curve: quality while the gallery is re-embedded item by item (Jaeckle et al., FastFill, ICLR 2023)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segue.errors import InputError
from segue.flips.checks import counted, group_numbers, proportion, seed_number
from segue.flips.estimate import Estimate
from segue.retrieval.backfill_result import BackfillCurve
from segue.retrieval.embedded import refuse_relevance_of_others, refuse_telling_nothing
from segue.retrieval.estimates import mean_difference, mean_over_queries
from segue.retrieval.measures import named_measure
from segue.retrieval.mixed import MixedGallery, Side
from segue.retrieval.nearest import MEMORY, working_memory
from segue.retrieval.relevance import Relevance
from segue.retrieval.vectors import as_vectors, known_metric, same_dimension


def backfill_curve(
    queries: ArrayLike,
    gallery_before: ArrayLike,
    gallery_after: ArrayLike,
    order: ArrayLike,
    relevance: Relevance,
    *,
    steps: int = 20,
    measure: str = "cmc@1",
    metric: str = "cosine",
    queries_before: ArrayLike | None = None,
    groups: ArrayLike | None = None,
    confidence: float = 0.95,
    seed: int = 0,
    memory: int = MEMORY,
) -> BackfillCurve:
    r"""Measure a search after each part of a backfill.

    .. math:: \tilde M = \mathrm{E}_{\beta \sim U[0,1]} \; M(\text{gallery with the first } \beta n \text{ items in
        order } \pi \text{ re-embedded})

    is the area under the curve (FastFill, section 3), here by trapezoids. The points are exact: each is what
    :func:`segue.retrieval.measures.query_values` gives for the gallery as it then stands. All of them together cost
    two searches of the gallery, not one per point.

    Args:
        queries: Query vectors of the new model, ``(q, d)``.
        gallery_before: What stands in the index at the start, in a space that the queries can search: the old
            vectors of a compatible model, or mapped old vectors, ``(n, d)``.
        gallery_after: The new model's vectors of the same items, ``(n, d)``.
        order: The gallery's rows in the order in which they are re-embedded, ``(n,)``.
        relevance: What is relevant to these queries in this gallery.
        steps: How many parts of equal size the backfill is cut into.
        measure: The measure's name, such as ``"cmc@1"``, ``"map"`` or ``"ndcg@10"``.
        metric: ``"cosine"``, ``"inner-product"`` or ``"l2"``.
        queries_before: What searches the items that are not yet re-embedded, where that is something else, such as
            queries mapped to the old space: ``(q, d_before)``. The scores of both searches are put into one ranking
            as they are. ``gallery_before`` may then have another dimension than ``gallery_after``.
        groups: Which person, product or session each query comes from, ``(q,)``.
        confidence: Nominal coverage of the intervals.
        seed: Seed of the bootstrap.
        memory: Bytes of working memory beside the inputs and the results.

    Returns:
        The curve.

    Raises:
        InputError: If anything passed is not as described; the sentence says what and where.

    Example:
        >>> relevance = Relevance.from_labels(["cat", "dog"], ["cat", "dog"])
        >>> before, after = [[0.0, 1.0], [1.0, 0.0]], [[1.0, 0.0], [0.0, 1.0]]  # swapped, and right
        >>> curve = backfill_curve([[1.0, 0.1], [0.1, 1.0]], before, after, [0, 1], relevance, steps=2)
        >>> curve.shares.tolist(), [point.value for point in curve.quality]  # halfway all is at [1, 0]
        ([0.0, 0.5, 1.0], [0.0, 0.5, 1.0])
        >>> curve.query_areas.tolist()
        [0.75, 0.25]
    """
    proportion(confidence, "confidence")
    seed_number(seed)
    kind, asked = known_metric(metric), named_measure(measure)
    new, old = as_vectors(queries, "queries", kind), as_vectors(gallery_before, "gallery_before", kind)
    earlier = new if queries_before is None else as_vectors(queries_before, "queries_before", kind)
    after = as_vectors(gallery_after, "gallery_after", kind)
    for searching, searched in ((earlier, old), (new, after)):
        same_dimension(searching, searched)
    for one, other, what in ((old, after, "gallery items"), (new, earlier, "queries")):
        if len(one) != len(other):
            raise InputError(
                f"{one.name} has {counted(len(one), 'row')} and {other.name} {len(other):,}; pass the same {what} in "
                f"the same order"
            )
    refuse_relevance_of_others(relevance, {"queries": new, "gallery_before": old})
    refuse_telling_nothing(relevance)
    group = group_numbers(groups, len(new), "queries")
    rows = _order(order, len(old))
    reached = np.arange(_steps(steps, len(old)) + 1) * len(old) // int(steps)
    parts = tuple(np.sort(part) for part in np.split(rows, reached[1:-1]))
    mixed = MixedGallery(Side(earlier, old), Side(new, after), parts, relevance, kind, working_memory(memory))
    values = mixed.values(asked)
    # whole numbers of items: a query that is always answered has an area of exactly 1
    areas = np.diff(reached) @ (values[:-1] + values[1:]) / (2 * len(old))
    return BackfillCurve(
        measure=asked.name,
        metric=kind,
        gallery=len(old),
        shares=reached / len(old),
        quality=tuple(mean_over_queries(at, groups=groups, confidence=confidence, seed=seed) for at in values),
        area=mean_over_queries(areas, groups=groups, confidence=confidence, seed=seed),
        query_areas=areas,
        confidence=confidence,
        groups=None if group is None else len(np.unique(group[np.isfinite(areas)])),
    )


def area_difference(
    baseline: BackfillCurve,
    curve: BackfillCurve,
    *,
    groups: ArrayLike | None = None,
    confidence: float = 0.95,
    seed: int = 0,
) -> Estimate:
    """Compare two orders, or two ways to start, by the area under their curves: query by query.

    Args:
        baseline: What is compared against, such as the curve of a random order.
        curve: The other.
        groups: Which person, product or session each query comes from, ``(q,)``.
        confidence: Nominal coverage.
        seed: Seed of the bootstrap.

    Returns:
        The area under ``curve`` minus that under ``baseline``, with its paired interval.

    Raises:
        InputError: If they are no curves, or of other measures, shares or queries.

    Example:
        >>> relevance = Relevance.from_labels(["cat"], ["dog", "cat"])
        >>> before, after = [[1.0, 0.0], [0.2, 1.0]], [[0.0, 1.0], [1.0, 0.0]]  # the dog stands where the cat will
        >>> dog_first, cat_first = (
        ...     backfill_curve([[1.0, 0.1]], before, after, rows, relevance, steps=2) for rows in ([0, 1], [1, 0])
        ... )
        >>> dog_first.area.value, cat_first.area.value, area_difference(cat_first, dog_first).value
        (0.75, 0.25, 0.5)
    """
    for name, given in (("baseline", baseline), ("curve", curve)):
        if not isinstance(given, BackfillCurve):
            raise InputError(f"{name} is a {type(given).__name__}; pass what backfill_curve(...) returns")
    for name, one, other in (
        ("measure", baseline.measure, curve.measure),
        ("metric", baseline.metric, curve.metric),
        ("number of queries", len(baseline.query_areas), len(curve.query_areas)),
        ("size of the gallery", baseline.gallery, curve.gallery),
        ("number of steps", len(baseline.shares) - 1, len(curve.shares) - 1),
    ):
        if one != other:
            raise InputError(
                f"the {name} of baseline is {one} and that of curve {other}; measure both curves in the same way"
            )
    return mean_difference(baseline.query_areas, curve.query_areas, groups=groups, confidence=confidence, seed=seed)


def random_order(items: int, seed: int = 0) -> NDArray[np.int64]:
    """Return the rows of a gallery in random order: what any other order has to beat.

    Args:
        items: Number of gallery items.
        seed: Seed of the shuffle.

    Returns:
        Each row once, ``(n,)``.

    Raises:
        InputError: If the number is no whole number of at least 1, or the seed none of at least 0.

    Example:
        >>> sorted(random_order(4, seed=1).tolist())
        [0, 1, 2, 3]
    """
    if isinstance(items, bool) or not isinstance(items, (int, np.integer)) or items < 1:
        raise InputError(f"items is {items!r}; pass the number of gallery items, at least 1")
    return np.random.default_rng(seed_number(seed)).permutation(int(items)).astype(np.int64)


def _steps(steps: int, items: int) -> int:
    if isinstance(steps, bool) or not isinstance(steps, (int, np.integer)) or not 1 <= steps <= items:
        raise InputError(f"steps is {steps!r}; pass a whole number from 1 to the gallery's {items:,}")
    return int(steps)


def _order(order: ArrayLike, items: int) -> NDArray[np.int64]:
    wanted = f"pass each of the gallery's {items:,} rows once, from 0 to {items - 1:,}, the first to re-embed first"
    try:
        rows = np.asarray(order)
    except ValueError as error:
        raise InputError(f"order can't be read as an array ({error}); {wanted}") from error
    if rows.shape != (items,) or rows.dtype.kind not in "iu":
        raise InputError(f"order has shape {rows.shape} and type {rows.dtype}; {wanted}")
    outside = np.flatnonzero((rows < 0) | (rows >= items))
    if len(outside):
        raise InputError(f"order names row {rows[outside[0]]} at position {outside[0]}; {wanted}")
    count = np.bincount(rows.astype(np.int64), minlength=items)
    if count.max() > 1:
        raise InputError(
            f"order names row {int(np.argmax(count > 1))} more than once and leaves out "
            f"{counted(int((count == 0).sum()), 'row')}; {wanted}"
        )
    return rows.astype(np.int64)
