"""Rows for classes without a head: means of the old model's embeddings (Shen et al., CVPR 2020)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from segue.compatible.heads.frozen import FrozenHead, check_frozen
from segue.compatible.stored import class_directions, class_means, read_stored
from segue.errors import InputError
from segue.flips.checks import counted


def with_new_classes(old_head: FrozenHead, embeddings_old: Any, labels: Any) -> FrozenHead:
    r"""Give the old head a row for each class that it does not know.

    .. math:: w_c = \frac{1}{n_c} \sum_{y_i = c} \phi_{old}(x_i) \qquad c \notin \text{old classes}

    The rows of the classes that it knows are kept as they are, and only the new ones are made up: so says the first
    author (openBCT, issue 1). For a cosine head a row is the direction of the class: the mean of unit vectors, brought
    to length 1. For a linear head it is the plain mean, with a bias of 0; where the old head's rows are much longer or
    shorter than that, :func:`segue.compatible.heads.fit_head` on all classes is the better start. Towards
    Backward-Compatible Representation Learning, the "synthesized classifier".

    Args:
        old_head: The old head, with the map of its classes.
        embeddings_old: The *old* model's embeddings of samples of new classes, ``(n, d_old)``; those of known classes
            are not used.
        labels: The class of each in the new model's numbers, ``(n,)`` integers.

    Returns:
        A head that knows all classes, the old rows first.

    Raises:
        InputError: If the embeddings are of another dimension or no finite numbers, or none is of a new class.

    Example:
        >>> old = FrozenHead(torch.eye(2), class_map=[0, 1])
        >>> wider = with_new_classes(old, [[0.0, 4.0], [2.0, 0.0], [9.0, 9.0]], [2, 2, 0])
        >>> wider.weights.tolist(), wider.rows.class_of_row.tolist()
        ([[1.0, 0.0], [0.0, 1.0], [1.0, 2.0]], [0, 1, 2])
    """
    check_frozen("old_head", old_head)
    stored, classes = read_stored(embeddings_old, labels)
    if stored.shape[1] != old_head.dimension:
        raise InputError(
            f"embeddings_old have {counted(stored.shape[1], 'dimension')} and old_head {old_head.dimension}; pass "
            "embeddings of the model that the head belongs to"
        )
    known = old_head.rows.class_of_row.cpu()
    fresh = torch.tensor(sorted(set(classes.tolist()) - set(known.tolist())), dtype=torch.int64)
    if not len(fresh):
        raise InputError("labels hold no class that old_head does not know; use old_head as it is")
    of_fresh = torch.isin(classes, fresh)
    average = class_directions if old_head.cosine else class_means
    rows = average(stored[of_fresh], classes[of_fresh], fresh).to(old_head.weights)
    bias = old_head.bias
    return FrozenHead(
        torch.cat([old_head.weights, rows]),
        None if bias is None else torch.cat([bias, bias.new_zeros(len(fresh))]),
        scale=old_head.scale,
        class_map=torch.cat([known, fresh]),
    ).to(old_head.weights.device)


def imprinted_head(
    embeddings_old: Any, labels: Any, classes: Sequence[int] | Tensor | None = None, *, scale: float = 30.0
) -> FrozenHead:
    r"""Make a cosine head of stored vectors and their labels, where no old head is left.

    .. math:: w_c = \bar f_c / \|\bar f_c\|, \quad
        \bar f_c = \frac{1}{n_c} \sum_{y_i = c} \phi_{old}(x_i) / \|\phi_{old}(x_i)\|

    Weight imprinting (Qi et al., Low-Shot Learning with Imprinted Weights, CVPR 2018; from memory of the paper, not
    confirmed).

    Args:
        embeddings_old: The old model's stored vectors, ``(n, d_old)``.
        labels: The class of each, ``(n,)`` integers.
        classes: The classes that get a row, in this order; ``None`` for all that occur.
        scale: What the cosines are multiplied by, above 0.

    Returns:
        A frozen cosine head with the map of its classes.

    Raises:
        InputError: If a class has no vector, a vector is zero or not finite, or shapes are not as described.

    Example:
        >>> head = imprinted_head([[0.0, 4.0], [9.0, 0.0]], [5, 2])
        >>> head.weights.tolist(), head.rows.class_of_row.tolist()
        ([[1.0, 0.0], [0.0, 1.0]], [2, 5])
    """
    stored, found = read_stored(embeddings_old, labels)
    wanted = torch.from_numpy(np.unique(found)) if classes is None else _distinct(classes)
    rows = class_directions(stored, found, wanted).to(torch.get_default_dtype())
    return FrozenHead(rows, scale=scale, class_map=wanted)


def _distinct(classes: Sequence[int] | Tensor) -> Tensor:
    try:
        wanted = torch.as_tensor(classes).detach().cpu()
    except (TypeError, ValueError, RuntimeError) as error:
        raise InputError(f"classes can't be read as numbers ({error}); pass class indices") from error
    if wanted.ndim != 1 or not len(wanted) or wanted.is_floating_point() or len(np.unique(wanted)) < len(wanted):
        raise InputError(f"classes are {wanted.tolist()}; pass different class indices, at least one")
    return wanted.to(torch.int64)
