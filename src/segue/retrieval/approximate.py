"""Approximate search: an index of faiss proposes, and what it proposes is scored and ordered as in the exact search."""

from __future__ import annotations

import re

import faiss
import numpy as np
from numpy.typing import NDArray

from segue.errors import InputError
from segue.flips.checks import counted
from segue.retrieval.exact import prepared
from segue.retrieval.order import LAST, first, keys
from segue.retrieval.scores import scores_of
from segue.retrieval.vectors import Metric, Vectors, blocks

# Training k-means on more vectors than this per cell makes faiss subsample by itself.
MOST_TRAINING_ROWS = 1 << 18
# What faiss says of k-means that gets fewer vectors than it is to find centres.
TOO_FEW = re.compile(r"training points \((\d+)\) .* clusters \((\d+)\)")


def approximate(
    queries: Vectors,
    gallery: Vectors,
    k: int,
    metric: Metric,
    exclude: NDArray[np.int64],
    memory: int,
    index: faiss.Index | str,
) -> NDArray[np.uint64]:
    """Search with an index.

    Args:
        queries: The queries, ``(q, d)``.
        gallery: The gallery, ``(n, d)``.
        k: How many to find; at most ``n``.
        metric: The metric.
        exclude: The gallery row that is no answer to each query, ``(q,)``; -1 for none.
        memory: Bytes of working memory; the index itself comes on top.
        index: An index over this gallery, or the string of a faiss index factory.

    Returns:
        Sorting keys, ``(q, k)``; :data:`segue.retrieval.order.LAST` where the index found no more.
    """
    built = build(gallery, metric, index, memory) if isinstance(index, str) else fitting(index, gallery, metric)
    found = np.full((len(queries), k), LAST, dtype=np.uint64)
    width = min(len(gallery), k + 1) if (exclude >= 0).any() else k
    chunk = max(1, memory // 4 // (width * 64 + queries.dimension * 16))
    for start in range(0, len(queries), chunk):
        rows = np.arange(start, min(start + chunk, len(queries)))
        proposed = _proposed(built, prepared(queries.values[rows], metric), width)
        packed = np.full(proposed.shape, LAST, dtype=np.uint64)
        held = np.nonzero((proposed >= 0) & (proposed != exclude[rows][:, None]))
        scores = scores_of(queries.values, rows[held[0]], gallery.values, proposed[held], metric)
        packed[held] = keys(scores, proposed[held])
        best = first(packed, k)
        found[rows, : best.shape[1]] = best
    return found


def _proposed(index: faiss.Index, queries: NDArray[np.float32], width: int) -> NDArray[np.int64]:
    try:
        return np.asarray(index.search(queries, width)[1])
    except RuntimeError as error:
        raise InputError(f"index can't be searched: {_said(error)}; pass another one") from error


def build(gallery: Vectors, metric: Metric, factory: str, memory: int) -> faiss.Index:
    """Build an index over a gallery.

    Args:
        gallery: The gallery.
        metric: The metric.
        factory: The string of a faiss index factory, such as ``"IVF1024,Flat"``.
        memory: Bytes of working memory beside the index.

    Returns:
        The index.

    Raises:
        InputError: If faiss does not understand the string, or has too few vectors to train on.
    """
    kind = faiss.METRIC_L2 if metric == "l2" else faiss.METRIC_INNER_PRODUCT
    try:
        index = faiss.index_factory(gallery.dimension, factory, kind)
        if not index.is_trained:
            _accept_few(index)
            step = -(-len(gallery) // MOST_TRAINING_ROWS)
            index.train(prepared(gallery.values[::step], metric))
        for _, block in blocks(gallery.values, max(1, memory // 4 // (4 * gallery.dimension))):
            index.add(prepared(block, metric))
    except RuntimeError as error:
        raise InputError(_why(error, factory, gallery)) from error
    return index


def _accept_few(index: faiss.Index) -> None:
    # faiss writes to stderr that it would like more vectors per centre
    found = faiss.downcast_index(faiss.try_extract_index_ivf(index) or index)
    for trained in (found, getattr(found, "pq", None)):
        if trained is not None and hasattr(trained, "cp"):
            trained.cp.min_points_per_centroid = 1


def _why(error: RuntimeError, factory: str, gallery: Vectors) -> str:
    few = TOO_FEW.search(str(error))
    if few:
        return (
            f"index {factory!r} is trained on at least {int(few[2]):,} vectors, and gets {int(few[1]):,} of "
            f"{gallery.name}; pass a factory string with fewer cells or shorter codes, or leave index out"
        )
    return (
        f"index {factory!r} can't be built over {counted(len(gallery), 'vector')} of "
        f"{counted(gallery.dimension, 'dimension')}: {_said(error)}; pass another factory string or an index"
    )


def _said(error: RuntimeError) -> str:
    # without where in faiss it was raised
    return re.sub(r"^Error in .* at \S+:\d+: (Error: )?", "", str(error).strip().splitlines()[-1])


def fitting(index: faiss.Index, gallery: Vectors, metric: Metric) -> faiss.Index:
    """Refuse an index that can't be over this gallery.

    Args:
        index: The caller's index.
        gallery: The gallery.
        metric: The metric.

    Returns:
        The same index.

    Raises:
        InputError: If it is no index, or its size, dimension or metric differ.
    """
    if not isinstance(index, (faiss.Index, faiss.IndexBinary)):
        raise InputError(f"index is a {type(index).__name__}; pass a faiss index or the string of an index factory")
    if isinstance(index, faiss.IndexBinary) or index.d != gallery.dimension or index.ntotal != len(gallery):
        raise InputError(
            f"index holds {counted(index.ntotal, 'vector')} of {counted(index.d, 'dimension')} and gallery "
            f"{len(gallery):,} of {gallery.dimension:,}; pass the index of this gallery, its ids being the gallery's "
            f"rows"
        )
    kind = faiss.METRIC_L2 if metric == "l2" else faiss.METRIC_INNER_PRODUCT
    if index.metric_type != kind:
        wanted = "squared distances (METRIC_L2)" if metric == "l2" else "inner products (METRIC_INNER_PRODUCT)"
        rows = " of normalised rows" if metric == "cosine" else ""
        raise InputError(f"index compares by another metric; for metric={metric!r} pass one that takes {wanted}{rows}")
    return index
