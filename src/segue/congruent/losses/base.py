"""What every positive-congruent loss shares: checks, class maps, and the reduction."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor, nn

from segue.congruent.losses.checks import at_least_float32, check_batch
from segue.congruent.losses.class_maps import ClassMap
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

    def __init__(self, *, class_map: Sequence[int] | Tensor | None = None, reduction: Reduction = "mean") -> None:
        super().__init__()
        check_reduction(reduction)
        self.reduction = reduction
        self.classes = None if class_map is None else ClassMap(class_map)

    @property
    def class_map(self) -> Tensor | None:
        """The new class of each old class, ``(old classes,)``, -1 where it is gone; ``None`` for equal class sets."""
        return None if self.classes is None else self.classes.new_of_old

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
            InputError: If shapes or types are not as described, or the mean of an empty batch is asked for.
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
        if self.classes is not None:
            self.classes.check(new_logits, old_logits)
        elif new_logits.shape[1] != old_logits.shape[1]:
            raise InputError(
                f"new_logits have {new_logits.shape[1]} classes and old_logits {old_logits.shape[1]}; "
                "pass class_map, the new class of each old class, -1 where it is gone"
            )
        new = at_least_float32(new_logits)
        return self.per_sample(new, old_logits.detach().to(new.dtype), labels)

    def extra_repr(self) -> str:
        """Return the settings as they are printed, so that a log of the loss says what it was.

        Returns:
            ``"alpha=1.0, ..."``.
        """
        settings = {name: value for name, value in vars(self).items() if not name.startswith("_") and value is not None}
        settings.pop("training")
        return ", ".join(f"{name}={getattr(value, '__name__', value)}" for name, value in settings.items())

    def common(self, new: Tensor, old: Tensor) -> tuple[Tensor, Tensor]:
        """Return the columns of the classes that both models know, in the order of the old classes.

        Args:
            new: One column per new class, ``(n, new classes)``.
            old: One column per old class, ``(n, old classes)``.

        Returns:
            Both as ``(n, common classes)``.
        """
        return (new, old) if self.classes is None else self.classes.common(new, old)

    def common_classes(self, new: Tensor) -> Tensor:
        """Return the new class of each column of :meth:`common`.

        Args:
            new: The new model's logits, ``(n, new classes)``.

        Returns:
            ``(common classes,)`` integers.
        """
        return torch.arange(new.shape[1], device=new.device) if self.classes is None else self.classes.kept_new

    def old_labels(self, labels: Tensor) -> Tensor:
        """Return the labels in the old model's classes.

        Args:
            labels: The truth in the new model's classes, ``(n,)`` integers.

        Returns:
            ``(n,)`` integers, -1 where the old model does not know the class.
        """
        return labels if self.classes is None else self.classes.old_labels(labels)

    def old_right(self, old: Tensor, labels: Tensor) -> Tensor:
        """Say which samples the reference gets right, judged on all its classes.

        Args:
            old: The reference's logits, ``(n, old classes)``.
            labels: The truth in the new model's classes, ``(n,)`` integers.

        Returns:
            ``(n,)`` booleans, false where the old model does not know the class.
        """
        return old.argmax(dim=1) == self.old_labels(labels)

    def where_known(self, values: Tensor, labels: Tensor, otherwise: Tensor | float = 0.0) -> Tensor:
        """Replace the values of the samples whose class the old model does not know.

        Args:
            values: The loss of each sample, ``(n,)``.
            labels: The truth in the new model's classes, ``(n,)`` integers.
            otherwise: What to put in their place, a number or ``(n,)``.

        Returns:
            ``(n,)``; no gradient flows into what was replaced.
        """
        return values if self.classes is None else values.where(self.old_labels(labels) >= 0, otherwise)
