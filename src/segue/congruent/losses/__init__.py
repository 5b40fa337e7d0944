"""Positive-congruent losses: ``loss(new_logits, old_logits, labels)``, one file each."""

from segue.congruent.losses.base import CongruentLoss
from segue.congruent.losses.distances import Distance, KLDivergence, LogitMatching, MeanLogitMatching
from segue.congruent.losses.distillation import Distillation
from segue.congruent.losses.focal_distillation import FocalDistillation
from segue.congruent.losses.focus import Focus, likelihood, negative_flip, new_incorrect, old_correct
from segue.congruent.losses.logit_difference import LogitDifferenceInhibition
from segue.congruent.losses.reduction import Reduction

__all__ = [
    "CongruentLoss",
    "Distance",
    "Distillation",
    "FocalDistillation",
    "Focus",
    "KLDivergence",
    "LogitDifferenceInhibition",
    "LogitMatching",
    "MeanLogitMatching",
    "Reduction",
    "likelihood",
    "negative_flip",
    "new_incorrect",
    "old_correct",
]
