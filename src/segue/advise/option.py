"""A way to the new model, what search is like on it, and what it costs."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from segue.adapters.base import Adapter
from segue.advise.cost import Cost
from segue.flips.estimate import Estimate


class Way(StrEnum):
    """What can be done about a new embedding model, in the order of the table."""

    CHANGE_NOTHING = "change nothing"
    MAP_QUERIES = "map new queries"
    BLEND_QUERIES = "blend mapped and old queries"
    MAP_GALLERY = "map the gallery"
    TRAIN = "train compatibly"
    RE_EMBED = "re-embed everything"

    @property
    def code(self) -> str:
        """A word for scripts, which stays when sentences change, such as ``"map-queries"``."""
        return CODES[self]


CODES = {
    Way.CHANGE_NOTHING: "change-nothing",
    Way.MAP_QUERIES: "map-queries",
    Way.BLEND_QUERIES: "blend-queries",
    Way.MAP_GALLERY: "map-gallery",
    Way.TRAIN: "train",
    Way.RE_EMBED: "re-embed",
}
UNDECIDED = "undecided"
"""The code of advice that can't tell."""
UNLABELLED = "no labels to measure it by"
ALONE = "no two items share a label"
UNSEEN = "no item has the label of a query"


MAPS = (Way.MAP_QUERIES, Way.MAP_GALLERY, Way.BLEND_QUERIES)
"""The ways that need a learned map, the cheapest first: one encoder a query and the gallery as it is; one encoder, and
the gallery rewritten once; two encoders for every query, for ever."""


@dataclass(frozen=True, eq=False)
class Option:
    """A way, measured.

    Attributes:
        way: The way.
        cost: What it costs in encoder calls.
        quality: The measure on it; ``None`` where it can't be measured.
        old: The measure of the old model on the same queries in the same search.
        difference: ``quality - old``, paired over queries.
        left: What re-embedding everything adds to it, paired over queries; ``None`` where that is not known.
        share: Which share of the upgrade it keeps, see :mod:`segue.advise.kept`; ``None`` where there is no upgrade to
            speak of.
        searched: How many items each query searched.
        real_gallery: Whether these were the stored gallery. Otherwise they were other items of the calibration sample,
            among which a map is flattered.
        agreement: Whether, for want of labels, the measure is how often the new model's nearest item is found, which
            says nothing of whether the new model is better.
        adapter: The fitted map, where it needs one.
        why_not: Why it was not measured, as the end of a sentence; empty where it was.
    """

    way: Way
    cost: Cost
    quality: Estimate | None = None
    old: Estimate | None = None
    difference: Estimate | None = None
    left: Estimate | None = None
    share: Estimate | None = None
    searched: int | None = None
    real_gallery: bool = False
    agreement: bool = False
    adapter: Adapter | None = field(default=None, repr=False)
    why_not: str = ""

    @property
    def shown_better(self) -> bool:
        """Whether it is shown to be better than the old model."""
        return self.difference is not None and not self.agreement and self.difference.low > 0

    def to_dict(self) -> dict[str, Any]:
        """Return the numbers, ready for JSON; the map is there as the call that makes it."""
        numbers = {name: getattr(self, name) for name in ("quality", "old", "difference", "left", "share")}
        return {
            "way": str(self.way),
            "code": self.way.code,
            **{name: None if number is None else number.to_dict() for name, number in numbers.items()},
            "searched": self.searched,
            "real_gallery": self.real_gallery,
            "agreement": self.agreement,
            "adapter": None if self.adapter is None else repr(self.adapter),
            "why_not": self.why_not or None,
            "cost": self.cost.to_dict(),
        }
