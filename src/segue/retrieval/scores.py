r"""The score of a query and a gallery vector: larger is nearer, and equal vectors always have equal scores.

=================  =========================================================
``cosine``         :math:`q \cdot x / (\|q\| \, \|x\|)`
``inner-product``  :math:`q \cdot x`
``l2``             :math:`-\|q - x\|^2`: minus the *squared* distance
=================  =========================================================

A score is computed in double precision and then rounded to 32 bits. Two scores are a tie when these are equal.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segue.errors import InputError
from segue.flips.checks import counted, same_length
from segue.retrieval.vectors import SLAB, Metric, as_vectors, known_metric, same_dimension


def pair_scores(left: ArrayLike, right: ArrayLike, *, metric: str = "cosine") -> NDArray[np.float32]:
    """Score pairs of vectors, row by row: what verification is measured on.

    Args:
        left: One vector of each pair, ``(n, d)``.
        right: The other, ``(n, d)``.
        metric: ``"cosine"``, ``"inner-product"`` or ``"l2"``.

    Returns:
        The scores, ``(n,)``; larger is nearer.

    Raises:
        InputError: If shapes differ, or something is wrong with the vectors.

    Example:
        >>> pair_scores([[3.0, 4.0], [1.0, 0.0]], [[6.0, 8.0], [0.0, 2.0]]).tolist()
        [1.0, 0.0]
        >>> pair_scores([[3.0, 4.0]], [[0.0, 0.0]], metric="l2").tolist()
        [-25.0]
    """
    kind = known_metric(metric)
    one, other = as_vectors(left, "left", kind), as_vectors(right, "right", kind)
    same_dimension(one, other)
    same_length({"left": one.values, "right": other.values})
    rows = np.arange(len(one))
    return scores_of(one.values, rows, other.values, rows, kind)


def scores_of(
    queries: NDArray[Any],
    query_rows: NDArray[np.int64],
    gallery: NDArray[Any],
    gallery_rows: NDArray[np.int64],
    metric: Metric,
) -> NDArray[np.float32]:
    """Score pairs of rows, each pair alone, so that a score depends on nothing but its two vectors.

    Args:
        queries: Query vectors, ``(q, d)``.
        query_rows: The query of each pair, ``(p,)``.
        gallery: Gallery vectors, ``(n, d)``.
        gallery_rows: The gallery vector of each pair, ``(p,)``.
        metric: The metric.

    Returns:
        The scores, ``(p,)``.
    """
    scores = np.empty(len(query_rows), dtype=np.float32)
    step = max(1, SLAB // queries.shape[1])
    for start in range(0, len(scores), step):
        part = slice(start, start + step)
        left = queries[query_rows[part]].astype(np.float64)
        right = gallery[gallery_rows[part]].astype(np.float64)
        if metric == "cosine":
            left, right = in_range(left), in_range(right)
            squares = np.einsum("pd,pd->p", left, left) * np.einsum("pd,pd->p", right, right)
            scores[part] = np.einsum("pd,pd->p", left, right) / np.sqrt(squares)
        elif metric == "l2":
            left -= right
            scores[part] = -np.einsum("pd,pd->p", left, left)
        else:
            scores[part] = np.einsum("pd,pd->p", left, right)
    return scores


def score_matrix(
    queries: NDArray[Any], query_rows: NDArray[np.int64], gallery: NDArray[Any], start: int, stop: int, metric: Metric
) -> NDArray[np.float32]:
    r"""Score all pairs of some queries and a stretch of the gallery: the same numbers as :func:`scores_of`.

    One product of matrices in doubles gives a score up to an error of at most
    :math:`\epsilon = 2 \gamma_{d+16} \, \|q\| \|x\|` (Higham, Accuracy and Stability of Numerical Algorithms, 2002,
    section 3.1; :math:`(\|q\| + \|x\|)^2` for distances). Where :math:`s - \epsilon` and :math:`s + \epsilon` round to
    different 32-bit numbers, which is rare, the pair is scored alone.

    Args:
        queries: Query vectors, ``(q, d)``.
        query_rows: The queries to score, ``(c,)``.
        gallery: Gallery vectors, ``(n, d)``.
        start: First gallery row.
        stop: The row behind the last.
        metric: The metric.

    Returns:
        The scores, ``(c, stop - start)``.
    """
    left, right = queries[query_rows].astype(np.float64), gallery[start:stop].astype(np.float64)
    if metric == "cosine":
        left, right = unit(left), unit(right)
    elif metric == "l2":
        # Far from the origin |q|^2 + |x|^2 - 2qx would lose what the distance is made of.
        centre = right.mean(axis=0)
        left, right = left - centre, right - centre
    one, other = np.einsum("qd,qd->q", left, left), np.einsum("nd,nd->n", right, right)
    scores = left @ right.T
    error = np.outer(np.sqrt(one), np.sqrt(other))
    if metric == "l2":
        scores *= 2
        scores -= one[:, None]
        scores -= other
        error = one[:, None] + other + 2 * error
    error *= 2 * (left.shape[1] + 16) * np.finfo(np.float64).eps
    rounded = (scores - error).astype(np.float32)
    np.add(scores, error, out=error)
    unsure = np.nonzero(rounded != error.astype(np.float32))
    rounded[unsure] = scores_of(queries, query_rows[unsure[0]], gallery, unsure[1] + start, metric)
    return rounded


def unit(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return rows of Euclidean length 1.

    Args:
        rows: Rows that are not zero, ``(n, d)``.

    Returns:
        The rows divided by their lengths.
    """
    rows = in_range(rows)
    return np.asarray(rows / np.sqrt(np.einsum("nd,nd->n", rows, rows))[:, None])


def in_range(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return rows whose squares neither overflow nor vanish: multiplied by powers of two, which is exact, if need be.

    Args:
        rows: Rows that are not zero, ``(n, d)``.

    Returns:
        The rows themselves where they are in range.
    """
    largest = np.maximum(rows.max(axis=1), -rows.min(axis=1))
    if largest.min() > 1e-60 and largest.max() < 1e60:
        return rows
    return np.asarray(np.ldexp(rows, -np.frexp(largest)[1][:, None]))


def refuse_scores(values: ArrayLike, name: str) -> NDArray[np.float64]:
    """Read a caller's scores.

    Args:
        values: Scores, ``(n,)``.
        name: What the caller calls them.

    Returns:
        The scores in doubles.

    Raises:
        InputError: If they are no finite numbers, or none.
    """
    try:
        scores = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"{name} can't be read as numbers ({error}); pass one score per pair") from error
    if scores.ndim != 1 or not len(scores):
        raise InputError(f"{name} has shape {scores.shape}; pass at least one score, shape (n,)")
    bad = np.flatnonzero(~np.isfinite(scores))
    if len(bad):
        raise InputError(
            f"{name} has {counted(len(bad), 'NaN or infinite score')}, first at position {bad[0]}; remove these pairs"
        )
    return scores
