"""What a method is: a name, a source, and candidates that are made one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from segue.compatible.heads import CosineHead, Head, LinearHead
from segue.compatible.recipes.candidate import Candidate
from segue.compatible.recipes.objective import Objective
from segue.compatible.recipes.workshop import Workshop

SCALE = 16.0
"""What the cosines of a new head are multiplied by."""


@dataclass(frozen=True)
class Method:
    """A way to make the update.

    Attributes:
        name: What users call it.
        source: Paper, or what it is.
        candidates: Makes its candidates, one after the other; what is not asked for is not trained.
        compatible: Whether it does anything for new queries on the old gallery.
    """

    name: str
    source: str
    candidates: Callable[[Workshop], Iterator[Candidate]]
    compatible: bool = True


def linear_head(workshop: Workshop) -> Head:
    """Return a fresh linear head for the new classes."""
    return LinearHead(workshop.dimension, workshop.classes, bias=True)


def cosine_head(workshop: Workshop) -> Head:
    """Return a fresh cosine head for the new classes."""
    return CosineHead(workshop.dimension, workshop.classes, scale=SCALE)


def swept(
    name: str,
    source: str,
    objective: Callable[[Workshop, float], Objective],
    values: Sequence[float] = (1.0, 0.3),
    setting: str = "strength",
) -> Method:
    """Return a method that is one objective with one setting.

    Args:
        name: What users call it.
        source: Paper, or what it is.
        objective: From the workshop and the setting's value to the objective, with fresh heads.
        values: The values that are tried, in this order.
        setting: What the setting is called.

    Returns:
        The method.
    """

    def candidates(workshop: Workshop) -> Iterator[Candidate]:
        for value in values:
            run = workshop.run(f"{name}-{value:g}", partial(objective, workshop, value))
            yield workshop.candidate(name, {setting: value}, run)

    return Method(name, source, candidates)
