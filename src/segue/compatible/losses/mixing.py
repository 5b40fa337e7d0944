"""MixBCT: some of the batch's embeddings are the old ones (Liang et al., arXiv 2308.06948)."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from segue.compatible.checks import at_least_float32, check_embeddings, check_number, check_same_samples
from segue.compatible.embeddings import angle, unit
from segue.compatible.shares import rounded_down, rounded_up
from segue.compatible.stored import class_directions, read_stored
from segue.errors import InputError


class MixedBatch(NamedTuple):
    """A batch of new embeddings some of which are old.

    Attributes:
        embeddings: ``(n, max(d_new, d_old))`` unit vectors.
        replaced: Which rows are old, ``(n,)`` booleans.
    """

    embeddings: Tensor
    replaced: Tensor


def mix_embeddings(
    new: Tensor,
    old: Tensor,
    share: float = 0.3,
    *,
    credible: Tensor | None = None,
    generator: torch.Generator | None = None,
) -> MixedBatch:
    """Put the old embeddings in the place of a share of the new ones.

    One head is then trained on the mix with one loss, and the new embeddings of a class gather where the old ones lie.
    All rows are brought to length 1, since a difference of lengths would tell the head which model a row is from; the
    shorter kind is filled up with zeros, so that the head has ``max(d_new, d_old)`` dimensions.

    MixBCT: Towards Self-Adapting Backward-Compatible Training; the share, and the choice among credible rows alone, as
    in the authors' code.

    Args:
        new: The new model's embeddings, ``(n, d_new)``.
        old: The old model's embeddings of the same samples, ``(n, d_old)``; no gradient flows into them.
        share: The share of the batch that is replaced, rounded down, from 0 to 1.
        credible: Which old embeddings may be used, ``(n,)`` booleans, such as from :func:`near_class_mean`; ``None``
            for all. Where fewer are credible than asked for, all those are used.
        generator: Where chance comes from, on the CPU; ``None`` for torch's own.

    Returns:
        The mix, and which rows were replaced.

    Raises:
        InputError: If shapes or types are not as described, or the share is out of its range.

    Example:
        >>> mixed = mix_embeddings(torch.full((4, 1), 2.0), torch.tensor([[0.0, 3.0]] * 4), share=0.5)
        >>> mixed.replaced.sum(), mixed.embeddings.sum(dim=0)
        (tensor(2), tensor([2., 2.]))
    """
    check_embeddings("new", new)
    check_embeddings("old", old)
    check_same_samples("old", old, "new", new)
    check_number("share", share, 0, 1)
    if credible is not None and (not isinstance(credible, Tensor) or credible.dtype != torch.bool):
        raise InputError("credible holds no booleans; pass one per row of old, (n,)")
    if credible is not None and credible.shape != new.shape[:1]:
        raise InputError(f"credible has the shape {tuple(credible.shape)}; pass one boolean per row of old, (n,)")
    rows = new.shape[0]
    allowed = torch.arange(rows) if credible is None else credible.cpu().nonzero().squeeze(1)
    drawn = allowed[torch.randperm(len(allowed), generator=generator)[: rounded_down(rows, share)]]
    replaced = torch.zeros(rows, dtype=torch.bool)
    replaced[drawn] = True
    replaced = replaced.to(new.device)
    width = max(new.shape[1], old.shape[1])
    fresh, stored = (
        functional.pad(unit(rows_), (0, width - rows_.shape[1]))
        for rows_ in (at_least_float32(new), at_least_float32(old.detach()))
    )
    return MixedBatch(stored.to(fresh.dtype).where(replaced[:, None], fresh), replaced)


def near_class_mean(embeddings_old: Any, labels: Any, share: float = 0.9) -> Tensor:
    """Tell old embeddings that are near the others of their class from outliers.

    Of each class the given share with the smallest angles to the class's direction is kept, rounded up; ties are broken
    by position. MixBCT's denoising; from memory of the paper, not confirmed.

    Args:
        embeddings_old: The old model's embeddings, ``(n, d_old)``.
        labels: The class of each, ``(n,)`` integers.
        share: The share of each class that is kept, above 0 and up to 1.

    Returns:
        ``(n,)`` booleans.

    Raises:
        InputError: If a vector is zero or not finite, shapes are not as described, or the share is out of its range.

    Example:
        >>> near_class_mean([[1.0, 0.0], [9.0, 1.0], [-1.0, 3.0]], [0, 0, 0], share=0.6)
        tensor([ True,  True, False])
    """
    check_number("share", share, 0, 1, open_low=True)
    stored, found = read_stored(embeddings_old, labels)
    classes, rows = (torch.from_numpy(part) for part in np.unique(found, return_inverse=True))
    angles = angle(unit(stored), class_directions(stored, found, classes)[rows])
    order = torch.from_numpy(np.lexsort((angles.numpy(), rows.numpy())))
    times = torch.bincount(rows)
    place = torch.arange(len(rows)) - (times.cumsum(0) - times)[rows[order]]
    kept = torch.zeros(len(rows), dtype=torch.bool)
    kept[order] = place < rounded_up(times, share)[rows[order]]
    return kept
