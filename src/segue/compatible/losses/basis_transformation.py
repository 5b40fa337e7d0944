"""The loss terms beside an orthonormal change of basis (Zhou et al., BT2, ICCV 2023)."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

from segue.compatible.checks import at_least_float32, check_embeddings, check_number, check_same_samples
from segue.compatible.class_maps import LEFT_OUT
from segue.compatible.embeddings import common_part, unit
from segue.compatible.heads.frozen import FrozenHead, check_frozen
from segue.compatible.losses.base import CompatibleLoss, check_old_dimension, unrounded
from segue.compatible.losses.counted import Counted, Reduction, reduce
from segue.errors import InputError


class BasisTransformation(CompatibleLoss):
    r"""Hold the first dimensions to the old model and the feature to a new model trained without constraint.

    .. math:: L = \frac{1}{n} \sum_i \lambda_1 (1 - \cos(f_i, \phi'_{new}(x_i)))
        + \lambda_2 \, \mathrm{CE}(\kappa_{old}(\hat z_i), y_i) + \lambda_3 (1 - \cos(\hat z_i, \phi_{old}(x_i)))

    :math:`\hat z` is the part of the new embedding that is compared with old ones, brought to length 1; f and z come
    from a :class:`segue.compatible.orthonormal_basis.OrthonormalBasis`. The new model's own classification loss, on the
    feature, is added to it. A sample whose class has no row in the old head has no second term. The authors' head is
    one of class means of the old model (:func:`segue.compatible.heads.imprinted_head` with ``scale=1``); weights as in
    their code for CIFAR-100.

    Args:
        old_head: The old head, frozen.
        weights: :math:`(\lambda_1, \lambda_2, \lambda_3)`, each at least 0. With :math:`\lambda_1 = 0` no other new
            model is needed.
        reduction: ``"none"``, ``"mean"`` (over all samples) or ``"sum"``.

    Raises:
        InputError: If an argument is not as described.

    Example:
        The feature is at a right angle to what it should be, the old head undecided, the old part as it should be.

        >>> import torch
        >>> loss = BasisTransformation(FrozenHead([[1.0, 0.0], [1.0, 0.0]]))
        >>> new, old, feature = torch.tensor([[2.0, 0.0, 7.0]]), torch.tensor([[1.0, 0.0]]), torch.eye(2)[:1]
        >>> loss(new, old, torch.tensor([1]), features=feature, reference=torch.eye(2)[1:])  # 1 + 10 log 2 + 0
        tensor(7.9315)
    """

    def __init__(
        self,
        old_head: FrozenHead,
        weights: tuple[float, float, float] = (1.0, 10.0, 5.0),
        *,
        reduction: Reduction = "mean",
    ) -> None:
        super().__init__(reduction=reduction)
        check_frozen("old_head", old_head)
        if not isinstance(weights, tuple | list) or len(weights) != 3:
            raise InputError(f"weights are {weights!r}; pass three, of the feature, the head and the old embedding")
        for place, weight in enumerate(weights):
            check_number(f"weights[{place}]", weight, 0)
        self.old_head = old_head
        self.weights = tuple(weights)

    def forward(
        self,
        new_embeddings: Tensor,
        old_embeddings: Tensor | None = None,
        labels: Tensor | None = None,
        *,
        features: Tensor | None = None,
        reference: Tensor | None = None,
    ) -> Tensor:
        """Compute the loss.

        Args:
            new_embeddings: What the change of basis returned, ``(n, d_new)``.
            old_embeddings: The old model's embeddings of the same samples, ``(n, d_old)``.
            labels: The truth in the new model's classes, ``(n,)`` integers.
            features: The features before the change of basis, ``(n, d_feature)``.
            reference: What they should be: embeddings of a new model trained by itself, ``(n, d_feature)``; no gradient
                flows into them.

        Returns:
            ``(n,)`` for ``reduction="none"``, else a scalar.

        Raises:
            InputError: If something that is needed is missing, or shapes or types are not as described.
        """
        new, old, truth = self.read(new_embeddings, old_embeddings, labels)
        with unrounded(new.device):
            values, counts = self.per_sample(new, old, truth)
            if self.weights[0] > 0:
                values = values + self.weights[0] * _turned_away(features, reference, new)
            return reduce(Counted(values, counts), self.reduction)

    def per_sample(self, new: Tensor, old: Tensor, labels: Tensor) -> Counted:
        """Return the two terms that hold the new embeddings to the old model.

        Args:
            new: What the change of basis returned, ``(n, d_new)``.
            old: The old model's embeddings, ``(n, d_old)``.
            labels: The truth, ``(n,)``.

        Returns:
            The values; all samples count.
        """
        check_old_dimension(old, self.old_head.dimension, "old_head")
        _, of_head, of_old = self.weights
        part = common_part(new, self.old_head.dimension, normalise=True)
        rows = self.old_head.rows(labels)
        judged = functional.cross_entropy(self.old_head(part), rows, reduction="none", ignore_index=LEFT_OUT)
        return Counted(of_head * judged + of_old * (1 - (part * unit(old)).sum(dim=1)))


def _turned_away(features: Tensor | None, reference: Tensor | None, new: Tensor) -> Tensor:
    if features is None or reference is None:
        raise InputError(
            f"BasisTransformation needs {'features' if features is None else 'reference'}; pass the features and what "
            "a new model trained by itself makes of the samples, or a first weight of 0"
        )
    check_embeddings("features", features)
    check_embeddings("reference", reference, features.shape[1])
    check_same_samples("features", features, "new_embeddings", new)
    check_same_samples("reference", reference, "new_embeddings", new)
    wanted = unit(at_least_float32(reference.detach()).to(new.dtype))
    return 1 - (unit(at_least_float32(features).to(new.dtype)) * wanted).sum(dim=1)
