"""The old head judges the new embeddings (Shen et al., CVPR 2020)."""

from __future__ import annotations

from segue.compatible.losses import InfluenceDistillation, InfluenceLoss
from segue.compatible.recipes.methods.base import SCALE, cosine_head, linear_head, swept
from segue.compatible.recipes.objective import Beside
from segue.compatible.recipes.workshop import Workshop


def _influence(workshop: Workshop, strength: float) -> Beside:
    loss = InfluenceLoss(workshop.old.head, normalise=workshop.old.head_is_of_unit_vectors)
    return Beside(linear_head(workshop), workshop.dimension, workshop.steps, loss=loss, strength=strength)


def _of_cosines(workshop: Workshop, strength: float) -> Beside:
    old = workshop.old.head if workshop.old.head.cosine else workshop.old.imprinted(SCALE)
    return Beside(cosine_head(workshop), workshop.dimension, workshop.steps, loss=InfluenceLoss(old), strength=strength)


def _distillation(workshop: Workshop, strength: float) -> Beside:
    loss = InfluenceDistillation(workshop.old.head, normalise=workshop.old.head_is_of_unit_vectors)
    return Beside(linear_head(workshop), workshop.dimension, workshop.steps, loss=loss, strength=strength)


INFLUENCE = swept("influence", "BCT: the old head as it was, or fitted to its vectors (Shen et al., 2020)", _influence)
INFLUENCE_COSINE = swept(
    "influence-cosine", "BCT with cosine heads, the old one of class means where it was linear", _of_cosines
)
INFLUENCE_DISTILLATION = swept(
    "influence-distillation", "BCT's variant: the old head says the same of new and old embedding", _distillation
)
