r"""Exact search: faiss proposes, doubles decide, and what was proposed is proved to be enough.

faiss multiplies matrices of 32-bit floats, whose rounding depends on where a vector happens to stand: two equal gallery
vectors may get different scores, and ties come back in any order. So faiss is asked for a few items more than wanted;
these are scored anew, each pair alone (:mod:`segue.retrieval.scores`), and put in order. An item that was not proposed
scores at most :math:`t + \epsilon`, where ``t`` is the lowest proposed score in faiss's arithmetic and

.. math:: \epsilon = \gamma_{d+16} \, \|q\| \max_x \|x\|

bounds its rounding (Higham, Accuracy and Stability of Numerical Algorithms, 2002, section 3.1), with twice as many
roundings for cosine and :math:`(\|q\| + \|x\|)^2` for distances. Where the last wanted
item is above that, the proof is complete. The other queries, those with many near ties at the cut, are compared with
the whole gallery in doubles.
"""

from __future__ import annotations

from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from segue.retrieval.order import LAST, first, keys, unpacked
from segue.retrieval.scores import score_matrix, scores_of, unit
from segue.retrieval.vectors import SLAB, Metric, Vectors, blocks

SPARE = 10
MOST_BLOCK_ROWS = 1 << 16
UNIT_ROUNDOFF = 2.0**-24
# Squared lengths that 32-bit sums hold without loss.
SAFE_SQUARES = (1e-20, 1e20)

Keys = NDArray[np.uint64]


def exact(queries: Vectors, gallery: Vectors, k: int, metric: Metric, exclude: NDArray[np.int64], memory: int) -> Keys:
    """Find the ``k`` nearest gallery rows of each query.

    Args:
        queries: The queries, ``(q, d)``.
        gallery: The gallery, ``(n, d)``.
        k: How many; at most ``n``.
        metric: The metric.
        exclude: The gallery row that is no answer to each query, ``(q,)``; -1 for none.
        memory: Bytes of working memory.

    Returns:
        Sorting keys of rows and scores, ``(q, k)``, see :mod:`segue.retrieval.order`.
    """
    width = min(len(gallery), k + max(SPARE, k // 4))
    chunk = max(1, memory // 4 // (width * 64 + queries.dimension * 16))
    centre = _centre(gallery) if metric == "l2" else None
    found = np.empty((len(queries), k), dtype=np.uint64)
    for start in range(0, len(queries), chunk):
        rows = np.arange(start, min(start + chunk, len(queries)))
        proposed, lowest, error = _propose(queries, rows, gallery, width, metric, centre, memory)
        best = _decided(queries, rows, gallery, proposed, metric, exclude)
        found[rows] = best[:, :k]
        if width < len(gallery):
            last = _last_score(found[rows])
            unsure = rows[~(last > lowest + error)]
            if len(unsure):
                found[unsure] = nearest_in_doubles(queries.values, unsure, gallery.values, k, metric, exclude, memory)
    return found


def nearest_in_doubles(
    queries: NDArray[Any],
    query_rows: NDArray[np.int64],
    gallery: NDArray[Any],
    k: int,
    metric: Metric,
    exclude: NDArray[np.int64],
    memory: int,
) -> Keys:
    """Compare some queries with the whole gallery in doubles.

    Args:
        queries: Query vectors, ``(q, d)``.
        query_rows: The queries to answer, ``(c,)``.
        gallery: Gallery vectors, ``(n, d)``.
        k: How many to find; at most ``n``.
        metric: The metric.
        exclude: The gallery row that is no answer to each query, ``(q,)``; -1 for none.
        memory: Bytes of working memory.

    Returns:
        Sorting keys, ``(c, k)``.
    """
    dimension = gallery.shape[1]
    block = int(np.clip(memory // 8 // (24 * dimension), 1, len(gallery)))
    chunk = max(1, memory // 2 // (48 * block + 32 * k + 24 * dimension))
    found = np.full((len(query_rows), k), LAST, dtype=np.uint64)
    for start in range(0, len(query_rows), chunk):
        here = query_rows[start : start + chunk]
        best = found[start : start + chunk]
        for begin in range(0, len(gallery), block):
            end = min(begin + block, len(gallery))
            scores = score_matrix(queries, here, gallery, begin, end, metric)
            packed = keys(scores, np.arange(begin, end))
            own = exclude[here] - begin
            inside = np.flatnonzero((own >= 0) & (own < end - begin))
            packed[inside, own[inside]] = LAST
            best[:] = first(np.concatenate([best, first(packed, k)], axis=1), k)
    return found


def prepared(
    values: NDArray[Any],
    metric: Metric,
    centre: NDArray[np.float32] | None = None,
    space: NDArray[np.float32] | None = None,
) -> NDArray[np.float32]:
    """Return vectors as faiss compares them: of length 1 for cosine, around the gallery's centre for distances.

    Args:
        values: The vectors, ``(n, d)``.
        metric: The metric.
        centre: What to subtract for distances, ``(d,)``; nothing by default.
        space: Where a copy may be written, ``(at least n, d)``; new memory by default.

    Returns:
        The same vectors where nothing has to be changed, a copy otherwise.
    """
    if metric != "cosine" and centre is None:
        return np.ascontiguousarray(values, dtype=np.float32)
    ready = np.empty(values.shape, dtype=np.float32) if space is None else space[: len(values)]
    for start, block in blocks(values, max(1, SLAB // values.shape[1])):
        part = ready[start : start + len(block)]
        if centre is not None:
            np.subtract(block, centre, out=part, casting="same_kind")
        else:
            _to_length_one(block, part)
    return ready


def _to_length_one(block: NDArray[Any], out: NDArray[np.float32]) -> None:
    if block.dtype == np.float32:
        with np.errstate(over="ignore", under="ignore"):
            squares = np.einsum("nd,nd->n", block, block)
        if squares.min() > SAFE_SQUARES[0] and squares.max() < SAFE_SQUARES[1]:
            np.divide(block, np.sqrt(squares)[:, None], out=out)
            return
    out[:] = unit(block.astype(np.float64))


def _propose(
    queries: Vectors,
    rows: NDArray[np.int64],
    gallery: Vectors,
    width: int,
    metric: Metric,
    centre: NDArray[np.float32] | None,
    memory: int,
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Return proposed rows (c, width), the lowest proposed score (c,) and the error of any such score (c,)."""
    asked = prepared(queries.values[rows], metric, centre)
    kind = faiss.METRIC_L2 if metric == "l2" else faiss.METRIC_INNER_PRODUCT
    sign = np.float32(-1.0 if metric == "l2" else 1.0)
    block = int(np.clip(memory // 4 // (4 * gallery.dimension), 1, MOST_BLOCK_ROWS))
    scores = np.empty((len(rows), 0), dtype=np.float32)
    found = np.empty((len(rows), 0), dtype=np.int64)
    longest = 0.0
    space = np.empty((min(block, len(gallery)), gallery.dimension), dtype=np.float32)
    for start, part in blocks(gallery.values, block):
        ready = prepared(part, metric, centre, space)
        longest = max(longest, _longest(ready)) if metric == "l2" else longest
        distances, places = faiss.knn(asked, ready, min(width, len(ready)), metric=kind)
        scores = np.concatenate([scores, sign * distances], axis=1)
        found = np.concatenate([found, places + start], axis=1)
        if scores.shape[1] > width:
            kept = np.argpartition(-scores, width - 1, axis=1)[:, :width]
            scores, found = np.take_along_axis(scores, kept, axis=1), np.take_along_axis(found, kept, axis=1)
    if metric == "cosine":
        scale = np.ones(len(rows))
    else:
        lengths = np.sqrt(np.einsum("qd,qd->q", asked, asked, dtype=np.float64))
        scale = (lengths + longest) ** 2 if metric == "l2" else lengths * gallery.longest
    # Dividing by 32-bit lengths adds at most as many roundings as the product itself.
    steps = (gallery.dimension * (2 if metric == "cosine" else 1) + 24) * UNIT_ROUNDOFF
    error = scale * steps / (1 - steps) + (gallery.dimension + 16) * float(np.finfo(np.float32).tiny)
    return found, scores.min(axis=1).astype(np.float64), error


def _decided(
    queries: Vectors,
    rows: NDArray[np.int64],
    gallery: Vectors,
    proposed: NDArray[np.int64],
    metric: Metric,
    exclude: NDArray[np.int64],
) -> Keys:
    asking = np.repeat(rows, proposed.shape[1])
    scores = scores_of(queries.values, asking, gallery.values, proposed.ravel(), metric).reshape(proposed.shape)
    packed = keys(scores, proposed)
    packed[proposed == exclude[rows][:, None]] = LAST
    packed.sort(axis=1)
    return packed


def _last_score(packed: Keys) -> NDArray[np.float64]:
    """Return the score of each query's last wanted item; -inf where even that is missing."""
    return unpacked(packed[:, -1])[1].astype(np.float64)


def _centre(gallery: Vectors) -> NDArray[np.float32]:
    rows = max(1, SLAB // gallery.dimension)
    total = np.zeros(gallery.dimension)
    for _, block in blocks(gallery.values, rows):
        total += block.sum(axis=0, dtype=np.float64)
    return np.asarray(total / len(gallery), dtype=np.float32)


def _longest(ready: NDArray[np.float32]) -> float:
    return float(np.sqrt(np.einsum("nd,nd->n", ready, ready).max())) * (1 + 1e-3)
