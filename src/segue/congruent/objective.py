"""What is minimised: the cross-entropy of the labels and a congruent loss, or several, added up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import ClassVar, cast

import torch
from torch import Tensor, nn

from segue.congruent.losses.base import CongruentLoss
from segue.congruent.losses.checks import at_least_float32, check_labels, check_logits, check_number
from segue.congruent.losses.label_term import label_term
from segue.congruent.losses.reduction import Reduction, check_reduction, reduce
from segue.errors import InputError


class Mixed(CongruentLoss):
    r"""Cross-entropy and a congruent loss in the proportion of 1 - w to w, as the code beside PC training adds them.

    .. math:: L = (1 - w) \, L_{CE} + w \, L_{PC}

    Args:
        congruence: The congruent loss; its class map is used, its reduction is not.
        weight: w, from 0 (the old model is ignored) to 1 (the labels are).
        label_smoothing: The share of the cross-entropy's target that is spread over all classes, from 0 to 1.
        reduction: ``"none"``, ``"mean"`` or ``"sum"``.

    Raises:
        InputError: If an argument is out of its range, or the congruent loss holds the label term already.

    Example:
        >>> import torch
        >>> from segue.congruent.losses import FocalDistillation, LogitMatching
        >>> loss = Mixed(FocalDistillation(distance=LogitMatching()), weight=0.9)
        >>> loss(torch.tensor([[0.0, 0.0]]), torch.tensor([[0.0, 2.0]]), torch.tensor([1]))  # 0.1 log 2 + 0.9 x 6 x 2
        tensor(10.8693)
    """

    includes_labels: ClassVar[bool] = True

    def __init__(
        self,
        congruence: CongruentLoss,
        weight: float,
        *,
        label_smoothing: float = 0.0,
        reduction: Reduction = "mean",
    ) -> None:
        refuse_second_label_term(congruence)
        super().__init__(class_map=congruence.class_map, reduction=reduction)
        check_number("weight", weight, 0, 1)
        check_number("label_smoothing", label_smoothing, 0, 1)
        self.congruence = congruence
        self.weight = weight
        self.label_smoothing = label_smoothing

    def per_sample(self, new: Tensor, old: Tensor, labels: Tensor) -> Tensor:
        """Return the mixture of each sample.

        Args:
            new: The new model's logits, ``(n, new classes)``.
            old: The reference's logits, ``(n, old classes)``.
            labels: The truth in the new model's classes, ``(n,)``.

        Returns:
            ``(n,)``.
        """
        of_labels = label_term(new, labels, self.label_smoothing)
        of_old = self.congruence.per_sample(new, old, labels)
        return torch.add((1 - self.weight) * of_labels, of_old, alpha=self.weight)


class Penalized(CongruentLoss):
    r"""Cross-entropy and a congruent loss on top (Yan et al., Positive-Congruent Training, CVPR 2021, eq. 4).

    .. math:: L = L_{CE} + \lambda \, L_{PC}

    Args:
        congruence: The congruent loss; its class map is used, its reduction is not.
        weight: :math:`\lambda`, at least 0.
        label_smoothing: The share of the cross-entropy's target that is spread over all classes, from 0 to 1.
        reduction: ``"none"``, ``"mean"`` or ``"sum"``.

    Raises:
        InputError: If an argument is out of its range, or the congruent loss holds the label term already.

    Example:
        >>> import torch
        >>> from segue.congruent.losses import FocalDistillation, LogitMatching
        >>> loss = Penalized(FocalDistillation(distance=LogitMatching()), weight=0.5)
        >>> loss(torch.tensor([[0.0, 0.0]]), torch.tensor([[0.0, 2.0]]), torch.tensor([1]))  # log 2 + 0.5 x 6 x 2
        tensor(6.6931)
    """

    includes_labels: ClassVar[bool] = True

    def __init__(
        self,
        congruence: CongruentLoss,
        weight: float,
        *,
        label_smoothing: float = 0.0,
        reduction: Reduction = "mean",
    ) -> None:
        refuse_second_label_term(congruence)
        super().__init__(class_map=congruence.class_map, reduction=reduction)
        check_number("weight", weight, 0)
        check_number("label_smoothing", label_smoothing, 0, 1)
        self.congruence = congruence
        self.weight = weight
        self.label_smoothing = label_smoothing

    def per_sample(self, new: Tensor, old: Tensor, labels: Tensor) -> Tensor:
        """Return the cross-entropy and the penalty of each sample.

        Args:
            new: The new model's logits, ``(n, new classes)``.
            old: The reference's logits, ``(n, old classes)``.
            labels: The truth in the new model's classes, ``(n,)``.

        Returns:
            ``(n,)``.
        """
        of_labels = label_term(new, labels, self.label_smoothing)
        return torch.add(of_labels, self.congruence.per_sample(new, old, labels), alpha=self.weight)


class SeveralReferences(nn.Module):
    r"""Cross-entropy and one congruent loss for each of several references, such as the old model and an ensemble.

    .. math:: L = w_0 \, L_{CE} + \sum_r w_r \, L_r(z^{new}, z^{r}, y)

    Args:
        losses: The loss and the weight of each reference, by the reference's name. At most one of the losses may hold
            the label term, and then ``labels_weight`` must be 0.
        labels_weight: :math:`w_0`, the weight of the cross-entropy.
        label_smoothing: The share of the cross-entropy's target that is spread over all classes, from 0 to 1.
        reduction: ``"none"``, ``"mean"`` or ``"sum"``; the losses' own reductions are not used.

    Raises:
        InputError: If there is no loss, an argument is out of its range, or the label term would be added twice.

    Example:
        Protect what the old model got right, and follow the ensemble elsewhere too.

        >>> import torch
        >>> from segue.congruent.losses import FocalDistillation, LogitMatching
        >>> protect = FocalDistillation(alpha=0, beta=1, distance=LogitMatching())
        >>> follow = FocalDistillation(alpha=1, beta=0, distance=LogitMatching())
        >>> loss = SeveralReferences({"old": (protect, 0.5), "ensemble": (follow, 2.0)}, labels_weight=0)
        >>> old, ensemble = torch.tensor([[0.0, 2.0]]), torch.tensor([[1.0, 0.0]])
        >>> loss(torch.tensor([[0.0, 0.0]]), {"old": old, "ensemble": ensemble}, torch.tensor([1]))  # 0.5 x 2 + 2 x 0.5
        tensor(2.)
    """

    includes_labels: ClassVar[bool] = True

    def __init__(
        self,
        losses: Mapping[str, tuple[CongruentLoss, float]],
        *,
        labels_weight: float = 1.0,
        label_smoothing: float = 0.0,
        reduction: Reduction = "mean",
    ) -> None:
        super().__init__()
        check_reduction(reduction)
        check_number("labels_weight", labels_weight, 0)
        check_number("label_smoothing", label_smoothing, 0, 1)
        if not losses:
            raise InputError("losses is empty; pass {name of the reference: (loss, weight)}")
        for name, entry in losses.items():
            if not isinstance(entry, tuple) or len(entry) != 2:
                raise InputError(f"losses hold a {type(entry).__name__} for {name!r}; pass a pair (loss, weight)")
            if not isinstance(entry[0], CongruentLoss):
                raise InputError(
                    f"the loss of {name!r} is a {type(entry[0]).__name__}; pass a loss of segue.congruent.losses"
                )
            check_number(f"the weight of {name!r}", entry[1], 0)
        holders = [name for name, (loss, _) in losses.items() if loss.includes_labels]
        if holders and labels_weight > 0:
            raise InputError(f"the loss of {holders[0]!r} holds the label term already; pass labels_weight=0")
        if len(holders) > 1:
            raise InputError(
                f"the losses of {holders[0]!r} and {holders[1]!r} both hold the label term; keep one of them"
            )
        self.names = tuple(losses)
        self.weights = tuple(weight for _, weight in losses.values())
        self.losses = nn.ModuleList(loss for loss, _ in losses.values())
        self.labels_weight = labels_weight
        self.label_smoothing = label_smoothing
        self.reduction = reduction

    def forward(self, new_logits: Tensor, reference_logits: Mapping[str, Tensor], labels: Tensor) -> Tensor:
        """Compute the loss.

        Args:
            new_logits: The new model's logits, ``(n, new classes)``.
            reference_logits: The logits of each reference by name, ``(n, its classes)``; no gradient flows into them.
            labels: The truth in the new model's classes, ``(n,)`` integers.

        Returns:
            ``(n,)`` for ``reduction="none"``, else a scalar.

        Raises:
            InputError: If a reference is missing or unknown, or shapes or types are not as described.
        """
        self._check(new_logits, reference_logits, labels)
        total = new_logits.new_zeros(new_logits.shape[0], dtype=at_least_float32(new_logits).dtype)
        if self.labels_weight > 0:
            total = self.labels_weight * label_term(at_least_float32(new_logits), labels, self.label_smoothing)
        losses = cast("Iterable[CongruentLoss]", self.losses)
        for name, weight, loss in zip(self.names, self.weights, losses, strict=True):
            try:
                values = loss.values(new_logits, reference_logits[name], labels)
            except InputError as error:
                raise InputError(f"reference {name!r}: {error}") from error
            total = torch.add(total, values, alpha=weight)
        return reduce(total, self.reduction)

    def _check(self, new_logits: Tensor, reference_logits: Mapping[str, Tensor], labels: Tensor) -> None:
        check_logits("new_logits", new_logits)
        check_labels(labels, new_logits.shape[:1], new_logits.device)
        if not isinstance(reference_logits, Mapping):
            raise InputError(
                f"reference_logits is a {type(reference_logits).__name__}; pass the logits of each reference by name, "
                f"{', '.join(map(repr, self.names))}"
            )
        for name in self.names:
            if name not in reference_logits:
                raise InputError(f"reference_logits lack {name!r}; pass the logits of each reference that has a loss")
        for name in reference_logits:
            if name not in self.names:
                raise InputError(f"reference_logits hold {name!r}, which has no loss; leave it out, or give it a loss")


def refuse_second_label_term(congruence: CongruentLoss) -> None:
    """Refuse a loss to which cross-entropy must not be added.

    Args:
        congruence: What the user passed.

    Raises:
        InputError: If it is no congruent loss, or holds the label term already.

    Example:
        >>> from segue.congruent.losses import Distillation
        >>> refuse_second_label_term(Mixed(Distillation(), weight=0.5))
        Traceback (most recent call last):
        segue.errors.InputError: Mixed holds the label term already; call it by itself, with no cross-entropy added
    """
    if not isinstance(congruence, CongruentLoss):
        raise InputError(f"congruence is a {type(congruence).__name__}; pass a loss of segue.congruent.losses")
    if congruence.includes_labels:
        raise InputError(
            f"{type(congruence).__name__} holds the label term already; call it by itself, with no cross-entropy added"
        )
