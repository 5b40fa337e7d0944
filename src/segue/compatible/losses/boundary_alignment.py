"""Boundaries of the old classes, and the new class centres on the old ones (Meng et al., LCE, ICCV 2021)."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from segue.compatible.checks import at_least_float32, check_embeddings, check_number
from segue.compatible.class_maps import RowsOfClasses
from segue.compatible.embeddings import angle, common_part
from segue.compatible.losses.base import CompatibleLoss, unrounded
from segue.compatible.losses.counted import Counted, Reduction, reduce
from segue.compatible.regions import ClassRegions
from segue.errors import InputError


class BoundaryAlignment(CompatibleLoss):
    r"""Keep each new embedding inside its old class's region, and each new class centre on the old one.

    .. math:: L = \frac{1}{n'} \sum_i \beta \, \max(0, \arccos(c_{y_i} \cdot f_i) - \theta_{y_i})
        + \alpha \, (1 - \cos(c_{y_i}, W_{y_i}))

    c and :math:`\theta` are the old centres and radii, W the rows of the new head, f the new embeddings brought to
    length 1. Samples of classes without a region, or with a region of radius 0, do not count. Where the new embedding
    is longer or shorter than the old one, the common part is compared. Learning Compatible Embeddings, without its
    residual transformation; the form of both terms as in the code of AdvBCT, which reimplements it (the authors' own
    compares cosines in the boundary, and takes squares with a weight of 100 in the alignment).

    Args:
        regions: Centres and radii of the old classes, from :func:`segue.compatible.regions.class_regions`.
        boundary: :math:`\beta`, at least 0.
        alignment: :math:`\alpha`, at least 0; with 0 the new head's rows are not needed.
        reduction: ``"none"``, ``"mean"`` (over the samples that count) or ``"sum"``.

    Raises:
        InputError: If an argument is not as described.

    Example:
        At a right angle to the centre of a region of one radian; the new head's row points away: pi/2 - 1 + 2.

        >>> regions = ClassRegions(torch.tensor([[1.0, 0.0]]), torch.tensor([1.0]), torch.tensor([0]))
        >>> loss = BoundaryAlignment(regions)
        >>> loss(torch.tensor([[0.0, 3.0]]), labels=torch.tensor([0]), new_weights=torch.tensor([[-5.0, 0.0]]))
        tensor(2.5708)
    """

    needs_old: ClassVar[bool] = False
    centres: Tensor
    radii: Tensor

    def __init__(
        self, regions: ClassRegions, *, boundary: float = 1.0, alignment: float = 1.0, reduction: Reduction = "mean"
    ) -> None:
        super().__init__(reduction=reduction)
        check_regions(regions)
        check_number("boundary", boundary, 0)
        check_number("alignment", alignment, 0)
        self.boundary = boundary
        self.alignment = alignment
        self.rows = RowsOfClasses(len(regions.classes), regions.classes)
        self.register_buffer("centres", regions.centres, persistent=False)
        self.register_buffer("radii", regions.radii, persistent=False)

    def forward(
        self,
        new_embeddings: Tensor,
        old_embeddings: Tensor | None = None,
        labels: Tensor | None = None,
        *,
        new_weights: Tensor | None = None,
    ) -> Tensor:
        """Compute the loss.

        Args:
            new_embeddings: The new model's embeddings, ``(n, d_new)``.
            old_embeddings: Not regarded: the regions stand for them.
            labels: The truth in the new model's classes, ``(n,)`` integers.
            new_weights: The rows of the new head, ``(new classes, d_new)``; gradients flow into them.

        Returns:
            ``(n,)`` for ``reduction="none"``, else a scalar.

        Raises:
            InputError: If something that is needed is missing, or shapes or types are not as described.
        """
        new, old, truth = self.read(new_embeddings, old_embeddings, labels)
        with unrounded(new.device):
            values, counts = self.per_sample(new, old, truth)
            if self.alignment > 0:
                values = values + self.alignment * self._apart(self._read_weights(new_weights, new, truth), truth)
            return reduce(Counted(values, counts), self.reduction)

    def per_sample(self, new: Tensor, old: Tensor, labels: Tensor) -> Counted:
        """Return how far each new embedding is outside of its old class's region.

        Args:
            new: The new model's embeddings, ``(n, d_new)``.
            old: Not regarded.
            labels: The truth, ``(n,)``.

        Returns:
            The values, times the boundary's weight.
        """
        rows = self.rows(labels)
        region = rows.clamp(min=0)
        centres, radii = self.centres.to(new.dtype)[region], self.radii.to(new.dtype)[region]
        part = common_part(new, self.centres.shape[1], normalise=True)
        return Counted(self.boundary * (angle(part, centres) - radii).relu(), (rows >= 0) & (radii > 0))

    def _apart(self, new_weights: Tensor, labels: Tensor) -> Tensor:
        directions = common_part(new_weights, self.centres.shape[1], normalise=True)
        centres = self.centres.to(new_weights.dtype)[self.rows(labels).clamp(min=0)]
        return 1 - (directions[labels] * centres).sum(dim=1)

    def _read_weights(self, new_weights: Tensor | None, new: Tensor, labels: Tensor) -> Tensor:
        if new_weights is None:
            raise InputError(
                "BoundaryAlignment needs new_weights, the rows of the new head, (new classes, d_new); pass them, or "
                "make the loss with alignment=0"
            )
        check_embeddings("new_weights", new_weights, new.shape[1])
        looked_at = labels.device.type == "cpu" and not torch.compiler.is_compiling() and labels.numel() > 0
        if looked_at and int(labels.max()) >= new_weights.shape[0]:
            raise InputError(
                f"labels hold the class {int(labels.max())}, but new_weights have only {new_weights.shape[0]} rows; "
                "pass one row per class of the new model"
            )
        return at_least_float32(new_weights).to(new.dtype)


def check_regions(regions: ClassRegions) -> None:
    """Refuse what are no regions.

    Args:
        regions: What the user passed.

    Raises:
        InputError: If it is something else.
    """
    if not isinstance(regions, ClassRegions):
        raise InputError(
            f"regions is a {type(regions).__name__}; make them with segue.compatible.regions.class_regions()"
        )
