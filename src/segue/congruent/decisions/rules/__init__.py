"""Update rules, one per file: which stored labels change when a new generation has answered."""

from segue.congruent.decisions.rules.base import Evidence, UpdateRule
from segue.congruent.decisions.rules.cost_ratio import CostRatio
from segue.congruent.decisions.rules.majority import Majority
from segue.congruent.decisions.rules.max_belief import MaxBelief
from segue.congruent.decisions.rules.max_belief_min_entropy import MaxBeliefMinEntropy
from segue.congruent.decisions.rules.replace import Replace

__all__ = ["CostRatio", "Evidence", "Majority", "MaxBelief", "MaxBeliefMinEntropy", "Replace", "UpdateRule"]
