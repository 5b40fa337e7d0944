"""Old embeddings as they were stored, with labels: read and looked at once, and averaged by class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from segue.compatible.embeddings import unit
from segue.errors import InputError
from segue.flips.checks import counted
from segue.retrieval.vectors import as_vectors


def read_stored(embeddings_old: Any, labels: Any) -> tuple[Tensor, Tensor]:
    """Read stored vectors and their labels, looking at every number.

    Args:
        embeddings_old: The old model's embeddings, ``(n, d_old)``: a tensor, an array or a memory map.
        labels: The class of each, ``(n,)`` integers from 0.

    Returns:
        Both on the CPU, the embeddings in doubles.

    Raises:
        InputError: If shapes or types are not as described, or an embedding holds NaN or infinite numbers.

    Example:
        >>> read_stored([[1.0, 2.0]], [3])
        (tensor([[1., 2.]], dtype=torch.float64), tensor([3]))
    """
    vectors = as_vectors(embeddings_old, "embeddings_old", "inner-product")
    classes = np.asarray(labels.detach().cpu() if isinstance(labels, Tensor) else labels)
    if classes.shape != (len(vectors),):
        raise InputError(
            f"labels have the shape {classes.shape}; pass one class index per row of embeddings_old, ({len(vectors)},)"
        )
    if classes.dtype.kind not in "iu":
        raise InputError(f"labels hold {classes.dtype} values; pass class indices, which are integers")
    if classes.min() < 0:
        raise InputError(f"labels hold {classes.min()}; pass class indices from 0, and leave other samples out")
    return torch.from_numpy(vectors.values.astype(np.float64)), torch.from_numpy(classes.astype(np.int64))


def refuse_zero_vectors(embeddings_old: Tensor) -> None:
    """Refuse stored vectors that have no direction.

    Args:
        embeddings_old: Stored vectors, ``(n, d_old)``.

    Raises:
        InputError: If a row holds nothing but zeros.
    """
    bad = (~embeddings_old.any(dim=1)).nonzero().squeeze(1)
    if len(bad):
        raise InputError(
            f"embeddings_old has {counted(len(bad), 'row')} of zeros, first at row {int(bad[0])}; a zero vector has no "
            "direction: leave these rows out"
        )


def class_means(embeddings_old: Tensor, labels: Tensor, classes: Sequence[int] | Tensor) -> Tensor:
    """Average stored vectors by class.

    Args:
        embeddings_old: Stored vectors, ``(n, d_old)``.
        labels: The class of each, ``(n,)``.
        classes: The classes wanted, at least one, in the order wanted.

    Returns:
        ``(classes, d_old)``.

    Raises:
        InputError: If a class has no vector.

    Example:
        >>> class_means(torch.tensor([[0.0, 2.0], [2.0, 0.0], [5.0, 5.0]]), torch.tensor([1, 1, 0]), [1])
        tensor([[1., 1.]])
    """
    wanted = torch.as_tensor(classes, dtype=torch.int64)
    ascending, places = wanted.sort()
    found = torch.searchsorted(ascending, labels).clamp(max=len(wanted) - 1)
    # one row more than there are classes: that of all others
    rows = places[found].where(ascending[found] == labels, len(wanted))
    times = torch.bincount(rows, minlength=len(wanted) + 1)[:-1]
    if int(times.min()) == 0:
        raise InputError(
            f"class {int(wanted[times.argmin()])} has no row in embeddings_old; pass at least one old embedding of "
            "each class, or leave the class out"
        )
    sums = embeddings_old.new_zeros(len(wanted) + 1, embeddings_old.shape[1]).index_add(0, rows, embeddings_old)
    return sums[:-1] / times[:, None]


def class_directions(embeddings_old: Tensor, labels: Tensor, classes: Sequence[int] | Tensor) -> Tensor:
    """Return the direction of each class: the mean of its unit vectors, brought to length 1.

    Args:
        embeddings_old: Stored vectors, ``(n, d_old)``.
        labels: The class of each, ``(n,)``.
        classes: The classes wanted, at least one, in the order wanted.

    Returns:
        ``(classes, d_old)`` unit vectors.

    Raises:
        InputError: If a class has no vector, a vector is zero, or a class's vectors cancel out.

    Example:
        >>> class_directions(torch.tensor([[0.0, 2.0], [9.0, 0.0]]), torch.tensor([0, 0]), [0])
        tensor([[0.7071, 0.7071]])
    """
    refuse_zero_vectors(embeddings_old)
    means = class_means(unit(embeddings_old), labels, classes)
    cancelled = (torch.linalg.vector_norm(means, dim=1) < 1e-6).nonzero().squeeze(1)
    if len(cancelled):
        raise InputError(
            f"the old embeddings of class {int(torch.as_tensor(classes)[cancelled[0]])} cancel out and have no common "
            "direction; leave the class out, or check its labels"
        )
    return unit(means)
