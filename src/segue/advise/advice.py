"""What the numbers support, and the numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from segue.advise import words
from segue.advise.option import UNDECIDED, Option, Way
from segue.advise.rules import Decision, Limits

SCHEMA = "segue.advice/1"


@dataclass(frozen=True, eq=False)
class Advice:
    """The measured options, and which one the numbers support.

    Attributes:
        options: Every way to the new model, in the order of the table.
        decision: What the rules of :mod:`segue.advise.rules` say.
        limits: What they hold the numbers against.
        measure: The measure's name.
        items: How many items both models have embedded.
        queries: How many labelled queries stand behind the upgrade.
        labels: How many labels these have.
        same_space: Whether both models give every search the same answers.
        notes: What a reader must know to read the numbers rightly.
        names: What the old and the new model are called.
    """

    options: tuple[Option, ...]
    decision: Decision
    limits: Limits
    measure: str
    items: int
    queries: int
    labels: int
    same_space: bool
    notes: tuple[str, ...] = ()
    names: tuple[str, str] = ("old", "new")

    @property
    def recommended(self) -> Way | None:
        """The way that the numbers support; ``None`` where they can't tell."""
        return self.decision.way

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why, in plain words."""
        return words.reasons(self)

    def option(self, way: Way) -> Option:
        """Return an option.

        Args:
            way: The way.

        Returns:
            What was measured of it.
        """
        return next(option for option in self.options if option.way is way)

    def to_dict(self) -> dict[str, Any]:
        """Return the advice and every number, ready for JSON."""
        return {
            "schema": SCHEMA,
            "recommended": None if self.recommended is None else str(self.recommended),
            "code": UNDECIDED if self.recommended is None else self.recommended.code,
            "headline": words.headline(self),
            "reasons": list(self.reasons),
            "notes": list(self.notes),
            "rule": self.decision.rule,
            "queries_needed": self.decision.needed,
            "measure": self.measure,
            "confidence": self.limits.confidence,
            "keep": self.limits.keep,
            "worthwhile": self.limits.worthwhile,
            "items": self.items,
            "queries": self.queries,
            "labels": self.labels,
            "same_space": self.same_space,
            "names": {"old": self.names[0], "new": self.names[1]},
            "options": [option.to_dict() for option in self.options],
        }

    def __str__(self) -> str:
        """Return the advice, why, and the table."""
        return words.told(self)

    def _repr_html_(self) -> str:
        """Return the same for notebooks."""
        return words.html_of(self)
