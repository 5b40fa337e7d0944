"""What the posterior needs to know of a model: how probable each of its answers is under each true class."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class AnswerLikelihood(Protocol):
    """How probable a model's answers are, given the true class."""

    @property
    def classes(self) -> NDArray[np.generic]:
        """The classes in ascending order, ``(classes,)``."""
        ...

    def log_likelihood(self, answers: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return ``log p(answer | true class)``.

        Args:
            answers: Positions of the answers among the classes, ``(n,)``.

        Returns:
            Natural logarithms, ``(n, classes)``.
        """
        ...
