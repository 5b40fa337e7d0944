"""Several models that answer as one, the member that stands for all, and the distillation of all into one (ELODI).

The mean logits of models that differ only in their seed flip far fewer answers from one generation to the next than any
single model does (Yan et al., CVPR 2021), at the cost of running them all; :class:`Elodi` brings the mean into one
student.
"""

from segue.congruent.ensemble.centric import centric_distances, most_centric
from segue.congruent.ensemble.elodi import Elodi, Generation
from segue.congruent.ensemble.logits import LogitEnsemble
from segue.congruent.ensemble.members import member_logits
from segue.congruent.ensemble.objective import ElodiObjective

__all__ = [
    "Elodi",
    "ElodiObjective",
    "Generation",
    "LogitEnsemble",
    "centric_distances",
    "member_logits",
    "most_centric",
]
