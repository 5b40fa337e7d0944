"""The gallery's nearest items to each query."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segue.errors import InputError, require
from segue.flips.checks import counted, same_length
from segue.retrieval.hits import Hits
from segue.retrieval.order import unpacked
from segue.retrieval.vectors import Vectors, as_vectors, known_metric, same_dimension

if TYPE_CHECKING:
    import faiss

MEMORY = 1 << 30
LEAST_MEMORY = 1 << 20
MOST_ROWS = 2**32 - 1


def search(
    queries: ArrayLike,
    gallery: ArrayLike,
    k: int,
    *,
    metric: str = "cosine",
    exclude: ArrayLike | None = None,
    memory: int = MEMORY,
    index: faiss.Index | str | None = None,
) -> Hits:
    """Find the ``k`` nearest gallery vectors of each query, exactly unless an approximate index is asked for.

    A score is the exact value rounded to a 32-bit float, so that equal vectors always tie; ties are put in the order
    of the gallery's rows. The result does not depend on the number of threads, on ``memory`` or on the other queries.

    Metrics that depend on the order of items take the ties as they stand here. A model that gives many items the same
    score is then judged by the order of the gallery: put the gallery in an order that knows nothing of relevance.

    Args:
        queries: Query vectors, ``(q, d)``: floating-point numbers or integers, in memory or memory mapped.
        gallery: Gallery vectors, ``(n, d)``, likewise. Never copied as a whole.
        k: How many to find.
        metric: ``"cosine"``, ``"inner-product"`` or ``"l2"`` (the score is then minus the squared distance).
        exclude: The gallery row of each query's own copy, ``(q,)``, -1 for queries without one. It alone is left out:
            other items with the same vector are found.
        memory: Bytes of working memory beside the inputs and the result.
        index: For an approximate search: a faiss index that holds exactly this gallery (normalised rows and inner
            product for cosine), or the string of a faiss index factory such as ``"HNSW32"`` to build one. What it
            proposes is scored and ordered as in the exact search.

    Returns:
        Rows ``(q, k)`` and scores ``(q, k)``, best first; -1 and -inf where the gallery has no more items.

    Raises:
        InputError: If anything passed is not as described; the sentence says what and where.
        MissingExtraError: If faiss is not installed.

    Example:
        >>> gallery = [[0.0, 2.0], [3.0, 3.0], [5.0, 0.0], [1.0, 0.0]]
        >>> hits = search([[1.0, 0.0]], gallery, k=3)
        >>> hits.rows.tolist(), hits.scores.round(3).tolist()
        ([[2, 3, 1]], [[1.0, 1.0, 0.7070000171661377]])
        >>> search([[1.0, 0.0]], gallery, k=3, exclude=[2]).rows.tolist()
        [[3, 1, 0]]
        >>> search([[1.0, 0.0]], gallery, k=2, metric="l2").scores.tolist()
        [[0.0, -5.0]]
    """
    kind = known_metric(metric)
    if isinstance(k, bool) or not isinstance(k, (int, np.integer)) or k < 1:
        raise InputError(f"k is {k!r}; pass a whole number of at least 1")
    asked, held = as_vectors(queries, "queries", kind), gallery_vectors(gallery, kind)
    same_dimension(asked, held)
    own, budget = own_rows(exclude, asked, held), working_memory(memory)
    wanted = min(int(k), len(held))
    # Metrics and relevance work without faiss, on hits from elsewhere.
    require("faiss", "retrieval", "the search")
    from segue.retrieval.approximate import approximate
    from segue.retrieval.exact import exact

    if index is None:
        packed = exact(asked, held, wanted, kind, own, budget)
    else:
        packed = approximate(asked, held, wanted, kind, own, budget, index)
    rows, scores = unpacked(packed)
    missing = ((0, 0), (0, int(k) - wanted))
    return Hits(np.pad(rows, missing, constant_values=-1), np.pad(scores, missing, constant_values=-np.inf))


def gallery_vectors(values: ArrayLike, metric: str) -> Vectors:
    """Read a gallery.

    Args:
        values: The caller's gallery, ``(n, d)``.
        metric: The metric.

    Returns:
        The gallery.

    Raises:
        InputError: If something is wrong with it.
    """
    held = as_vectors(values, "gallery", known_metric(metric))
    if len(held) >= MOST_ROWS:
        raise InputError(f"gallery has {len(held):,} rows; search parts of fewer than {MOST_ROWS:,} rows each")
    return held


def built_index(gallery: Vectors, metric: str, factory: str, memory: int) -> faiss.Index:
    """Build an index over a gallery, to search it with several sets of queries.

    Args:
        gallery: The gallery, ``(n, d)``.
        metric: The metric.
        factory: The string of a faiss index factory.
        memory: Bytes of working memory beside the index.

    Returns:
        The index, for :func:`search`.

    Raises:
        InputError: If faiss does not understand the string, or has too few vectors to train on.
        MissingExtraError: If faiss is not installed.
    """
    require("faiss", "retrieval", "the search")
    from segue.retrieval.approximate import build

    return build(gallery, known_metric(metric), factory, working_memory(memory))


def own_rows(exclude: ArrayLike | None, queries: Vectors | int, gallery: Vectors | int) -> NDArray[np.int64]:
    """Read the gallery row of each query's own copy.

    Args:
        exclude: The caller's rows, ``(q,)``; ``None`` where no query has a copy.
        queries: The queries, or how many there are.
        gallery: The gallery, or how many items it has.

    Returns:
        One row per query, -1 for none.

    Raises:
        InputError: If they are no rows of the gallery, or not one per query.
    """
    count, size = (held if isinstance(held, int) else len(held) for held in (queries, gallery))
    if exclude is None:
        return np.full(count, -1, dtype=np.int64)
    wanted = "pass the gallery row of each query's own copy as an integer, -1 where it has none"
    try:
        rows = np.asarray(exclude)
    except (TypeError, ValueError) as error:
        raise InputError(f"exclude can't be read as an array ({error}); {wanted}") from error
    if rows.ndim != 1 or rows.dtype.kind not in "iu":
        raise InputError(f"exclude has shape {rows.shape} and type {rows.dtype}; {wanted}")
    same_length({"queries": range(count), "exclude": rows})
    outside = np.flatnonzero((rows < -1) | (rows >= size))
    if len(outside):
        raise InputError(
            f"exclude names {counted(len(outside), 'row')} outside the gallery's {size:,}, first at query {outside[0]} "
            f"({rows[outside[0]]}); pass rows from 0 to {size - 1:,}, or -1 for none"
        )
    return rows.astype(np.int64)


def working_memory(memory: int) -> int:
    """Return the bytes of working memory.

    Args:
        memory: The caller's number.

    Returns:
        The same.

    Raises:
        InputError: If it is no number, or less than a megabyte.
    """
    if isinstance(memory, bool) or not isinstance(memory, (int, float, np.integer, np.floating)):
        raise InputError(f"memory is {memory!r}; pass a number of bytes, such as {MEMORY:,} (1 GB)")
    if not LEAST_MEMORY <= memory < math.inf:
        raise InputError(f"memory is {memory!r} bytes; pass at least {LEAST_MEMORY:,} (1 MB)")
    return int(memory)
