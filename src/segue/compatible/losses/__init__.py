"""Compatible losses: ``loss(new_embeddings, old_embeddings, labels)``, one file each."""

from segue.compatible.losses.adversarial import (
    AdversarialAlignment,
    GradientReversal,
    reversal_strength,
)
from segue.compatible.losses.base import CompatibleLoss
from segue.compatible.losses.basis_transformation import BasisTransformation
from segue.compatible.losses.boundary_alignment import BoundaryAlignment
from segue.compatible.losses.counted import Reduction
from segue.compatible.losses.cross_contrastive import CrossContrastive
from segue.compatible.losses.cross_triplet import CrossTriplet
from segue.compatible.losses.elastic_boundary import ElasticBoundary
from segue.compatible.losses.embedding_regression import EmbeddingRegression
from segue.compatible.losses.higher_order_contrastive import HigherOrderContrastive
from segue.compatible.losses.influence import InfluenceLoss
from segue.compatible.losses.influence_distillation import InfluenceDistillation
from segue.compatible.losses.mixing import MixedBatch, mix_embeddings, near_class_mean
from segue.compatible.losses.old_neighbours import OldNeighbours
from segue.compatible.losses.regression_alleviating import RegressionAlleviating

__all__ = [
    "AdversarialAlignment",
    "BasisTransformation",
    "BoundaryAlignment",
    "CompatibleLoss",
    "CrossContrastive",
    "CrossTriplet",
    "ElasticBoundary",
    "EmbeddingRegression",
    "GradientReversal",
    "HigherOrderContrastive",
    "InfluenceDistillation",
    "InfluenceLoss",
    "MixedBatch",
    "OldNeighbours",
    "Reduction",
    "RegressionAlleviating",
    "mix_embeddings",
    "near_class_mean",
    "reversal_strength",
]
