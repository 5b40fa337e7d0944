"""How far two partitions of the same items agree: B-cubed and the adjusted Rand index, from one table of counts."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segue.flips.checks import class_column, same_length
from segue.retrieval.notebook import Shown


@dataclass(frozen=True)
class BCubed(Shown):
    """Agreement of a partition with a reference, from the point of view of the items.

    Attributes:
        precision: What share of the items beside an item belongs there, averaged over items.
        recall: What share of the items that belong beside an item are there, averaged over items.
        f1: Their harmonic mean.
    """

    precision: float
    recall: float
    f1: float

    def __str__(self) -> str:
        """Return the three numbers in per cent."""
        return f"B-cubed F1 {self.f1:.2%} (precision {self.precision:.2%}, recall {self.recall:.2%})"

    def to_dict(self) -> dict[str, float]:
        """Return the three numbers by name."""
        return asdict(self)


def bcubed(reference: ArrayLike, clusters: ArrayLike) -> BCubed:
    r"""Compare clusters with a reference item by item (Bagga and Baldwin, COLING-ACL 1998).

    .. math:: P = \frac{1}{n} \sum_i \frac{|C(i) \cap R(i)|}{|C(i)|}, \qquad
        R = \frac{1}{n} \sum_i \frac{|C(i) \cap R(i)|}{|R(i)|}, \qquad F = \frac{2 P R}{P + R}

    with :math:`C(i)` and :math:`R(i)` the cluster and the reference class that item ``i`` is in, itself included
    (Amigo et al., Information Retrieval 12, 2009, section 4). Swapping the two swaps precision and recall.

    Args:
        reference: What each item is, ``(n,)``: the true person or product, or the old cluster.
        clusters: Where each item was put, ``(n,)``. Every value is a cluster, -1 too.

    Returns:
        Precision, recall and F1, each above 0 and at most 1.

    Raises:
        InputError: If lengths differ, or values are missing or neither integers nor strings.

    Example:
        >>> found = bcubed(["ann", "ann", "bob"], [1, 1, 1])  # ann's two see 2/3 of their own kind, bob 1/3
        >>> round(found.precision, 4), found.recall
        (0.5556, 1.0)
    """
    cells, of_reference, of_clusters = _counts(reference, clusters, ("reference", "clusters"))
    row, column, number = cells
    squares = number.astype(np.float64) ** 2
    items = float(number.sum())
    precision = float(np.sum(squares / of_clusters[column])) / items
    recall = float(np.sum(squares / of_reference[row])) / items
    return BCubed(precision, recall, 2 * precision * recall / (precision + recall))


def adjusted_rand(one: ArrayLike, other: ArrayLike) -> float:
    r"""Compare two partitions by the pairs of items that they keep together, corrected for chance.

    .. math:: \mathrm{ARI} = \frac{S - AB/T}{(A + B)/2 - AB/T}

    with ``S`` the pairs that are together in both, ``A`` and ``B`` those in either and ``T`` all pairs (Hubert and
    Arabie, Journal of Classification 2, 1985, equation 5). It is computed in whole numbers of any length.

    Args:
        one: Cluster of each item, ``(n,)``.
        other: The same in the other partition, ``(n,)``.

    Returns:
        1 where both are the same but for names, around 0 where they have nothing to do with each other, negative
        where they agree less than that.

    Raises:
        InputError: If lengths differ, or values are missing or neither integers nor strings.

    Example:
        >>> adjusted_rand([0, 0, 1, 1], ["b", "b", "a", "a"])
        1.0
        >>> adjusted_rand([0, 0, 1, 1], [0, 1, 0, 1])
        -0.5
    """
    (_, _, number), of_one, of_other = _counts(one, other, ("one", "other"))
    both, left, right, every = (_pairs(counts) for counts in (number, of_one, of_other, np.array([number.sum()])))
    above, below = 2 * (both * every - left * right), (left + right) * every - 2 * left * right
    # Nothing to correct: both keep all items together, or both keep all apart.
    return 1.0 if below == 0 else above / below


Cells = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]


def _counts(
    one: ArrayLike, other: ArrayLike, names: tuple[str, str]
) -> tuple[Cells, NDArray[np.int64], NDArray[np.int64]]:
    # The occupied cells of the table of counts (row, column, number), and its margins.
    both = {name: class_column(values, name) for name, values in zip(names, (one, other), strict=True)}
    same_length(both)
    (rows, of_one), (columns, of_other) = (_numbered(values) for values in both.values())
    cells, number = np.unique(rows * len(of_other) + columns, return_counts=True)
    return (cells // len(of_other), cells % len(of_other), number.astype(np.int64)), of_one, of_other


def _numbered(values: NDArray[np.generic]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    _, number, counts = np.unique(values, return_inverse=True, return_counts=True)
    return number.astype(np.int64), counts.astype(np.int64)


def _pairs(counts: NDArray[np.int64]) -> int:
    return int(np.sum(counts * (counts - 1) // 2))
