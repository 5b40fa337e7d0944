"""Margin-preserving training, for class sets that grew."""

from __future__ import annotations

from collections.abc import Iterator

from segue.congruent.losses import MarginPreserving
from segue.congruent.recipes.candidate import Candidate
from segue.congruent.recipes.methods.base import Method, sweep
from segue.congruent.recipes.workshop import Workshop

MARGINS = (0.0, 2.0, 4.0)
WEIGHT = 0.1  # of the distillation; the paper's 1 costs small networks several points of accuracy


def _margin_preserving(workshop: Workshop) -> Iterator[Candidate]:
    classes = workshop.update.class_map
    if classes is None:
        return

    def candidates(margin: float) -> Iterator[Candidate]:
        objective = MarginPreserving(classes, margin, weight=WEIGHT)
        run = workshop.run(f"margin-preserving-{margin:g}", objective, reference=workshop.old_train)
        yield workshop.single("margin-preserving", {"margin": margin}, run)

    yield from sweep(workshop, MARGINS, candidates)


MARGIN_PRESERVING = Method(
    "margin-preserving",
    "Ricci et al., AAAI 2026; T = 5, weight 0.1; for class sets that grew",
    _margin_preserving,
    needs_class_map=True,
)
