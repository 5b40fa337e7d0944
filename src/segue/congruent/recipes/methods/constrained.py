"""Trainings from fresh weights whose loss looks at the old model, over a few strengths of the constraint."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from segue.congruent.losses import (
    AnchoredDistillation,
    ChurnDistillation,
    CongruentLoss,
    Distillation,
    FocalDistillation,
    GatedDistillation,
    LogitDifferenceInhibition,
    LogitMatching,
    NewError,
    Reweighting,
    StrictImitation,
)
from segue.congruent.objective import Mixed, Penalized
from segue.congruent.recipes.candidate import Candidate
from segue.congruent.recipes.methods.base import Method, sweep
from segue.congruent.recipes.workshop import Workshop

CLIP = 5.0

ClassMap = Sequence[int] | None
Objective = Callable[[float, ClassMap], CongruentLoss]


def constrained(name: str, source: str, knob: str, strengths: Sequence[float], objective: Objective) -> Method:
    """Make a method that trains from fresh weights with a loss on the old model's logits.

    Args:
        name: What users call it.
        source: Paper and equation.
        knob: What its setting is called.
        strengths: Its values, the weakest constraint first.
        objective: From a value and the class map to the whole objective, the label term included.

    Returns:
        The method.
    """

    def candidates(workshop: Workshop) -> Iterator[Candidate]:
        yield from sweep(workshop, strengths, lambda strength: trained_with(workshop, name, knob, strength, objective))

    return Method(name, source, candidates)


def trained_with(
    workshop: Workshop, name: str, knob: str, strength: float, objective: Objective
) -> Iterator[Candidate]:
    """Train from fresh weights with one strength of a constraint.

    Args:
        workshop: Where it is trained.
        name: The method's name.
        knob: What its setting is called.
        strength: The setting.
        objective: From a value and the class map to the whole objective.

    Yields:
        The candidate.
    """
    classes = workshop.update.class_map
    # Clipped, all methods of this file alike: a strong constraint is steeper than cross-entropy in the first steps.
    run = workshop.run(
        f"{name}-{strength:g}", objective(strength, classes), reference=workshop.old_train, clip_norm=CLIP
    )
    yield workshop.single(name, {knob: strength}, run)


def logit_matching(weight: float, classes: ClassMap) -> CongruentLoss:
    """Return cross-entropy with focal logit matching (FD-LM)."""
    return Penalized(FocalDistillation(distance=LogitMatching(), class_map=classes), weight)


DISTILLATION = constrained(
    "distillation",
    "Hinton et al., 2015; T = 2",
    "weight",
    (0.1, 0.3, 0.6),
    lambda weight, classes: Mixed(Distillation(2.0, class_map=classes), weight),
)
REWEIGHTING = constrained(
    "reweighting",
    "the naive baseline of Yan et al., CVPR 2021",
    "weight",
    (0.5, 2.0),
    lambda weight, classes: Penalized(Reweighting(class_map=classes), weight),
)
FOCAL_DISTILLATION = constrained(
    "focal-distillation",
    "FD-KL, Yan et al., CVPR 2021, eq. 8; alpha 1, beta 5, T = 100",
    "weight",
    (0.03, 0.1, 0.9),
    lambda weight, classes: Mixed(FocalDistillation(class_map=classes), weight),
)
LOGIT_MATCHING = constrained(
    "focal-logit-matching",
    "FD-LM, Yan et al., CVPR 2021, eq. 9; alpha 1, beta 5",
    "weight",
    (0.003, 0.01, 0.03),
    logit_matching,
)
LOGIT_DIFFERENCE_INHIBITION = constrained(
    "logit-difference-inhibition",
    "LDI to the old model, Zhao et al., TPAMI 2024; margin 0.5, power 2",
    "weight",
    (0.005, 0.02, 0.1),
    lambda weight, classes: Mixed(LogitDifferenceInhibition(class_map=classes), weight),
)
ANCHORED = constrained(
    "anchored-distillation",
    "Milani Fard et al., NeurIPS 2016",
    "alpha",
    (0.1, 0.3, 0.6),
    lambda alpha, classes: AnchoredDistillation(alpha, class_map=classes),
)
CHURN = constrained(
    "churn-distillation",
    "Jiang et al., ICLR 2022",
    "weight",
    (0.1, 0.3, 0.6),
    lambda weight, classes: ChurnDistillation(weight, class_map=classes),
)
GATED = constrained(
    "gated-distillation",
    "Xie et al., ACL 2021; T = 2",
    "alpha",
    (0.2, 0.5),
    lambda alpha, classes: GatedDistillation(alpha, class_map=classes),
)
NEW_ERROR = constrained(
    "new-error",
    "Bansal et al., AAAI 2019; Srivastava et al., KDD 2020",
    "weight",
    (0.5, 2.0),
    lambda weight, classes: Penalized(NewError(class_map=classes), weight),
)
STRICT_IMITATION = constrained(
    "strict-imitation",
    "Bansal et al., AAAI 2019; Srivastava et al., KDD 2020",
    "weight",
    (0.5, 2.0),
    lambda weight, classes: Penalized(StrictImitation(class_map=classes), weight),
)

CONSTRAINED = (
    DISTILLATION,
    REWEIGHTING,
    FOCAL_DISTILLATION,
    LOGIT_MATCHING,
    LOGIT_DIFFERENCE_INHIBITION,
    ANCHORED,
    CHURN,
    GATED,
    NEW_ERROR,
    STRICT_IMITATION,
)
