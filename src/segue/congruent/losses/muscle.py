"""MUSCLE: where a language model errs, it follows its old version, token by token (Echterhoff et al., EMNLP 2024)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from segue.congruent.losses.checks import at_least_float32, check_labels, check_logits, check_number, check_reference
from segue.congruent.losses.class_maps import ClassMap
from segue.congruent.losses.distances import KLDivergence
from segue.congruent.losses.label_term import label_term
from segue.congruent.losses.reduction import Reduction, check_reduction
from segue.errors import InputError

PADDING = -100
"""The label of a token that nothing is asked of, as in the causal language models of the transformers library."""


def next_tokens(labels: Tensor) -> Tensor:
    """Return what a causal language model has to say at each position: the label of the next token.

    Args:
        labels: The label of each token itself, ``(batch, tokens)`` integers, -100 at padding.

    Returns:
        ``(batch, tokens)``, -100 at the last position, where no next token is known.

    Raises:
        InputError: If the labels have no two axes.

    Example:
        >>> next_tokens(torch.tensor([[11, 12, 13]]))
        tensor([[  12,   13, -100]])
    """
    if not isinstance(labels, Tensor) or labels.ndim != 2:
        given = (
            f"have the shape {tuple(labels.shape)}" if isinstance(labels, Tensor) else f"is a {type(labels).__name__}"
        )
        raise InputError(f"labels {given}; pass a tensor, (batch, tokens)")
    return torch.cat([labels[:, 1:], torch.full_like(labels[:, :1], PADDING)], dim=1)


class MuscleDistillation(nn.Module):
    r"""Follow the old version at the tokens that the new model gets wrong, and its own teacher at the others.

    .. math:: m_i = 1[\arg\max z^{new}_i \ne y_i] \qquad
        L = \frac{1}{n} \sum_i m_i \, \mathrm{KL}(\sigma(z^{old}_i / T) \,\|\, \sigma(z^{new}_i / T))
            + (1 - m_i) \, \mathrm{KL}(\sigma(z^{teacher}_i / T) \,\|\, \sigma(z^{new}_i / T))

    over the n tokens that are not padding. The teacher is the new version fine-tuned for the task as usual, from which
    the trained model starts. The paper adds the cross-entropy of the labels where the two versions are far apart; that
    is ``labels_weight``. Padding changes nothing, whatever its logits, and gets no gradient.

    The label at a position is what the logits *of that position* should say. Labels that hold the tokens themselves, as
    the transformers library passes them, must be shifted first: see :func:`next_tokens`.

    Logits are compared over the new version's whole vocabulary: a token that the old version does not know has no
    probability in its answer. Where the label is such a token, the model follows its teacher, right or wrong.

    Args:
        temperature: T, above 0; as in the paper there is no factor :math:`T^2`.
        labels_weight: The weight of the cross-entropy, at least 0.
        class_map: The new token of each old token, ``(old vocabulary,)``, -1 where it is gone; ``None`` for the same
            vocabulary.
        reduction: ``"none"`` returns ``(batch, tokens)`` with 0 at padding; ``"mean"`` divides by the number of tokens
            that are not padding, and is 0 where there is none.

    Raises:
        InputError: If an argument is out of its range.

    Example:
        The new model is undecided between two tokens, which counts as saying the first. That is wrong at the first
        position, where the old version is followed, right at the second, and the third is padding.

        >>> logits = torch.zeros(1, 3, 2)
        >>> old, teacher = torch.tensor([[[99.0, 0.0]] * 3]), torch.tensor([[[0.0, 0.0]] * 3])
        >>> loss = MuscleDistillation(temperature=1, reduction="none")
        >>> loss(logits, old, torch.tensor([[1, 0, -100]]), teacher_logits=teacher)
        tensor([[0.6931, 0.0000, 0.0000]])
    """

    def __init__(
        self,
        temperature: float = 1.0,
        *,
        labels_weight: float = 0.0,
        class_map: Sequence[int] | Tensor | None = None,
        reduction: Reduction = "mean",
    ) -> None:
        super().__init__()
        check_reduction(reduction)
        check_number("labels_weight", labels_weight, 0)
        self.distance = KLDivergence(temperature)
        self.labels_weight = labels_weight
        self.classes = None if class_map is None else ClassMap(class_map)
        self.reduction = reduction

    def forward(self, new_logits: Tensor, old_logits: Tensor, labels: Tensor, *, teacher_logits: Tensor) -> Tensor:
        """Compute the loss.

        Args:
            new_logits: The trained model's logits, ``(batch, tokens, vocabulary)``.
            old_logits: The old version's logits, ``(batch, tokens, old vocabulary)``; no gradient flows into them.
            labels: What each position should say, ``(batch, tokens)`` integers, -100 at padding.
            teacher_logits: The logits of the new version fine-tuned as usual, ``(batch, tokens, vocabulary)``; no
                gradient flows into them.

        Returns:
            ``(batch, tokens)`` for ``reduction="none"``, else a scalar.

        Raises:
            InputError: If shapes or types are not as described, or the mean of an empty batch is asked for.
        """
        self._check(new_logits, old_logits, labels, teacher_logits)
        if self.reduction == "mean" and labels.numel() == 0:
            raise InputError("the batch is empty and has no mean; leave empty batches out, or pass reduction='sum'")
        truth = labels.reshape(-1)
        counted = truth != PADDING
        # not a number times zero is not a number: padding must be gone before the softmax
        new = at_least_float32(new_logits).flatten(0, 1).masked_fill(~counted[:, None], 0.0)
        old = old_logits.detach().to(new.dtype).flatten(0, 1)
        teacher = teacher_logits.detach().to(new.dtype).flatten(0, 1)
        wrong = new.argmax(dim=1) != truth
        if self.classes is not None:
            wrong = wrong & (self.classes.old_labels(truth) >= 0)
            old = self.classes.in_new_classes(old, new.shape[1])
        followed = old.where(wrong[:, None], teacher).masked_fill(~counted[:, None], 0.0)
        values = self.distance(new, followed) / self.distance.temperature**2
        if self.labels_weight > 0:
            values = values + self.labels_weight * label_term(new, truth.where(counted, 0))
        values = values.where(counted, 0.0)
        if self.reduction == "none":
            return values.reshape(labels.shape)
        return values.sum() if self.reduction == "sum" else values.sum() / counted.sum().clamp(min=1)

    def _check(self, new_logits: Tensor, old_logits: Tensor, labels: Tensor, teacher_logits: Tensor) -> None:
        axes = ("batch", "tokens", "vocabulary")
        check_logits("new_logits", new_logits, axes)
        for name, reference in (("old_logits", old_logits), ("teacher_logits", teacher_logits)):
            check_logits(name, reference, axes)
            check_reference(name, reference, new_logits)
        check_labels(labels, new_logits.shape[:2], new_logits.device)
        if teacher_logits.shape[2] != new_logits.shape[2]:
            raise InputError(
                f"new_logits have {new_logits.shape[2]} tokens to choose from and teacher_logits "
                f"{teacher_logits.shape[2]}; the teacher must be of the new version"
            )
        if self.classes is not None:
            self.classes.check(new_logits, old_logits)
        elif old_logits.shape[2] != new_logits.shape[2]:
            raise InputError(
                f"new_logits have {new_logits.shape[2]} tokens to choose from and old_logits {old_logits.shape[2]}; "
                "pass class_map, the new token of each old token, -1 where it is gone"
            )
