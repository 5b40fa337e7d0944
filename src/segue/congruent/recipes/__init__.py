"""Train the successor: sweep the strength of the constraint, show the Pareto front, pick the point by a rule."""

from segue.congruent.recipes.candidate import Candidate
from segue.congruent.recipes.choice import FewestFlips, MostAccurate, Rule, front
from segue.congruent.recipes.methods import METHODS, Method
from segue.congruent.recipes.outcome import Outcome, Tried
from segue.congruent.recipes.runs import Run
from segue.congruent.recipes.training import measure, train
from segue.congruent.recipes.update import StoredLogits, Update
from segue.congruent.recipes.workshop import Workshop

__all__ = [
    "METHODS",
    "Candidate",
    "FewestFlips",
    "Method",
    "MostAccurate",
    "Outcome",
    "Rule",
    "Run",
    "StoredLogits",
    "Tried",
    "Update",
    "Workshop",
    "front",
    "measure",
    "train",
]
