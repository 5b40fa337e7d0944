"""Segue's own combinations that train longer: begin at the old model, hold what was right, and take the time.

A model that begins from old weights ends, after as many epochs, below one that was trained from fresh ones (Ash and
Adams, On Warm-Starting Neural Network Training, NeurIPS 2020); more epochs make up for it, and the answers that the old
model got right stay where a term of the loss holds them. What training cost buys here is accuracy, which interpolation
then spends on fewer negative flips. ``longer-training`` shows what the same epochs bring without the old model.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from segue.congruent.losses import Distillation, FocalDistillation, LogitMatching
from segue.congruent.objective import Penalized, SeveralReferences
from segue.congruent.recipes.candidate import Candidate
from segue.congruent.recipes.methods.base import Method
from segue.congruent.recipes.methods.ensembles import MEMBERS, member_runs
from segue.congruent.recipes.methods.interpolated import between
from segue.congruent.recipes.runs import Run
from segue.congruent.recipes.workshop import Workshop

PATIENCE = 6  # times the epochs of a plain training
PROTECTION = 0.003  # weight of focal logit matching to the old model
FOLLOWING = 0.5  # weight of the teacher's answers; the labels have the rest
OLD_SHARE = 0.3  # of the old model in the teacher
CLIP = 5.0


def patient_fine_tuning_key(patience: int = PATIENCE) -> str:
    """Return the name of the run of :func:`patient_fine_tuning`."""
    return f"patient-fine-tuning-{patience}-{PROTECTION:g}"


def patient_distillation_key(members: int = MEMBERS, patience: int = PATIENCE) -> str:
    """Return the name of the run of :func:`patient_distillation`."""
    return f"patient-distillation-{members}-{patience}-{PROTECTION:g}"


def teacher(workshop: Workshop, members: tuple[Run, ...], share: float = OLD_SHARE) -> Tensor:
    """Return the mean of what an ensemble of new models and the old model say about the training samples.

    What the old model does not know it has no say in: it shares out the probability that the ensemble gives to the
    classes that the old model knows, and to no others.

    Args:
        workshop: Where they were trained.
        members: The ensemble's runs.
        share: Share of the old model.

    Returns:
        Logarithms of probabilities, ``(n, new classes)``.
    """
    new = torch.stack([workshop.logits(run, "train").double().softmax(dim=1) for run in members]).mean(dim=0)
    said = workshop.old_train.double().softmax(dim=1)
    places = torch.tensor(workshop.update.class_map or range(said.shape[1]))
    kept = places[places >= 0]
    known = torch.zeros_like(new)
    known[:, kept] = said[:, places >= 0]
    known /= known.sum(dim=1, keepdim=True).clamp_min(torch.finfo(known.dtype).tiny)
    of_known = torch.zeros_like(new)
    of_known[:, kept] = new[:, kept]
    mixed = (1 - share) * new + share * (new - of_known + known * of_known.sum(dim=1, keepdim=True))
    return mixed.clamp_min(torch.finfo(torch.float32).tiny).log().float()


def patient_fine_tuning(workshop: Workshop, patience: int = PATIENCE) -> Iterator[Candidate]:
    """Fine-tune the old model for long while holding the logits of what it got right, and interpolate.

    Args:
        workshop: Where it is trained.
        patience: Times the epochs of a plain training.

    Yields:
        A candidate for each share of the old model.
    """
    objective = Penalized(FocalDistillation(distance=LogitMatching(), class_map=workshop.update.class_map), PROTECTION)
    run = workshop.run(
        patient_fine_tuning_key(patience),
        objective,
        reference=workshop.old_train,
        start=workshop.inherited,
        seed=5000,
        clip_norm=CLIP,
        patience=patience,
    )
    settings = {"patience": patience, "weight": PROTECTION}
    yield from between(workshop, "patient-fine-tuning", workshop.model(run), [run], settings=settings)


def patient_distillation(workshop: Workshop, members: int = MEMBERS, patience: int = PATIENCE) -> Iterator[Candidate]:
    """Distil the old model and an ensemble of new ones together for long, holding what the old one got right.

    The student begins from the old weights and is interpolated where the architecture allows it.

    Args:
        workshop: Where it is trained.
        members: New models of the ensemble.
        patience: Times the epochs of a plain training.

    Yields:
        A candidate for each share of the old model; a single one where the student begins from fresh weights.
    """
    runs = member_runs(workshop, members)
    protect = FocalDistillation(0.0, 6.0, distance=LogitMatching(), class_map=workshop.update.class_map)
    objective: nn.Module = SeveralReferences(
        {"old": (protect, PROTECTION), "teacher": (Distillation(1.0), FOLLOWING)}, labels_weight=1 - FOLLOWING
    )
    run = workshop.run(
        patient_distillation_key(members, patience),
        objective,
        reference={"old": workshop.old_train, "teacher": teacher(workshop, runs)},
        start=workshop.inherited if workshop.can_inherit else None,
        seed=6000,
        clip_norm=CLIP,
        patience=patience,
    )
    settings = {"members": members, "patience": patience, "weight": PROTECTION}
    if not workshop.can_inherit:
        yield workshop.single("patient-distillation", settings, run, runs)
        return
    yield from between(workshop, "patient-distillation", workshop.model(run), [run, *runs], settings=settings)


def _longer(workshop: Workshop) -> Iterator[Candidate]:
    run = workshop.run(f"longer-training-{PATIENCE}", nn.CrossEntropyLoss(), seed=7000, patience=PATIENCE)
    yield workshop.single("longer-training", {"patience": PATIENCE}, run)


LONGER_TRAINING = Method(
    "longer-training", f"independent training with {PATIENCE} times the epochs: what patience alone brings", _longer
)
PATIENT_FINE_TUNING = Method(
    "patient-fine-tuning",
    f"fine-tuning from the old weights with focal logit matching and {PATIENCE} times the epochs, then interpolation; "
    f"Segue's own combination",
    patient_fine_tuning,
    needs_weights=True,
)
PATIENT_DISTILLATION = Method(
    "patient-distillation",
    f"distillation of the old model and a new ensemble together, with focal logit matching and {PATIENCE} times the "
    f"epochs, from the old weights and interpolated where the architecture allows it; Segue's own combination",
    patient_distillation,
)
