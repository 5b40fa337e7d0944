"""Boundaries whose radius is learned class by class (Pan et al., AdvBCT, CVPR 2023)."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn

from segue.compatible.checks import check_number
from segue.compatible.class_maps import RowsOfClasses
from segue.compatible.embeddings import common_part
from segue.compatible.losses.base import CompatibleLoss
from segue.compatible.losses.boundary_alignment import check_regions
from segue.compatible.losses.counted import Counted, Reduction
from segue.compatible.regions import ClassRegions


class ElasticBoundary(CompatibleLoss):
    r"""Keep each new embedding within a learned distance of its old class's centre.

    .. math:: L = \frac{1}{n'} \sum_i \max(0, \|f_i - c_{y_i}\| - r_{y_i}), \qquad
        r_k = r^{old}_k + \sigma(w_k) \, (t - r^{old}_k)

    The radius lies between that of the old class and a common threshold t; tight classes are given room, and wide ones
    are drawn in. f are the new embeddings brought to length 1, so that distances run from 0 to 2. Samples of classes
    without a region, or with a region of radius 0, do not count. Nothing in the loss holds the radius of a tight class
    back: where that should cost something, train ``weight`` with weight decay.

    Boundary-Aware Backward-Compatible Representation via Adversarial Learning in Image Retrieval, as in the authors'
    code, which takes the mean over the samples outside of their boundary instead, and starts :math:`w_k` at random.

    Args:
        regions: Centres and radii of the old classes, from :func:`segue.compatible.regions.class_regions`.
        threshold: t, above 0 and up to 2.
        reduction: ``"none"``, ``"mean"`` (over the samples that count) or ``"sum"``.

    Raises:
        InputError: If an argument is not as described.

    Example:
        Opposite to a centre whose old radius is 1: at the start the boundary is halfway to 2, and 2 - 1.5 remain.

        >>> regions = ClassRegions(torch.tensor([[1.0, 0.0]]), torch.tensor([torch.pi / 3]), torch.tensor([0]))
        >>> ElasticBoundary(regions, threshold=2.0)(torch.tensor([[-4.0, 0.0]]), labels=torch.tensor([0]))
        tensor(0.5000, grad_fn=<DivBackward0>)
    """

    needs_old: ClassVar[bool] = False
    centres: Tensor
    old_radii: Tensor

    def __init__(self, regions: ClassRegions, *, threshold: float = 1.0, reduction: Reduction = "mean") -> None:
        super().__init__(reduction=reduction)
        check_regions(regions)
        check_number("threshold", threshold, 0, 2, open_low=True)
        self.threshold = threshold
        self.weight = nn.Parameter(torch.zeros(len(regions.classes)))
        self.rows = RowsOfClasses(len(regions.classes), regions.classes)
        self.register_buffer("centres", regions.centres, persistent=False)
        self.register_buffer("old_radii", regions.chords, persistent=False)

    @property
    def radii(self) -> Tensor:
        """The radii as they are now, ``(regions,)`` Euclidean distances."""
        return self.old_radii + self.weight.sigmoid() * (self.threshold - self.old_radii)

    def per_sample(self, new: Tensor, old: Tensor, labels: Tensor) -> Counted:
        """Return how far each new embedding is outside of its class's boundary.

        Args:
            new: The new model's embeddings, ``(n, d_new)``.
            old: Not regarded.
            labels: The truth, ``(n,)``.

        Returns:
            The values.
        """
        rows = self.rows(labels)
        region = rows.clamp(min=0)
        part = common_part(new, self.centres.shape[1], normalise=True)
        distance = torch.linalg.vector_norm(part - self.centres.to(new.dtype)[region], dim=1)
        outside = (distance - self.radii.to(new.dtype)[region]).relu()
        return Counted(outside, (rows >= 0) & (self.old_radii[region] > 0))
