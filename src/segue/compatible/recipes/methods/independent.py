"""The new network trained by itself: the paragon that all others are compared with."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from segue.compatible.heads import Head
from segue.compatible.recipes.candidate import Candidate
from segue.compatible.recipes.kept import Run
from segue.compatible.recipes.methods.base import Method, cosine_head, linear_head
from segue.compatible.recipes.objective import Objective
from segue.compatible.recipes.workshop import Workshop

HEADS: Mapping[str, Callable[[Workshop], Head]] = {"linear": linear_head, "cosine": cosine_head}


def independent_run(workshop: Workshop, head: str = "linear") -> Run:
    """Train the network on the labels alone.

    Args:
        workshop: Where it is trained.
        head: ``"linear"`` or ``"cosine"``.

    Returns:
        The run.
    """
    return workshop.run(
        f"independent-{head}",
        lambda: Objective(HEADS[head](workshop), workshop.dimension, workshop.steps),
        clip_norm=None,
    )


def _candidates(workshop: Workshop) -> Iterator[Candidate]:
    for head in HEADS:
        yield workshop.unconstrained("independent", {"head": head}, independent_run(workshop, head))


INDEPENDENT = Method("independent", "training on the labels alone, with either head", _candidates, compatible=False)
