"""A model's confusion matrix, estimated on labelled source data (Träuble et al., NeurIPS 2021)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segue.congruent.decisions.class_sets import class_set, positions
from segue.errors import InputError
from segue.flips.checks import class_column, counted, same_index, same_length

SMOOTHING = 1.0


@dataclass(frozen=True, eq=False)
class Confusion:
    r"""How often a model gives each answer for each true class: :math:`\pi(i, k) = p(\hat y = i \mid y = k)`.

    Use it where the classes are few enough that each has labelled samples for a row of its own;
    :class:`DiagonalConfusion` is for many classes.

    Attributes:
        classes: The classes in ascending order, ``(classes,)``.
        matrix: Row ``i`` is the answer, column ``k`` the truth; columns sum to 1, no cell is 0, ``(classes, classes)``.
        samples: Labelled samples of each class, ``(classes,)``.

    Raises:
        InputError: If a hand-made matrix has another shape, a cell that is not above 0, or columns that do not sum
            to 1.

    Example:
        >>> confusion = Confusion.fit(labels=[0, 0, 0, 1, 1, 1], answers=[0, 0, 1, 1, 1, 1], smoothing=2)
        >>> confusion.matrix.tolist()  # (2 + 1) / (3 + 2), (0 + 1) / (3 + 2), ...
        [[0.6, 0.2], [0.4, 0.8]]
    """

    classes: NDArray[Any]
    matrix: NDArray[np.float64]
    samples: NDArray[np.int64]

    def __post_init__(self) -> None:
        """Refuse what would make a posterior impossible.

        Raises:
            InputError: If a value is out of its range.
        """
        wanted = (len(self.classes), len(self.classes))
        if self.matrix.shape != wanted:
            raise InputError(f"matrix has shape {self.matrix.shape}; for {wanted[0]} classes it must be {wanted}")
        if not (np.isfinite(self.matrix).all() and (self.matrix > 0).all()):
            raise InputError(
                "matrix has a cell that is not above 0; one answer could rule a class out for ever, so estimate it "
                "with smoothing"
            )
        if not np.allclose(self.matrix.sum(axis=0), 1.0, atol=1e-6):
            raise InputError("matrix has columns that do not sum to 1; a column holds p(answer | true class)")

    @classmethod
    def fit(
        cls, labels: ArrayLike, answers: ArrayLike, *, classes: Sequence[Any] | None = None,
        smoothing: float = SMOOTHING,
    ) -> Confusion:  # fmt: skip
        r"""Estimate the matrix from a model's answers on labelled samples that it was not trained on.

        .. math:: \pi(i, k) = \frac{n_{ik} + s / K}{n_{\cdot k} + s}

        with ``s`` the smoothing and ``K`` classes: as if ``s`` more samples of each class had got every answer
        equally often. No answer then rules a class out, and a class without labelled samples says nothing.

        Args:
            labels: The truth of the labelled source samples, ``(m,)``.
            answers: The model's answers on them, ``(m,)``.
            classes: All classes, for those that occur in neither; by default the ones that occur.
            smoothing: Samples' worth of smoothing for each class, above 0.

        Returns:
            The confusion matrix.

        Raises:
            InputError: If lengths differ, values are missing or none of the classes, or the smoothing is not above 0.
        """
        found, truth, said = read_source(labels, answers, classes, smoothing)
        size = len(found)
        counts = np.bincount(said * size + truth, minlength=size * size).reshape(size, size)
        samples = counts.sum(axis=0)
        return cls(found, (counts + smoothing / size) / (samples + smoothing), samples)

    def log_likelihood(self, answers: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return ``log p(answer | true class)``, ``(n, classes)``, of positions of answers, ``(n,)``."""
        logs: NDArray[np.float64] = np.log(self.matrix)
        return logs[answers]

    def to_dict(self) -> dict[str, Any]:
        """Return classes, matrix and samples, ready for JSON."""
        return {
            "classes": self.classes.tolist(),
            "matrix": self.matrix.tolist(),
            "samples": self.samples.tolist(),
        }

    def __str__(self) -> str:
        """Return in words how often the model is right, by class."""
        return told(self.classes, np.diag(self.matrix), self.samples)


def read_source(
    labels: ArrayLike, answers: ArrayLike, classes: Sequence[Any] | None, smoothing: float
) -> tuple[NDArray[Any], NDArray[np.int64], NDArray[np.int64]]:
    """Read labelled answers.

    Args:
        labels: The truth, ``(m,)``.
        answers: The model's answers, ``(m,)``.
        classes: All classes; by default the ones that occur.
        smoothing: Samples' worth of smoothing.

    Returns:
        The classes, and the positions of labels and answers among them.

    Raises:
        InputError: If anything is not as described.
    """
    if not (np.isfinite(smoothing) and smoothing > 0):
        raise InputError(f"smoothing is {smoothing}; pass a number above 0, such as 1: a zero would rule classes out")
    same_index({"labels": labels, "answers": answers})
    truth, said = class_column(labels, "labels"), class_column(answers, "answers")
    same_length({"labels": truth, "answers": said})
    if (truth.dtype.kind == "U") != (said.dtype.kind == "U"):
        raise InputError("labels and answers differ in type (integers and strings); write both in the same way")
    found = class_set(np.concatenate([truth, said]) if classes is None else classes)
    remedy = "name every class with classes="
    return found, positions(truth, found, "labels", remedy), positions(said, found, "answers", remedy)


def told(classes: NDArray[Any], right: NDArray[np.float64], samples: NDArray[np.int64]) -> str:
    """Return in words how often a model is right, by class.

    Args:
        classes: The classes, ``(classes,)``.
        right: Probability that a sample of a class is answered rightly, ``(classes,)``.
        samples: Labelled samples of each class, ``(classes,)``.

    Returns:
        A sentence or two.
    """
    worst, best = int(right.argmin()), int(right.argmax())
    empty = int((samples == 0).sum())
    lacking, them = ("1 class has", "it") if empty == 1 else (f"{empty:,} classes have", "them")
    return (
        f"Estimated on {counted(int(samples.sum()), 'labelled sample')} of {len(classes):,} classes: right most often "
        f"on class {classes[best]} ({100 * right[best]:.1f}%), least on class {classes[worst]} "
        f"({100 * right[worst]:.1f}%)."
        + (f" {lacking} no labelled sample: answers tell nothing about {them}." if empty else "")
    )
