"""A confusion matrix of which only the diagonal is estimated, for many classes (Träuble et al., NeurIPS 2021)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segue.congruent.decisions.confusion import SMOOTHING, read_source, told
from segue.errors import InputError


@dataclass(frozen=True, eq=False)
class DiagonalConfusion:
    r"""How often a model is right on each class; its errors are taken to be spread evenly.

    .. math:: \pi(i, k) = \frac{1 - \pi(k, k)}{K - 1} \quad (i \ne k)

    A thousand classes have a million cells, too many to estimate; a thousand rates can be.

    Attributes:
        classes: The classes in ascending order, ``(classes,)``.
        right: Probability that a sample of a class is answered rightly, in (0, 1), ``(classes,)``.
        samples: Labelled samples of each class, ``(classes,)``.

    Raises:
        InputError: If a rate does not lie strictly between 0 and 1, or shapes differ.

    Example:
        >>> confusion = DiagonalConfusion.fit(labels=[0, 0, 0, 1, 2], answers=[0, 0, 0, 1, 1], smoothing=3)
        >>> confusion.right.round(3).tolist()  # (3 + 1) / (3 + 3), (1 + 1) / (1 + 3), (0 + 1) / (1 + 3)
        [0.667, 0.5, 0.25]
        >>> np.exp(confusion.log_likelihood(np.array([0]))).round(3).tolist()
        [[0.667, 0.25, 0.375]]
    """

    classes: NDArray[Any]
    right: NDArray[np.float64]
    samples: NDArray[np.int64]

    def __post_init__(self) -> None:
        """Refuse what would make a posterior impossible.

        Raises:
            InputError: If a value is out of its range.
        """
        if self.right.shape != self.classes.shape:
            raise InputError(
                f"right has shape {self.right.shape}; pass one rate for each of {len(self.classes)} classes"
            )
        if not ((self.right > 0) & (self.right < 1)).all():
            raise InputError(
                "right has a rate that is not strictly between 0 and 1; one answer could rule a class out for ever, "
                "so estimate it with smoothing"
            )

    @classmethod
    def fit(
        cls, labels: ArrayLike, answers: ArrayLike, *, classes: Sequence[Any] | None = None,
        smoothing: float = SMOOTHING,
    ) -> DiagonalConfusion:  # fmt: skip
        """Estimate the rates from a model's answers on labelled samples that it was not trained on.

        They are smoothed as :meth:`Confusion.fit` smooths its diagonal.

        Args:
            labels: The truth of the labelled source samples, ``(m,)``.
            answers: The model's answers on them, ``(m,)``.
            classes: All classes, for those that occur in neither; by default the ones that occur.
            smoothing: Samples' worth of smoothing for each class, above 0.

        Returns:
            The rates.

        Raises:
            InputError: If lengths differ, values are missing or none of the classes, or the smoothing is not above 0.
        """
        found, truth, said = read_source(labels, answers, classes, smoothing)
        samples = np.bincount(truth, minlength=len(found))
        hits = np.bincount(truth[truth == said], minlength=len(found))
        return cls(found, (hits + smoothing / len(found)) / (samples + smoothing), samples)

    def log_likelihood(self, answers: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return ``log p(answer | true class)``, ``(n, classes)``, of positions of answers, ``(n,)``."""
        wrong = np.log1p(-self.right) - np.log(len(self.classes) - 1)
        found = np.tile(wrong, (len(answers), 1))
        found[np.arange(len(answers)), answers] = np.log(self.right[answers])
        return found

    def to_dict(self) -> dict[str, Any]:
        """Return classes, rates and samples, ready for JSON."""
        return {"classes": self.classes.tolist(), "right": self.right.tolist(), "samples": self.samples.tolist()}

    def __str__(self) -> str:
        """Return in words how often the model is right, by class."""
        return told(self.classes, self.right, self.samples)
