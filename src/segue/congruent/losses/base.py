"""What every positive-congruent loss shares: checks, class maps, and the reduction."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor, nn

from segue.congruent.losses.checks import at_least_float32, check_batch
from segue.congruent.losses.class_maps import old_classes, read_class_map
from segue.congruent.losses.reduction import Reduction, check_reduction, reduce
from segue.errors import InputError


class CongruentLoss(nn.Module, ABC):
    """A loss that reads the new logits, the logits of a reference model, and the labels.

    A subclass writes its formula in :meth:`per_sample` alone. Logits in half precision are read as 32-bit floats; no
    check looks at values on the device, so none waits for it: labels outside the new model's classes and logits that
    are not numbers are the caller's to keep out.

    Args:
        class_map: The new class of each old class, ``(old classes,)``, -1 where it is gone. Needed where the reference
            knows other classes than the new model; ``None`` where the class sets are equal.
        reduction: ``"none"`` returns ``(n,)``, ``"mean"`` divides the sum by ``n``, all samples of the batch included.

    Raises:
        InputError: If an argument is out of its range.
    """

    includes_labels: ClassVar[bool] = False
    """Whether the loss already holds the label term, so that no cross-entropy may be added to it."""

    class_map: Tensor | None
    _old_classes: Tensor | None
    _kept_old: Tensor | None
    _kept_new: Tensor | None

    def __init__(self, *, class_map: Sequence[int] | Tensor | None = None, reduction: Reduction = "mean") -> None:
        super().__init__()
        check_reduction(reduction)
        self.reduction = reduction
        mapped = None if class_map is None else read_class_map(class_map)
        kept = None if mapped is None else (mapped >= 0).nonzero().squeeze(1)
        self.register_buffer("class_map", mapped, persistent=False)
        self.register_buffer("_old_classes", None if mapped is None else old_classes(mapped), persistent=False)
        self.register_buffer("_kept_old", kept, persistent=False)
        self.register_buffer("_kept_new", None if mapped is None else mapped[kept], persistent=False)
        self._largest_class = -1 if mapped is None else int(mapped.max())

    @abstractmethod
    def per_sample(self, new: Tensor, old: Tensor, labels: Tensor) -> Tensor:
        """Return the loss of each sample, ``(n,)``; shapes were checked, ``old`` has the old classes' columns."""

    def forward(self, new_logits: Tensor, old_logits: Tensor, labels: Tensor) -> Tensor:
        """Compute the loss.

        Args:
            new_logits: The new model's logits, ``(n, new classes)``.
            old_logits: The reference's logits, ``(n, old classes)``; no gradient flows into them.
            labels: The truth in the new model's classes, ``(n,)`` integers.

        Returns:
            ``(n,)`` for ``reduction="none"``, else a scalar.

        Raises:
            InputError: If shapes or types are not as described.
        """
        return reduce(self.values(new_logits, old_logits, labels), self.reduction)

    def values(self, new_logits: Tensor, old_logits: Tensor, labels: Tensor) -> Tensor:
        """Check a batch and return the loss of each sample, whatever the reduction.

        Args:
            new_logits: The new model's logits, ``(n, new classes)``.
            old_logits: The reference's logits, ``(n, old classes)``; no gradient flows into them.
            labels: The truth in the new model's classes, ``(n,)`` integers.

        Returns:
            ``(n,)``, of 32 bits or of the new logits' type if that has more.

        Raises:
            InputError: If shapes or types are not as described.
        """
        check_batch(new_logits, old_logits, labels)
        self._check_classes(new_logits, old_logits)
        new = at_least_float32(new_logits)
        return self.per_sample(new, old_logits.detach().to(new.dtype), labels)

    def common(self, new: Tensor, old: Tensor) -> tuple[Tensor, Tensor]:
        """Return the columns of the classes that both models know, in the order of the old classes.

        Args:
            new: The new model's logits, ``(n, new classes)``.
            old: The reference's logits, ``(n, old classes)``.

        Returns:
            Both as ``(n, common classes)``.
        """
        if self._kept_old is None or self._kept_new is None:
            return new, old
        return new.index_select(1, self._kept_new), old.index_select(1, self._kept_old)

    def common_classes(self, new: Tensor) -> Tensor:
        """Return the new class of each column of :meth:`common`.

        Args:
            new: The new model's logits, ``(n, new classes)``.

        Returns:
            ``(common classes,)`` integers.
        """
        return torch.arange(new.shape[1], device=new.device) if self._kept_new is None else self._kept_new

    def old_labels(self, labels: Tensor) -> Tensor:
        """Return the labels in the old model's classes.

        Args:
            labels: The truth in the new model's classes, ``(n,)`` integers.

        Returns:
            ``(n,)`` integers, -1 where the old model does not know the class.
        """
        if self._old_classes is None:
            return labels
        return self._old_classes[labels.long().clamp(-1, self._old_classes.shape[0] - 1)]

    def drop_unknown(self, values: Tensor, labels: Tensor) -> Tensor:
        """Set to zero the values of the samples whose class the old model does not know.

        Args:
            values: The loss of each sample, ``(n,)``.
            labels: The truth in the new model's classes, ``(n,)`` integers.

        Returns:
            ``(n,)``; the gradient of a dropped sample is zero.
        """
        return values if self.class_map is None else values.where(self.old_labels(labels) >= 0, values.new_zeros(()))

    def _check_classes(self, new: Tensor, old: Tensor) -> None:
        new_count, old_count = new.shape[1], old.shape[1]
        if self.class_map is None:
            if new_count != old_count:
                raise InputError(
                    f"new_logits have {new_count} classes and old_logits {old_count}; "
                    "pass class_map, the new class of each old class, -1 where it is gone"
                )
            return
        if self.class_map.shape[0] != old_count:
            raise InputError(
                f"class_map names {self.class_map.shape[0]} old classes, but old_logits have {old_count}; "
                "pass one new class index per column of old_logits"
            )
        if self._largest_class >= new_count:
            raise InputError(
                f"class_map names the new class {self._largest_class}, but new_logits have only {new_count} classes; "
                "count new classes from 0"
            )
        if self.class_map.device != new.device:
            raise InputError(
                f"the loss is on {self.class_map.device} and the logits on {new.device}; "
                "move the loss with its .to(device), its class map goes along"
            )
