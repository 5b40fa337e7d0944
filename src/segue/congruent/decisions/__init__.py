"""Update predictions without training: stored ones as better models arrive, and answers of two models together.

``PredictionStore`` keeps the labels of a data set and changes them when a newer model's answers make it worth the
risk; ``SwitchRule`` and ``AverageRule`` choose between two models' answers at prediction time. No torch is needed.
"""

from segue.congruent.decisions.average import AverageRule
from segue.congruent.decisions.confusion import Confusion
from segue.congruent.decisions.diagonal import DiagonalConfusion
from segue.congruent.decisions.memory import Memory
from segue.congruent.decisions.rules import CostRatio, Majority, MaxBelief, MaxBeliefMinEntropy, Replace
from segue.congruent.decisions.store import PredictionStore
from segue.congruent.decisions.switch import SwitchRule
from segue.congruent.decisions.update import PredictionUpdate

__all__ = [
    "AverageRule",
    "Confusion",
    "CostRatio",
    "DiagonalConfusion",
    "Majority",
    "MaxBelief",
    "MaxBeliefMinEntropy",
    "Memory",
    "PredictionStore",
    "PredictionUpdate",
    "Replace",
    "SwitchRule",
]
