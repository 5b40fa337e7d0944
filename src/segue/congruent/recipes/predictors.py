"""What a candidate answers with: one model, several, or the old and a new one together."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from segue.training import outputs_of


class Predictor(ABC):
    """Answers samples, perhaps with the help of the old model's logits."""

    @property
    @abstractmethod
    def passes(self) -> int:
        """Models that run at prediction time."""

    @abstractmethod
    def logits(self, data: Any, old: Tensor) -> Tensor:
        """Answer samples.

        Args:
            data: The samples, as the loop reads them.
            old: The old model's logits on them, ``(n, old classes)``.

        Returns:
            Logits or logarithms of probabilities, ``(n, new classes)``.
        """


@dataclass(frozen=True)
class Single(Predictor):
    """One model.

    Attributes:
        make: Returns the model, in evaluation mode.
    """

    make: Callable[[], nn.Module]

    @property
    def passes(self) -> int:
        """One."""
        return 1

    def logits(self, data: Any, old: Tensor) -> Tensor:
        """Answer samples with the model alone.

        Args:
            data: The samples.
            old: The old model's logits on them.

        Returns:
            ``(n, new classes)``.
        """
        return outputs_of(self.make(), data)


@dataclass(frozen=True)
class Members(Predictor):
    """The mean of several models' logits.

    Attributes:
        make: Returns each of the models.
    """

    make: Sequence[Callable[[], nn.Module]]

    @property
    def passes(self) -> int:
        """One for each."""
        return len(self.make)

    def logits(self, data: Any, old: Tensor) -> Tensor:
        """Answer samples with the mean of the members' logits.

        Args:
            data: The samples.
            old: The old model's logits on them.

        Returns:
            ``(n, new classes)``.
        """
        return torch.stack([outputs_of(make(), data) for make in self.make]).mean(dim=0)


@dataclass(frozen=True)
class WithOld(Predictor):
    """A new model beside the old one.

    Attributes:
        new: The new model.
        combine: From the logits of the old and the new model to the logarithms of what is answered.
    """

    new: Predictor
    combine: Callable[[Tensor, Tensor], Tensor]

    @property
    def passes(self) -> int:
        """One more than the new model takes."""
        return self.new.passes + 1

    def logits(self, data: Any, old: Tensor) -> Tensor:
        """Answer samples with both models.

        Args:
            data: The samples.
            old: The old model's logits on them.

        Returns:
            ``(n, new classes)``.
        """
        return self.combine(old, self.new.logits(data, old))
