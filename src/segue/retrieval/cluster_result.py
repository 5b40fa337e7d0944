"""The result of a study of old clusters under new vectors."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from numpy.typing import NDArray

from segue.flips.checks import counted
from segue.flips.estimate import Estimate
from segue.retrieval.agreement import BCubed
from segue.retrieval.notebook import Table, in_html
from segue.retrieval.queries_counted import measured_on


@dataclass(frozen=True)
class Agreement:
    """How far the clusters that vectors are assigned to agree with the old clusters.

    Attributes:
        bcubed: B-cubed precision, recall and F1.
        adjusted_rand: The adjusted Rand index.
    """

    bcubed: BCubed
    adjusted_rand: float

    def __str__(self) -> str:
        """Return the numbers in words."""
        return f"{self.bcubed}, adjusted Rand {self.adjusted_rand:.3f}"

    def to_dict(self) -> dict[str, Any]:
        """Return the numbers by name."""
        return asdict(self)


@dataclass(frozen=True)
class Truth:
    """B-cubed against the true labels.

    Attributes:
        clusters: Of the old clusters as they are.
        old: Of the old vectors, each put to its nearest centroid.
        new: Of the new vectors.
    """

    clusters: BCubed
    old: BCubed
    new: BCubed

    def to_dict(self) -> dict[str, Any]:
        """Return the numbers by name."""
        return asdict(self)


@dataclass(frozen=True)
class ClusterLoss:
    """What one cluster loses.

    Attributes:
        name: The cluster.
        items: How many of the assigned items were in it.
        kept_old: Share of them that old vectors assign to it.
        kept_new: Share of them that new vectors assign to it.
    """

    name: Any
    items: int
    kept_old: float
    kept_new: float

    def __str__(self) -> str:
        """Return in words what is lost."""
        return (
            f"{self.name} (keeps {self.kept_new:.0%} of {counted(self.items, 'item')} by new vectors, "
            f"{self.kept_old:.0%} by old ones)"
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the numbers by name."""
        return asdict(self)


@dataclass(frozen=True, eq=False)
class ClusterStudy:
    """What becomes of old clusters when items are put to the nearest old centroid by their new vectors.

    Attributes:
        items: Number of items that were assigned.
        clusters: Number of old clusters.
        metric: How vectors are compared.
        held_out: Whether the assigned items had no part in the centroids.
        old: Agreement of the old vectors' assignment with the old clusters: what the rule itself can reach.
        new: Agreement of the new vectors' assignment with the old clusters.
        moved_old: Share of the items that old vectors assign to another cluster than theirs.
        moved_new: The same of the new vectors.
        moved_change: The difference, new minus old, on the same items.
        truth: Agreement with true labels; ``None`` where there are none.
        losses: Every cluster of which items were assigned, the one that loses most items first.
        assigned_old: Cluster of each assigned item by its old vector, ``(items,)``.
        assigned_new: The same by its new vector, ``(items,)``.
        confidence: Nominal coverage of the intervals.
        groups: How many groups the assigned items came in; ``None`` where they are independent.
    """

    items: int
    clusters: int
    metric: str
    held_out: bool
    old: Agreement
    new: Agreement
    moved_old: Estimate
    moved_new: Estimate
    moved_change: Estimate
    truth: Truth | None
    losses: tuple[ClusterLoss, ...]
    assigned_old: NDArray[Any]
    assigned_new: NDArray[Any]
    confidence: float = 0.95
    groups: int | None = None

    def __str__(self) -> str:
        """Return in words what was found."""
        which = "that the centroids do not know " if self.held_out else ""
        told = [
            f"Of {counted(self.items, 'item')} {which}in {counted(self.clusters, 'old cluster')}, the new vectors put "
            f"{self.moved_new.percent()} nearest to the centroid of another cluster.",
            f"The old vectors did so for {self.moved_old.percent()} (difference "
            f"{self.moved_change.percent(signed=True)}).",
            f"Agreement with the old clusters by new vectors: {self.new}; by old vectors: {self.old}.",
        ]
        if self.truth is not None:
            told.append(
                f"Against the true labels, B-cubed F1 is {self.truth.clusters.f1:.2%} for the clusters as they are, "
                f"{self.truth.old.f1:.2%} by old and {self.truth.new.f1:.2%} by new vectors."
            )
        losing = [loss for loss in self.losses if loss.kept_new < loss.kept_old][:3]
        if losing:
            told.append(f"The clusters that lose most: {', '.join(map(str, losing))}.")
        return "\n".join([*told, measured_on(self.items, self.groups, self.confidence, "item")])

    def _repr_html_(self) -> str:
        """Return the words and a table of both vectors for notebooks."""
        rows = [
            ("moved to another cluster", self.moved_old.percent(), self.moved_new.percent()),
            ("B-cubed F1 with the old clusters", f"{self.old.bcubed.f1:.2%}", f"{self.new.bcubed.f1:.2%}"),
            ("adjusted Rand", f"{self.old.adjusted_rand:.3f}", f"{self.new.adjusted_rand:.3f}"),
        ]
        return in_html(str(self).splitlines(), Table(("", "old vectors", "new vectors"), rows))

    def to_dict(self) -> dict[str, Any]:
        """Return the numbers by name, ready for JSON."""
        return {
            "items": self.items,
            "clusters": self.clusters,
            "metric": self.metric,
            "held_out": self.held_out,
            "old": self.old.to_dict(),
            "new": self.new.to_dict(),
            "moved_old": self.moved_old.to_dict(),
            "moved_new": self.moved_new.to_dict(),
            "moved_change": self.moved_change.to_dict(),
            "truth": None if self.truth is None else self.truth.to_dict(),
            "losses": [loss.to_dict() for loss in self.losses],
            "confidence": self.confidence,
            "groups": self.groups,
        }
