"""What numbers a model put out: probabilities or logits. A rule is fitted with one of them and keeps to it."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from segue.errors import InputError
from segue.flips.answers import as_probabilities

Outputs = Literal["probabilities", "logits"]
ROUNDED = 1e-6  # how far beyond 0 and 1 a sum in 32 bits may end
ROUNDING = 1e-4  # of probabilities in 16 bits


def outputs_of(matrix: NDArray[np.float64], name: str) -> Outputs:
    """Tell what a model put out on many samples.

    Args:
        matrix: Finite numbers, ``(n, classes)``.
        name: What the caller calls them.

    Returns:
        ``"probabilities"`` for numbers in [0, 1] whose rows sum to about 1, else ``"logits"``.

    Raises:
        InputError: If all numbers lie in [0, 1] but rows sum to something else: they may be either, or neither.

    Example:
        >>> outputs_of(np.array([[0.9, 0.1], [0.2, 0.8]]), "old"), outputs_of(np.array([[2.0, -1.0]]), "old")
        ('probabilities', 'logits')
    """
    if matrix.min() < -ROUNDED or matrix.max() > 1 + ROUNDED:
        return "logits"
    matrix = matrix.clip(0, 1)
    if as_probabilities(matrix, name)[1]:
        raise InputError(
            f"{name} holds numbers from 0 to 1 whose rows do not sum to 1, which are no probabilities of classes that "
            f"exclude each other; pass probabilities, or the logits of both models"
        )
    return "probabilities"


def same_outputs(old: Outputs, new: Outputs, names: tuple[str, str]) -> Outputs:
    """Refuse probabilities of one model beside logits of the other.

    Args:
        old: What the old model put out.
        new: What the new model put out.
        names: What the caller calls them.

    Returns:
        What both put out.

    Raises:
        InputError: If they differ.
    """
    if old != new:
        raise InputError(f"{names[0]} holds {old} but {names[1]} holds {new}; pass the same of both models")
    return old


def probabilities_of(matrix: NDArray[np.float64], outputs: Outputs, name: str) -> NDArray[np.float64]:
    """Return probabilities, where it is known what the numbers must be.

    Args:
        matrix: Finite numbers, ``(n, classes)``.
        outputs: What they must be.
        name: What the caller calls them.

    Returns:
        Probabilities, ``(n, classes)``.

    Raises:
        InputError: If they are something else.
    """
    inside = bool((matrix >= -ROUNDED).all() and (matrix <= 1 + ROUNDED).all())
    if outputs == "probabilities":
        found, doubts = as_probabilities(matrix.clip(0, 1) if inside else matrix, name)
        if not inside or doubts:
            raise InputError(
                f"{name} holds no probabilities (numbers from 0 to 1, each row sums to 1), and the rule was fitted "
                f"with them; pass probabilities"
            )
        return found
    if inside and bool((np.abs(matrix.sum(axis=1) - 1) < ROUNDING).all()):
        raise InputError(f"{name} holds probabilities, and the rule was fitted with logits; pass logits")
    return np.asarray(softmax(matrix, axis=1))
