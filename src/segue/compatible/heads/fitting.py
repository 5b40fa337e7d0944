"""A head for stored vectors that never had one, or lost it: multinomial logistic regression."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from segue.compatible.checks import check_count, check_number
from segue.compatible.heads.frozen import FrozenHead
from segue.compatible.stored import read_stored
from segue.errors import InputError


def fit_head(embeddings_old: Any, labels: Any, *, penalty: float = 1e-4, steps: int = 500) -> FrozenHead:
    r"""Fit a linear head to stored vectors and their labels.

    .. math:: \min_{W, b} \frac{1}{n} \sum_i \mathrm{CE}(W f_i + b, y_i) + \frac{\lambda}{2} \|W\|^2

    The problem is convex, starts at 0 and is solved in doubles (L-BFGS), so that the same vectors give the same head.
    Its rows have the lengths that the old vectors need, which class means have not. Vectors are taken as they are
    stored: where they have length 1, pass ``normalise=True`` to the loss that asks the head about new embeddings.

    Args:
        embeddings_old: The old model's stored vectors, ``(n, d_old)``.
        labels: The class of each, ``(n,)`` integers; each class that occurs gets a row, in the order of the numbers.
        penalty: :math:`\lambda`, above 0; 1/n is scikit-learn's ``C=1``.
        steps: The most iterations.

    Returns:
        A frozen linear head with the map of its classes.

    Raises:
        InputError: If there are fewer than two classes, shapes are not as described, or a number is not finite.

    Example:
        >>> head = fit_head([[1.0, 0.0], [-1.0, 0.0]], [7, 3])
        >>> head.rows.class_of_row[head(torch.tensor([[2.0, 1.0]])).argmax(1)]
        tensor([7])
    """
    check_number("penalty", penalty, 0, open_low=True)
    check_count("steps", steps)
    stored, found = read_stored(embeddings_old, labels)
    classes, rows = (torch.from_numpy(part) for part in np.unique(found, return_inverse=True))
    if len(classes) < 2:
        raise InputError(f"labels hold the class {int(classes[0])} alone; a head needs at least two classes")
    weights = torch.zeros(len(classes), stored.shape[1], dtype=torch.float64, requires_grad=True)
    bias = torch.zeros(len(classes), dtype=torch.float64, requires_grad=True)
    solver = torch.optim.LBFGS(
        [weights, bias],
        max_iter=steps,
        tolerance_grad=1e-8,
        tolerance_change=1e-12,
        history_size=20,
        line_search_fn="strong_wolfe",
    )

    def objective() -> Tensor:
        solver.zero_grad()
        value = functional.cross_entropy(functional.linear(stored, weights, bias), rows)
        value = value + penalty / 2 * weights.square().sum()
        value.backward()  # type: ignore[no-untyped-call]
        return value

    with torch.enable_grad():
        solver.step(objective)  # type: ignore[no-untyped-call]
    kind = torch.get_default_dtype()
    return FrozenHead(weights.to(kind), bias.to(kind), class_map=classes)
