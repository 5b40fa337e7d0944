"""What came of an update: every candidate, the front, the one that was picked, and its cross test."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from torch import nn

from segue.compatible.recipes.candidate import Candidate
from segue.compatible.recipes.choice import BestOnOldGallery, front
from segue.compatible.recipes.files import save_weights, write_json, write_text
from segue.compatible.recipes.loading import basis_of
from segue.retrieval.cross_result import CrossTest


@dataclass(frozen=True)
class Tried:
    """One method, and what it took.

    Attributes:
        method: Its name.
        candidates: How many candidates it made.
        trainings: Plain trainings that it took.
        seconds: Seconds of training.
        note: What went wrong, or why it was left out; empty where all went well.
    """

    method: str
    candidates: int
    trainings: float
    seconds: float
    note: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers, ready for JSON."""
        return asdict(self)


@dataclass(frozen=True, eq=False)
class Outcome:
    """What came of an update; all numbers are of the validation samples.

    Attributes:
        measure: What quality is, such as ``"cmc@1"``.
        old_old: Quality of the old model's queries on the old gallery.
        paragon: The network trained without a constraint, the better one of both heads.
        candidates: Every candidate, those without a constraint included.
        pick: The one that the rule picked.
        rule: The rule.
        cross_test: Old and new model, the pick, against the paragon.
        tried: The methods, in order.
    """

    measure: str
    old_old: float
    paragon: Candidate
    candidates: tuple[Candidate, ...]
    pick: Candidate
    rule: BestOnOldGallery
    cross_test: CrossTest
    tried: tuple[Tried, ...]

    @property
    def model(self) -> nn.Module:
        """The picked network, in evaluation mode: inputs to embeddings."""
        return self.pick.network

    @property
    def front(self) -> tuple[Candidate, ...]:
        """Candidates that none beats on both galleries, the best on its own gallery first."""
        return front(self.candidates)

    @property
    def trainings(self) -> float:
        """Plain trainings that all methods took."""
        return sum(tried.trainings for tried in self.tried)

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers, ready for JSON."""
        return {
            "measure": self.measure,
            "rule": str(self.rule),
            "margin": self.rule.margin,
            "old_old": self.old_old,
            "paragon": self.paragon.to_dict(),
            "pick": self.pick.to_dict(),
            "basis": basis_of(self.model),
            "front": [one.to_dict() for one in self.front],
            "candidates": [one.to_dict() for one in self.candidates],
            "tried": [one.to_dict() for one in self.tried],
            "cross_test": self.cross_test.to_dict(),
        }

    def save(self, folder: str | Path) -> Path:
        """Write the picked network's weights, the outcome as JSON and its explanation; see :func:`load`.

        Args:
            folder: Where to; made if missing.

        Returns:
            The folder.
        """
        place = Path(folder)
        place.mkdir(parents=True, exist_ok=True)
        save_weights(place / "model.safetensors", self.model)
        write_json(place / "outcome.json", self.to_dict())
        write_text(place / "explanation.md", self.explain() + "\n")
        return place

    def explain(self) -> str:
        """Say in plain words what was tried, what the front looks like, what was picked and why.

        Returns:
            A few paragraphs.
        """
        paragon = self.paragon
        return "\n".join(
            [
                f"Quality is {self.measure} on the validation samples, each of which searches all others. The old "
                f"model's queries reach {self.old_old:.2%} on the old gallery; the new network, trained without regard "
                f"to it, {paragon.new_new:.2%} on its own.",
                "The front, from the best on its own gallery to the best on the old one:",
                *(f"- {one}" for one in self.front),
                *(f"Not all went well: {tried.method}: {tried.note}." for tried in self.tried if tried.note),
                self._told_pick(),
                str(self.cross_test),
                f"Cost: {self.trainings:g} plain trainings. The choice flatters these numbers: measure the pick anew "
                "on samples on which nothing was chosen.",
            ]
        )

    def _told_pick(self) -> str:
        if self.pick is self.paragon:
            return "There is no candidate that regards the old gallery; the pick is the network without a constraint."
        if self.rule.met(self.pick, self.paragon):
            return f"Picked: {self.pick}; the rule: {self.rule}."
        return (
            f"No candidate meets the rule ({self.rule}); the one that comes closest on its own gallery was picked: "
            f"{self.pick}."
        )

    def __str__(self) -> str:
        """Return the explanation."""
        return self.explain()
