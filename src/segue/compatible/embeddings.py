"""What two spaces of different dimension have in common, and how far apart two directions are."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from segue.compatible.checks import check_count, check_embeddings


def common_part(new: Tensor, d_old: int, *, normalise: bool = False) -> Tensor:
    """Return what of the new embeddings is compared with old ones, in the old dimension.

    A longer embedding gives its first ``d_old`` columns; a shorter one is filled up with zeros. Lengths are taken
    afterwards, as at search time (Shen et al., Towards Backward-Compatible Representation Learning, CVPR 2020, and the
    author's code).

    Args:
        new: The new model's embeddings, ``(n, d_new)``.
        d_old: The old model's dimension.
        normalise: Whether each row is divided by its Euclidean length; a row of zeros stays one.

    Returns:
        ``(n, d_old)``.

    Raises:
        InputError: If the embeddings are no floats of two axes, or ``d_old`` is no whole number above 0.

    Example:
        >>> common_part(torch.tensor([[3.0, 4.0, 12.0]]), 2, normalise=True)
        tensor([[0.6000, 0.8000]])
        >>> common_part(torch.tensor([[3.0, 4.0]]), 3)
        tensor([[3., 4., 0.]])
    """
    check_embeddings("new", new)
    check_count("d_old", d_old)
    missing = d_old - new.shape[1]
    part = functional.pad(new, (0, missing)) if missing > 0 else new[:, :d_old]
    return unit(part) if normalise else part


def unit(embeddings: Tensor) -> Tensor:
    """Divide each row by its Euclidean length; a row of zeros stays one.

    Args:
        embeddings: ``(n, d)``.

    Returns:
        ``(n, d)``.
    """
    return functional.normalize(embeddings, dim=1)


def angle(first: Tensor, second: Tensor) -> Tensor:
    r"""Return the angles between unit vectors, row by row.

    .. math:: \angle(u, v) = 2 \, \mathrm{atan2}(\|u - v\|, \|u + v\|)

    That equals arccos of the inner product, whose derivative is infinite for equal and for opposite vectors: a hinge on
    it would multiply that by 0 and give no number. Here it is finite everywhere.

    Args:
        first: Unit vectors, ``(n, d)``.
        second: Unit vectors, ``(n, d)``.

    Returns:
        ``(n,)`` radians, from 0 to pi.

    Example:
        >>> angle(torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 1.0]]))
        tensor([1.5708])
    """
    apart = torch.linalg.vector_norm(first - second, dim=1)
    along = torch.linalg.vector_norm(first + second, dim=1)
    return 2 * torch.atan2(apart, along)
