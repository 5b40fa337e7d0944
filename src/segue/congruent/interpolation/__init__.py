"""Interpolation between the weights of the old model and of a new one that was fine-tuned from it (BCWI).

No training and no cost at prediction time (Schumann et al., EACL 2024): :func:`interpolate` makes one model,
:func:`diagonal_fisher` says which weights the old model depends on, :func:`soup` averages several new models,
:func:`recalibrate` measures BatchNorm statistics anew, :func:`sweep` shows on validation data what each alpha costs,
and :func:`widen` lets a wider architecture begin, and end, at the old model.
"""

from segue.congruent.interpolation.batchnorm import recalibrate
from segue.congruent.interpolation.fisher import diagonal_fisher
from segue.congruent.interpolation.points import InterpolationPoint, InterpolationSweep
from segue.congruent.interpolation.soups import soup
from segue.congruent.interpolation.sweeping import ALPHAS, FISHER_ALPHAS, sweep
from segue.congruent.interpolation.weights import interpolate
from segue.congruent.interpolation.widening import widen

__all__ = [
    "ALPHAS",
    "FISHER_ALPHAS",
    "InterpolationPoint",
    "InterpolationSweep",
    "diagonal_fisher",
    "interpolate",
    "recalibrate",
    "soup",
    "sweep",
    "widen",
]
