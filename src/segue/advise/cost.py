"""What each way costs in calls of an encoder: once, and for every query from then on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Cost:
    """Encoder calls. Multiplying by a fitted map is counted as nothing: it is thousands of times cheaper.

    Attributes:
        items: Items that the new model has to embed, once; ``None`` where the gallery's size is not known.
        old_per_query: Calls of the old encoder for each query.
        new_per_query: Calls of the new encoder for each query.
        rewrites: Whether every stored vector is replaced.
        trains: Whether the new model has to be trained.
        seconds: What the items take to embed; ``None`` where that is not known.
        seconds_per_query: What a query takes to embed; ``None`` where that is not known.

    Example:
        >>> print(Cost(items=90_000, old_per_query=0, new_per_query=1, rewrites=True, seconds=1800.0))
        90,000 items to embed (30 min); each query: new encoder
    """

    items: int | None
    old_per_query: int
    new_per_query: int
    rewrites: bool = False
    trains: bool = False
    seconds: float | None = None
    seconds_per_query: float | None = None

    def __str__(self) -> str:
        """Return the cost in words."""
        return f"{self.once}; each query: {self.each_query}"

    @property
    def once(self) -> str:
        """What is to be done once, in words."""
        if self.trains:
            return "a training"
        if self.items is None:
            return "the gallery to embed"
        if self.items == 0:
            return "vectors to rewrite" if self.rewrites else "nothing"
        items = "1 item" if self.items == 1 else f"{self.items:,} items"
        return f"{items} to embed{'' if self.seconds is None else f' ({duration(self.seconds)})'}"

    @property
    def each_query(self) -> str:
        """Which encoders every query takes, in words."""
        calls = {"old": self.old_per_query, "new": self.new_per_query}
        models = " and ".join(model for model, count in calls.items() if count)
        return f"{models} encoder{'' if self.seconds_per_query is None else f' ({duration(self.seconds_per_query)})'}"

    def to_dict(self) -> dict[str, Any]:
        """Return the numbers by name, ready for JSON."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


@dataclass(frozen=True)
class Prices:
    """What is known of the encoders and of the gallery.

    Attributes:
        gallery: How many items are to be searched, in the end; ``None`` where that is not known.
        embedded: How many of them the new model has embedded already.
        old: Seconds of the old encoder for an item; ``None`` where that is not known.
        new: Seconds of the new encoder for an item.
    """

    gallery: int | None
    embedded: int
    old: float | None
    new: float | None

    def of(self, *, old: int, new: int, embeds: bool = False, rewrites: bool = False, trains: bool = False) -> Cost:
        """Return the cost of a way.

        Args:
            old: Calls of the old encoder for each query.
            new: Calls of the new encoder for each query.
            embeds: Whether the new model embeds the whole gallery.
            rewrites: Whether stored vectors are replaced.
            trains: Whether the new model has to be trained, after which nothing that it embedded is of use.

        Returns:
            The cost.
        """
        items: int | None = 0
        if embeds:
            items = None if self.gallery is None else max(0, self.gallery - self.embedded)
        known = (old == 0 or self.old is not None) and (new == 0 or self.new is not None)
        return Cost(
            items=items,
            old_per_query=old,
            new_per_query=new,
            rewrites=rewrites,
            trains=trains,
            seconds=None if items is None or self.new is None else items * self.new,
            seconds_per_query=old * (self.old or 0) + new * (self.new or 0) if known else None,
        )


def duration(seconds: float) -> str:
    """Return a span of time in words.

    Args:
        seconds: The time.

    Returns:
        The words.

    Example:
        >>> duration(0.004), duration(90), duration(7200)
        ('4 ms', '1.5 min', '2 h')
    """
    for unit, size in (("h", 3600.0), ("min", 60.0), ("s", 1.0)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{1000 * seconds:.3g} ms"
