"""Every loss of the form (new, old, labels) beside its slow reference: what all of them must do is tested for each."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch

from segue.congruent.losses import (
    AnchoredDistillation,
    ChurnDistillation,
    CongruentLoss,
    Distillation,
    FocalDistillation,
    GatedDistillation,
    LogitDifferenceInhibition,
    LogitMatching,
    MarginPreserving,
    NewError,
    Reweighting,
    StrictImitation,
    likelihood,
    negative_flip,
    new_incorrect,
)
from tests.congruent.losses import slow


@dataclass(frozen=True)
class Case:
    name: str
    loss: Callable[..., CongruentLoss]
    slow: Callable[..., float]

    def __str__(self):
        return self.name

    def slow_values(self, new, old, labels, class_map):
        rows = zip(new.tolist(), old.tolist(), labels.tolist(), strict=True)
        return torch.tensor([self.slow(*row, list(class_map)) for row in rows], dtype=torch.float64)


CASES = [
    Case("distillation", Distillation, slow.distillation),
    Case("distillation at 20", partial(Distillation, 20.0), partial(slow.distillation, temperature=20.0)),
    Case("focal", FocalDistillation, slow.focal),
    Case(
        "focal matching",
        partial(FocalDistillation, 0.5, 2.0, distance=LogitMatching()),
        slow.focal_matching,
    ),
    Case("focal on flips", partial(FocalDistillation, focus=negative_flip), slow.focal_flips),
    Case("focal on errors", partial(FocalDistillation, focus=new_incorrect), slow.focal_errors),
    Case("focal by likelihood", partial(FocalDistillation, focus=likelihood), slow.focal_likelihood),
    Case("logit difference", LogitDifferenceInhibition, slow.logit_difference),
    Case(
        "logit difference, top 2",
        partial(LogitDifferenceInhibition, 0.1, 3.0, top_k=2),
        partial(slow.logit_difference, margin=0.1, power=3.0, top_k=2),
    ),
    Case(
        "logit difference, top 2 without the label",
        partial(LogitDifferenceInhibition, 0.0, 2.0, top_k=2, exclude_label=True),
        partial(slow.logit_difference, margin=0.0, top_k=2, exclude_label=True),
    ),
    Case(
        "logit difference without the label",
        partial(LogitDifferenceInhibition, exclude_label=True),
        partial(slow.logit_difference, exclude_label=True),
    ),
    Case("reweighting", Reweighting, slow.reweighting),
    Case("new error", NewError, slow.reweighting),
    Case("strict imitation", StrictImitation, slow.strict_imitation),
    Case("anchored", AnchoredDistillation, slow.anchored),
    Case("anchored unevenly", partial(AnchoredDistillation, 0.3, 0.9), partial(slow.anchored, alpha=0.3, epsilon=0.9)),
    Case("churn", ChurnDistillation, slow.churn),
    Case("churn, a fifth", partial(ChurnDistillation, 0.2), partial(slow.churn, weight=0.2)),
    Case("gated", GatedDistillation, slow.gated),
    Case("margin preserving", MarginPreserving, slow.margin_preserving),
]

# old class 0 is now 3, old class 2 is gone; classes 1 and 4 are new
CLASS_MAP = (3, 0, -1, 2)
NEW_CLASSES = 5
SAME = (0, 1, 2, 3, 4)


def batch(seed, n=12, class_map=CLASS_MAP, dtype=torch.float64):
    """Logits with many right answers of both models, so that every branch of every loss is taken."""
    draws = torch.Generator().manual_seed(seed)
    labels = torch.randint(0, NEW_CLASSES, (n,), generator=draws)
    new = torch.randn(n, NEW_CLASSES, generator=draws, dtype=torch.float64)
    old = torch.randn(n, len(class_map), generator=draws, dtype=torch.float64)
    for row, label in enumerate(labels.tolist()):
        new[row, label] += 2.0 * (row % 2)
        if label in class_map:
            old[row, class_map.index(label)] += 2.0 * (row % 3 > 0)
    return new.to(dtype), old.to(dtype), labels
