"""Which map is best, how good it is on pairs it has not seen, and what more pairs would cost."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segue.adapters.base import Adapter
from segue.adapters.trial import Side
from segue.flips.checks import counted, in_groups
from segue.flips.estimate import Estimate
from segue.retrieval.cross_result import Compatible
from segue.retrieval.notebook import Shown

TIMES_AS_MANY = 10


@dataclass(frozen=True)
class Tried:
    """A map that was tried.

    Attributes:
        adapter: The map, as the call that makes it.
        quality: Its quality on held-out pairs. The best of many is flattered by having been chosen; see
            :attr:`AdapterChoice.new_old` for a number that is not.
    """

    adapter: str
    quality: Estimate


@dataclass(frozen=True, eq=False)
class AdapterChoice(Shown):
    """The best map of those that were tried, and whether the numbers support its use.

    Qualities are means over held-out pairs as queries. That of the choice is cross-fitted: on each half of the folds,
    of the map that was best on the other half, so that it is not flattered by the choice.

    Attributes:
        adapter: The map, fitted on all pairs.
        side: What it maps: ``"queries"`` or ``"gallery"``.
        measure: The quality's name.
        labelled: Whether relevance came from labels. Otherwise the quality is agreement with the new model: how often
            its nearest item is found, which says nothing of whether the new model is better.
        pairs: How many pairs there were.
        searched: How many items a query was searched in.
        real_gallery: Whether these were a gallery, and not just the other held-out pairs. Among few items a map is
            flattered: what it blurs is seen where items are close to each other.
        both_encoders: Whether queries are embedded by the old model, too.
        old_old: Old queries on the old gallery.
        new_old: New queries on the old gallery through the choice.
        new_new: New queries on the new gallery; ``None`` where the gallery is not embedded by the new model.
        criterion: ``new_old - old_old``, paired over queries.
        curve: Quality of the chosen map by number of pairs it was fitted on.
        tried: All maps with their qualities, best first.
        seconds_per_item: What the new model takes to embed an item; ``None`` where it was not said.
        failed: Maps that could not be tried on these pairs, and why.
        groups: How many groups the pairs came in, those that share a source vector being one; ``None`` where they were
            not grouped.
        repeated: How many pairs repeat the source vector of an earlier one; no fold parts these from each other.
        per_query: The measure of each pair by cell (``old_old``, ``new_old``, ``new_new`` where it is known),
            ``(n,)``; NaN where nothing is relevant. Not part of :meth:`to_dict`.
    """

    adapter: Adapter
    side: Side
    measure: str
    labelled: bool
    pairs: int
    searched: int
    real_gallery: bool
    both_encoders: bool
    old_old: Estimate
    new_old: Estimate
    new_new: Estimate | None
    criterion: Estimate
    curve: tuple[tuple[int, Estimate], ...]
    tried: tuple[Tried, ...]
    seconds_per_item: float | None = None
    failed: tuple[tuple[str, str], ...] = ()
    groups: int | None = None
    repeated: int = 0
    per_query: dict[str, NDArray[np.float64]] = field(default_factory=dict, repr=False)

    @property
    def verdict(self) -> Compatible:
        """Whether new queries through the map are shown to do better than the old model.

        Undecided without labels, and never "yes" on the pairs alone, without a gallery to search.
        """
        if not self.labelled:
            return Compatible.UNDECIDED
        if self.criterion.low > 0 and self.real_gallery:
            return Compatible.YES
        return Compatible.NO if self.criterion.high <= 0 else Compatible.UNDECIDED

    @property
    def recommended(self) -> bool:
        """Whether the numbers support using it in place of the old model."""
        return self.verdict is Compatible.YES

    @property
    def more_pairs(self) -> int:
        """How many more items the new model would have to embed for ten times as many pairs."""
        return (TIMES_AS_MANY - 1) * self.pairs

    def to_dict(self) -> dict[str, Any]:
        """Return the numbers, ready for JSON; the map is there as the call that makes it."""
        return {
            "adapter": repr(self.adapter),
            "side": self.side,
            "measure": self.measure,
            "labelled": self.labelled,
            "pairs": self.pairs,
            "searched": self.searched,
            "real_gallery": self.real_gallery,
            "both_encoders": self.both_encoders,
            "old_old": self.old_old.to_dict(),
            "new_old": self.new_old.to_dict(),
            "new_new": None if self.new_new is None else self.new_new.to_dict(),
            "criterion": self.criterion.to_dict(),
            "verdict": str(self.verdict),
            "recommended": self.recommended,
            "curve": [{"pairs": pairs, "quality": quality.to_dict()} for pairs, quality in self.curve],
            "more_pairs": self.more_pairs,
            "seconds_per_item": self.seconds_per_item,
            "tried": [{"adapter": each.adapter, "quality": each.quality.to_dict()} for each in self.tried],
            "groups": self.groups,
            "repeated": self.repeated,
            "failed": [{"adapter": adapter, "why": why} for adapter, why in self.failed],
        }

    def __str__(self) -> str:
        """Return in plain words what was chosen, whether to use it, and what more pairs would cost."""
        return "\n".join([self._chosen(), self._advice(), *self._together(), self._more()])

    def _chosen(self) -> str:
        what = "new queries into the old space" if self.side == "queries" else "the old gallery into the new space"
        blended = ", blended with the old model's queries" if self.both_encoders else ""
        failed = ""
        if self.failed:
            first, why = self.failed[0]
            failed = f" {counted(len(self.failed), 'map')} could not be tried, first {first}: {why}."
        maps = "The only map" if len(self.tried) == 1 else f"Best of {len(self.tried)} maps"
        return f"{maps} of {what}{blended}: {self.adapter!r}.{failed}"

    def _advice(self) -> str:
        numbers = (
            f"{self.measure} through it is {self.new_old.percent(1)} on held-out pairs, against "
            f"{self.old_old.percent(1)} of the old model: {self.criterion.percent(1, signed=True)}"
        )
        if self.new_new is not None and self.labelled:
            numbers += f" (all re-embedded: {self.new_new.percent(1)})"
        if not self.labelled:
            return (
                f"Without labels this is agreement with the new model: {numbers}. Whether the new model is better, "
                f"these data can't tell; pass labels."
            )
        return f"{numbers}. {self._use()}"

    def _use(self) -> str:
        if self.verdict is Compatible.YES:
            return "The numbers support using it."
        if self.verdict is Compatible.NO:
            return "It is worse than the old model: do not use it."
        if self.criterion.low > 0:
            return (
                f"But each query searched {self.searched:,} items only, and in a larger gallery a map loses more: pass "
                f"gallery and gallery_labels to see whether it is better there."
            )
        return (
            "It is not shown to be better than the old model: stay with the old queries and gallery, or get more pairs."
        )

    def _together(self) -> list[str]:
        told = []
        if self.groups is not None:
            told.append(f"The {self.pairs:,} pairs come{in_groups(self.groups)}, which no fold parts.")
        if self.repeated:
            others = "repeats the source vector of another" if self.repeated == 1 else "repeat source vectors of others"
            copies = f"{counted(self.repeated, 'pair')} {others}"
            told.append(f"{copies}: copies share a fold, and are a group to intervals.")
        return [" ".join(told)] if told else []

    def _more(self) -> str:
        steps = ", ".join(f"{100 * quality.value:.1f}% from {pairs:,}" for pairs, quality in self.curve)
        cost = f"{self.more_pairs:,} more items to embed"
        if self.seconds_per_item is not None:
            cost += f", about {_duration(self.more_pairs * self.seconds_per_item)}"
        return f"By number of pairs: {steps}. {TIMES_AS_MANY} times as many pairs would take {cost}."


def _duration(seconds: float) -> str:
    for unit, size in (("h", 3600.0), ("min", 60.0)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds:.3g} s"
