"""Positive-congruent losses: ``loss(new_logits, old_logits, labels)``, one file each."""

from segue.congruent.losses.anchored import AnchoredDistillation
from segue.congruent.losses.base import CongruentLoss
from segue.congruent.losses.churn import ChurnDistillation
from segue.congruent.losses.distances import Distance, KLDivergence, LogitMatching, MeanLogitMatching
from segue.congruent.losses.distillation import Distillation
from segue.congruent.losses.focal_distillation import FocalDistillation
from segue.congruent.losses.focus import Focus, likelihood, negative_flip, new_incorrect, old_correct
from segue.congruent.losses.gated import GatedDistillation
from segue.congruent.losses.logit_difference import LogitDifferenceInhibition
from segue.congruent.losses.margin_preserving import MarginPreserving
from segue.congruent.losses.muscle import MuscleDistillation, next_tokens
from segue.congruent.losses.new_error import NewError
from segue.congruent.losses.reduction import Reduction
from segue.congruent.losses.reweighting import Reweighting
from segue.congruent.losses.strict_imitation import StrictImitation

__all__ = [
    "AnchoredDistillation",
    "ChurnDistillation",
    "CongruentLoss",
    "Distance",
    "Distillation",
    "FocalDistillation",
    "Focus",
    "GatedDistillation",
    "KLDivergence",
    "LogitDifferenceInhibition",
    "LogitMatching",
    "MarginPreserving",
    "MeanLogitMatching",
    "MuscleDistillation",
    "NewError",
    "Reduction",
    "Reweighting",
    "StrictImitation",
    "likelihood",
    "negative_flip",
    "new_incorrect",
    "next_tokens",
    "old_correct",
]
