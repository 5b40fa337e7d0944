"""The new embedding against the old embeddings of the same batch: no head of the old model is needed."""

from __future__ import annotations

from collections.abc import Callable

from segue.compatible.losses import (
    CompatibleLoss,
    CrossContrastive,
    CrossTriplet,
    EmbeddingRegression,
    RegressionAlleviating,
)
from segue.compatible.recipes.methods.base import Method, cosine_head, swept
from segue.compatible.recipes.objective import Beside
from segue.compatible.recipes.workshop import Workshop


def _beside(name: str, source: str, loss: Callable[[], CompatibleLoss], values: tuple[float, ...]) -> Method:
    def objective(workshop: Workshop, strength: float) -> Beside:
        return Beside(cosine_head(workshop), workshop.dimension, workshop.steps, loss=loss(), strength=strength)

    return swept(name, source, objective, values)


PAIRED = (
    _beside(
        "regression", "to the old embedding of the same sample (Shen et al., 2020)", EmbeddingRegression, (1.0, 10.0)
    ),
    _beside("contrastive", "new embeddings find old ones of their class in the batch", CrossContrastive, (1.0, 0.3)),
    _beside(
        "triplet", "nearer to the own old embedding than to the nearest of another class", CrossTriplet, (1.0, 0.3)
    ),
    _beside(
        "regression-alleviating",
        "RACT: new embeddings as negatives too (Zhang et al., 2022)",
        RegressionAlleviating,
        (1.0, 0.3),
    ),
)
