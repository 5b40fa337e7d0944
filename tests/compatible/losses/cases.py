"""Every compatible loss beside its slow reference: what all of them must do is tested for each."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch

from segue.compatible.heads import FrozenHead
from segue.compatible.losses import (
    BasisTransformation,
    BoundaryAlignment,
    CompatibleLoss,
    CrossContrastive,
    CrossTriplet,
    ElasticBoundary,
    EmbeddingRegression,
    HigherOrderContrastive,
    InfluenceDistillation,
    InfluenceLoss,
    OldNeighbours,
    RegressionAlleviating,
)
from segue.compatible.regions import ClassRegions
from tests.compatible import slow

D_OLD = 4
# row 0 of the old head stands for class 3, row 2 for one that is gone; classes 1 and 4 are new
CLASS_MAP = [3, 0, -1, 2]
NEW_CLASSES = 5

_draws = torch.Generator().manual_seed(20201116)
WEIGHTS = torch.randn(4, D_OLD, generator=_draws, dtype=torch.float64)
BIAS = torch.randn(4, generator=_draws, dtype=torch.float64)
CENTRES = torch.nn.functional.normalize(torch.randn(3, D_OLD, generator=_draws, dtype=torch.float64))
REGIONS = ClassRegions(CENTRES, torch.tensor([0.3, 0.0, 1.1], dtype=torch.float64), torch.tensor([0, 2, 3]))

# unit vectors that 32 bits hold exactly, which is how they are kept
STORED = [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, -1, 0], [0.5, 0.5, 0.5, 0.5], [0.5, -0.5, 0.5, -0.5], [0, 0, 0, 1]]
STORED_CLASSES = [0, 0, 2, 3, 2, 3]

slow_linear = partial(slow.linear, WEIGHTS.tolist(), BIAS.tolist())
slow_cosine = partial(slow.cosine, WEIGHTS.tolist(), 7.0)


@dataclass(frozen=True)
class Case:
    name: str
    loss: Callable[..., CompatibleLoss]
    slow: Callable[..., list[float | None]]
    lengths_matter: bool = False

    def __str__(self):
        return self.name

    def expected(self, new, old, labels):
        """The values with 0 for samples that don't count, and which ones count."""
        found = self.slow(new.tolist(), old.tolist(), labels.tolist())
        counts = torch.tensor([value is not None for value in found], dtype=torch.bool)
        return torch.tensor([value or 0.0 for value in found], dtype=torch.float64), counts


# A loss moves and converts the head that it holds: each gets one of its own.
def linear_head():
    return FrozenHead(WEIGHTS, BIAS, class_map=CLASS_MAP)


def cosine_head():
    return FrozenHead(WEIGHTS, scale=7.0, class_map=CLASS_MAP)


def on(head, kind, *settings, **more):
    return lambda **reduction: kind(head(), *settings, **more, **reduction)


def boundary_of(new, old, labels):
    return slow.boundary(new, labels, CENTRES.tolist(), REGIONS.radii.tolist(), [0, 2, 3], 2.0)


def elastic_of(new, old, labels):
    learned = [0.5, -0.5, 1.5]
    return slow.elastic_boundary(new, labels, CENTRES.tolist(), REGIONS.chords.tolist(), learned, [0, 2, 3], 0.9)


def elastic(**settings):
    loss = ElasticBoundary(REGIONS, threshold=0.9, **settings).double()
    loss.weight.data = torch.tensor([0.5, -0.5, 1.5], dtype=torch.float64)
    return loss


CASES = [
    Case(
        "influence",
        on(linear_head, InfluenceLoss),
        partial(slow.influence, slow_linear, CLASS_MAP, d_old=D_OLD),
        lengths_matter=True,
    ),
    Case(
        "influence of unit vectors",
        on(linear_head, InfluenceLoss, normalise=True),
        partial(slow.influence, slow_linear, CLASS_MAP, d_old=D_OLD, before=slow.unit),
    ),
    Case(
        "influence of a cosine head",
        on(cosine_head, InfluenceLoss),
        partial(slow.influence, slow_cosine, CLASS_MAP, d_old=D_OLD),
    ),
    Case(
        "distillation",
        on(linear_head, InfluenceDistillation),
        partial(slow.influence_distillation, slow_linear),
        lengths_matter=True,
    ),
    Case(
        "distillation of new classes",
        on(cosine_head, InfluenceDistillation, new_classes_only=True),
        partial(slow.influence_distillation, slow_cosine, known=(0, 2, 3)),
    ),
    Case("regression", EmbeddingRegression, slow.embedding_regression),
    Case("contrastive", CrossContrastive, partial(slow.cross_contrastive, temperature=0.05)),
    Case("contrastive at 0.5", partial(CrossContrastive, 0.5), partial(slow.cross_contrastive, temperature=0.5)),
    Case("triplet", CrossTriplet, partial(slow.cross_triplet, margin=0.8)),
    Case("RACT", RegressionAlleviating, partial(slow.regression_alleviating, temperature=0.01, hardest=10)),
    Case(
        "RACT, the 2 hardest",
        partial(RegressionAlleviating, 0.2, hardest=2),
        partial(slow.regression_alleviating, temperature=0.2, hardest=2),
    ),
    Case(
        "RACT, all",
        partial(RegressionAlleviating, 0.2, hardest=None),
        partial(slow.regression_alleviating, temperature=0.2, hardest=None),
    ),
    Case("HOC", HigherOrderContrastive, partial(slow.higher_order_contrastive, scale=10.0)),
    Case("boundary", partial(BoundaryAlignment, REGIONS, boundary=2.0, alignment=0.0), boundary_of),
    Case("elastic boundary", elastic, elastic_of),
    Case(
        "old neighbours",
        partial(OldNeighbours, STORED, STORED_CLASSES, temperature=0.3, ranking=0.5),
        partial(slow.old_neighbours, stored=STORED, classes=STORED_CLASSES, temperature=0.3, ranking=0.5),
    ),
    Case(
        "BT2",
        on(linear_head, BasisTransformation, (0.0, 10.0, 5.0)),
        partial(slow.basis_transformation, slow_linear, CLASS_MAP, weights=(0.0, 10.0, 5.0)),
    ),
]


def batch(seed, n=12, d_new=6, dtype=torch.float64):
    """Embeddings of two models that agree in part, with classes that only one of them knows."""
    draws = torch.Generator().manual_seed(seed)
    labels = torch.randint(0, NEW_CLASSES, (n,), generator=draws)
    old = torch.randn(n, D_OLD, generator=draws, dtype=torch.float64)
    new = torch.randn(n, d_new, generator=draws, dtype=torch.float64)
    shared = min(d_new, D_OLD)
    new[:, :shared] += old[:, :shared]
    return new.to(dtype), old.to(dtype), labels
