"""Centroids of clusters, and the nearest of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segue.errors import InputError
from segue.flips.checks import class_column, counted, same_length
from segue.retrieval.nearest import MEMORY, search, working_memory
from segue.retrieval.notebook import Shown
from segue.retrieval.scores import unit
from segue.retrieval.vectors import SLAB, Metric, Vectors, as_vectors, blocks, known_metric, same_dimension

# A mean of unit vectors that is shorter than this is rounding, and has no direction.
NO_DIRECTION = 1e-9


@dataclass(frozen=True, eq=False)
class Centroids(Shown):
    """The centres of clusters.

    Attributes:
        names: The clusters in ascending order, ``(c,)``.
        vectors: Their centres, ``(c, d)``.
        sizes: Of how many items each centre is the mean, ``(c,)``.
        metric: How vectors are compared with them.
    """

    names: NDArray[Any]
    vectors: NDArray[np.float64]
    sizes: NDArray[np.int64]
    metric: Metric

    def __len__(self) -> int:
        """Return the number of clusters."""
        return len(self.names)

    def __str__(self) -> str:
        """Return in words what is held."""
        return (
            f"{counted(len(self), 'centroid')} of {counted(int(self.sizes.sum()), 'item')}, the smallest cluster with "
            f"{self.sizes.min():,}, the largest with {self.sizes.max():,}."
        )

    def to_dict(self) -> dict[str, Any]:
        """Return names, sizes and centres as lists, ready for JSON."""
        return {
            "metric": self.metric,
            "names": self.names.tolist(),
            "sizes": self.sizes.tolist(),
            "vectors": self.vectors.tolist(),
        }


def centroids(embeddings: ArrayLike, clusters: ArrayLike, *, metric: str = "cosine") -> Centroids:
    """Return the mean vector of each cluster: for cosine, of its vectors at length 1.

    Args:
        embeddings: The vectors, ``(n, d)``.
        clusters: The cluster of each, ``(n,)``: integers or strings. Every value is a cluster, -1 too.
        metric: ``"cosine"``, ``"inner-product"`` or ``"l2"``.

    Returns:
        The centroids.

    Raises:
        InputError: If something is wrong with vectors or clusters, or the vectors of a cluster cancel out.

    Example:
        >>> found = centroids([[0.0, 2.0], [0.0, 4.0], [6.0, 0.0]], ["a", "a", "b"], metric="l2")
        >>> found.names.tolist(), found.vectors.tolist(), found.sizes.tolist()
        (['a', 'b'], [[0.0, 3.0], [6.0, 0.0]], [2, 1])
    """
    kind = known_metric(metric)
    vectors, given = as_vectors(embeddings, "embeddings", kind), class_column(clusters, "clusters")
    same_length({"embeddings": vectors.values, "clusters": given})
    return centroids_of(vectors, given, np.arange(len(given)), kind)


def assign(embeddings: ArrayLike, known: Centroids, *, memory: int = MEMORY) -> NDArray[Any]:
    """Put vectors to the nearest centroid, by the metric of the centroids.

    Args:
        embeddings: The vectors, ``(n, d)``.
        known: The centroids. Among equally near ones the first takes the vector.
        memory: Bytes of working memory.

    Returns:
        The name of each vector's cluster, ``(n,)``.

    Raises:
        InputError: If something is wrong with the vectors, they have another dimension than the centroids, or these
            are something else.

    Example:
        >>> known = centroids([[0.0, 2.0], [0.0, 4.0], [6.0, 0.0]], ["a", "a", "b"])
        >>> assign([[1.0, 0.1], [0.1, 1.0]], known).tolist()
        ['b', 'a']
    """
    if not isinstance(known, Centroids):
        raise InputError(f"known is a {type(known).__name__}; pass what centroids(embeddings, clusters) returns")
    vectors = as_vectors(embeddings, "embeddings", known.metric)
    same_dimension(vectors, Vectors(known.vectors, "the centroids", 0.0))
    return assigned(vectors, np.arange(len(vectors)), known, working_memory(memory))


def centroids_of(vectors: Vectors, clusters: NDArray[Any], rows: NDArray[np.int64], metric: Metric) -> Centroids:
    """Return the centroids of some rows.

    Args:
        vectors: The vectors, ``(n, d)``.
        clusters: The cluster of each, ``(n,)``.
        rows: The rows that count, ``(m,)``.
        metric: The metric.

    Returns:
        The centroids.

    Raises:
        InputError: If the vectors of a cluster cancel out where a direction is needed.
    """
    names, number, sizes = np.unique(clusters[rows], return_inverse=True, return_counts=True)
    order = np.argsort(number, kind="stable")
    means = np.zeros((len(names), vectors.dimension))
    for _, part in blocks(order, max(1, SLAB // vectors.dimension)):
        block = vectors.values[rows[part]].astype(np.float64)
        # rows of one cluster stand together
        first = np.flatnonzero(np.diff(number[part], prepend=-1))
        means[number[part[first]]] += np.add.reduceat(unit(block) if metric == "cosine" else block, first, axis=0)
    means /= sizes[:, None]
    if metric == "cosine":
        short = np.flatnonzero(np.einsum("cd,cd->c", means, means) < NO_DIRECTION**2)
        if len(short):
            raise InputError(
                f"the vectors of {counted(len(short), 'cluster')} cancel out, first those of {names[short[0]]!s}; such "
                f"a cluster has no direction: leave it out or pass metric='l2'"
            )
    return Centroids(names, means, sizes.astype(np.int64), metric)


def assigned(vectors: Vectors, rows: NDArray[np.int64], known: Centroids, memory: int) -> NDArray[Any]:
    """Put some rows to the nearest centroid.

    Args:
        vectors: The vectors, ``(n, d)``.
        rows: The rows to assign, ``(m,)``.
        known: The centroids.
        memory: Bytes of working memory.

    Returns:
        The name of each row's cluster, ``(m,)``.
    """
    nearest = np.empty(len(rows), dtype=np.int64)
    size = max(1, memory // 4 // vectors.values[:1].nbytes)
    for start, part in blocks(rows, size):
        hits = search(vectors.values[part], known.vectors, 1, metric=known.metric, memory=memory)
        nearest[start : start + len(part)] = hits.rows[:, 0]
    return np.asarray(known.names[nearest])
