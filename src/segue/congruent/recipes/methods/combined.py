"""Segue's own combinations: begin from the old weights, protect what was right, and interpolate what is left.

Each part is from a paper; what is measured here is that they add up. Fine-tuning keeps most of the old model's answers
for nothing, focal logit matching holds those that were right while the weights move, interpolation then trades the
remaining flips at no cost, and an ensemble's logits bring back the accuracy that this costs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from torch import nn

from segue.congruent.interpolation import soup
from segue.congruent.losses import Distillation, FocalDistillation, LogitMatching
from segue.congruent.objective import Penalized, SeveralReferences
from segue.congruent.recipes.candidate import Candidate
from segue.congruent.recipes.methods.base import Method, sweep
from segue.congruent.recipes.methods.ensembles import CLIP, mean_logits, member_runs
from segue.congruent.recipes.methods.interpolated import SHARES, between
from segue.congruent.recipes.methods.plain import fine_tuned_run
from segue.congruent.recipes.runs import Run
from segue.congruent.recipes.workshop import Workshop

PROTECTION = (0.003, 0.01, 0.03)
FOLLOWING = 0.8  # weight of the ensemble's answers; the labels have the rest


def _fine_tuning(workshop: Workshop) -> Iterator[Candidate]:
    yield from sweep(workshop, PROTECTION, lambda weight: fine_tuned_with_protection(workshop, weight))


def fine_tuned_with_protection(
    workshop: Workshop, weight: float, alphas: Sequence[float] = SHARES
) -> Iterator[Candidate]:
    """Fine-tune the old model while holding the logits of what it got right, and interpolate.

    Args:
        workshop: Where it is trained.
        weight: Weight of focal logit matching.
        alphas: Shares of the old model.

    Yields:
        A candidate for each share.
    """
    run = protected_run(workshop, weight)
    yield from between(
        workshop, "congruent-fine-tuning", workshop.model(run), [run], alphas, settings={"weight": weight}
    )


def protected_run(workshop: Workshop, weight: float) -> Run:
    """Fine-tune the old model while holding the logits of what it got right.

    Args:
        workshop: Where it is trained.
        weight: Weight of focal logit matching.

    Returns:
        The run.
    """
    objective = Penalized(FocalDistillation(distance=LogitMatching(), class_map=workshop.update.class_map), weight)
    return workshop.run(
        f"congruent-fine-tuning-{weight:g}",
        objective,
        reference=workshop.old_train,
        start=workshop.inherited,
        seed=3000,
        fine_tuning=True,
    )


def congruent_soup(workshop: Workshop, weights: Sequence[float] = PROTECTION[:2]) -> Iterator[Candidate]:
    """Average models that were fine-tuned from the old one with and without protection, and interpolate.

    Args:
        workshop: Where they are trained.
        weights: Weights of focal logit matching of the protected ones.

    Yields:
        A candidate for each share of the old model.
    """
    runs = [fine_tuned_run(workshop), *(protected_run(workshop, weight) for weight in weights)]
    new = soup(workshop.model(run) for run in runs)
    yield from between(workshop, "congruent-soup", new, runs, settings={"members": len(runs)})


def _distillation(workshop: Workshop) -> Iterator[Candidate]:
    runs = member_runs(workshop)
    yield from sweep(workshop, PROTECTION, lambda weight: distilled_with_protection(workshop, runs, weight))


def distilled_with_protection(
    workshop: Workshop, members: tuple[Run, ...], weight: float, alphas: Sequence[float] = SHARES
) -> Iterator[Candidate]:
    """Distil an ensemble of new models while holding the logits of what the old model got right.

    The student begins from the old weights and is interpolated where the architecture allows it.

    Args:
        workshop: Where it is trained.
        members: The ensemble's runs.
        weight: Weight of focal logit matching to the old model.
        alphas: Shares of the old model.

    Yields:
        A candidate for each share; a single one where the student begins from fresh weights.
    """
    update = workshop.update
    protect = FocalDistillation(0.0, 6.0, distance=LogitMatching(), class_map=update.class_map)
    objective: nn.Module = SeveralReferences(
        {"old": (protect, weight), "ensemble": (Distillation(2.0), FOLLOWING)}, labels_weight=1 - FOLLOWING
    )
    run = workshop.run(
        f"congruent-distillation-{len(members)}-{weight:g}",
        objective,
        reference={"old": workshop.old_train, "ensemble": mean_logits(workshop, members, "train")},
        start=workshop.inherited if workshop.can_inherit else None,
        seed=4000,
        fine_tuning=workshop.can_inherit,
        clip_norm=CLIP,
    )
    settings = {"members": len(members), "weight": weight}
    if not workshop.can_inherit:
        yield workshop.single("congruent-distillation", settings, run, members)
        return
    yield from between(
        workshop, "congruent-distillation", workshop.model(run), [run, *members], alphas, settings=settings
    )


CONGRUENT_FINE_TUNING = Method(
    "congruent-fine-tuning",
    "fine-tuning from the old weights with focal logit matching, then interpolation; Segue's own combination",
    _fine_tuning,
    needs_weights=True,
)
CONGRUENT_SOUP = Method(
    "congruent-soup",
    "mean weights of models fine-tuned with and without focal logit matching, then interpolation; Segue's own "
    "combination",
    congruent_soup,
    needs_weights=True,
)
CONGRUENT_DISTILLATION = Method(
    "congruent-distillation",
    "distillation of a new ensemble with focal logit matching to the old model, from the old weights and interpolated "
    "where the architecture allows it; Segue's own combination",
    _distillation,
)
