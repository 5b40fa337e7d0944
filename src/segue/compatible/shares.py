"""How many samples a share of them is, whatever binary fractions make of ``0.15``."""

from __future__ import annotations

import math

import torch
from torch import Tensor

ROUNDING = 1e-9
"""A share is a decimal fraction in binary: 0.29 of 100 comes out a hair below 29, and 0.07 of 100 a hair above 7."""


def rounded_down(count: int, share: float) -> int:
    """Return the most samples that are not more than a share of them.

    Args:
        count: The samples.
        share: The share, from 0 to 1.

    Returns:
        A whole number.

    Example:
        >>> int(0.29 * 100), rounded_down(100, 0.29)
        (28, 29)
    """
    return math.floor(share * count + ROUNDING)


def rounded_up(counts: Tensor, share: float) -> Tensor:
    """Return the fewest samples that are not fewer than a share of them, at least one.

    Args:
        counts: The samples of each class, integers.
        share: The share, above 0 and up to 1.

    Returns:
        As many integers.

    Example:
        >>> counts = torch.tensor([100, 101])
        >>> (counts * 0.15).ceil().long(), rounded_up(counts, 0.15)
        (tensor([16, 16]), tensor([15, 16]))
    """
    return (counts.double() * share - ROUNDING).ceil().to(torch.int64).clamp(min=1)
