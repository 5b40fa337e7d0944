"""The most centric member: the one model of several seeds that is closest to all of them (Xie et al., ACL 2021)."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from segue.errors import InputError


def most_centric(member_logits: Any) -> int:
    """Choose the member whose outputs are closest to the ensemble's mean.

    A single model for the price of several trainings: it costs nothing at prediction time. See
    :func:`centric_distances` for the distance.

    Args:
        member_logits: Logits of each member on the same samples, ``(members, n, classes)``; validation or training
            samples, no labels are needed.

    Returns:
        The member's index; the first one of equals.

    Raises:
        InputError: If the array is not as described.

    Example:
        >>> most_centric([[[0.0, 0.0]], [[1.0, 0.0]], [[5.0, 0.0]]])  # the mean is 2: distances 2, 1, 3
        1
    """
    return int(centric_distances(member_logits).argmin())


def centric_distances(member_logits: Any) -> Tensor:
    r"""Say how far each member is from the ensemble's mean.

    .. math:: d_m = \frac{1}{n} \sum_i \lVert z_m(x_i) - \bar z(x_i) \rVert_2, \qquad \bar z = \frac{1}{M} \sum_m z_m

    Xie et al. (Regression Bugs Are In Your Model!, ACL 2021) choose by the distance of outputs to the ensemble's; that
    it is the Euclidean one of logits is Segue's choice. A constant added to all of a sample's logits counts as
    distance though it changes no probability: pass log-probabilities, ``logits.log_softmax(-1)``, where that matters.

    Args:
        member_logits: Logits of each member on the same samples, ``(members, n, classes)``.

    Returns:
        One distance per member, ``(members,)`` float64.

    Raises:
        InputError: If the array is not of that shape, empty, or has values that are not finite.

    Example:
        >>> centric_distances([[[0.0, 0.0]], [[6.0, 8.0]]])
        tensor([5., 5.], dtype=torch.float64)
    """
    try:
        found = torch.as_tensor(member_logits).detach().to(torch.float64)
    except (TypeError, ValueError, RuntimeError) as error:
        raise InputError(
            f"member_logits can't be read as an array (members, n, classes): {error}; all members must have the same "
            f"samples and classes"
        ) from error
    if found.dim() != 3 or 0 in found.shape:
        raise InputError(f"member_logits has shape {tuple(found.shape)}; pass (members, n, classes), none of them 0")
    if not torch.isfinite(found).all():
        member = int((~torch.isfinite(found)).flatten(1).any(dim=1).nonzero()[0])
        raise InputError(f"member_logits[{member}] has NaN or infinity; leave that member out or train it again")
    mean = torch.zeros_like(found[0])
    for logits in found:
        mean += logits / len(found)
    return torch.stack([(logits - mean).norm(dim=1).mean() for logits in found])
