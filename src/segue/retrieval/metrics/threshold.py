"""The threshold that lets through no more than a share of those who should be kept out."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from segue.errors import InputError
from segue.flips.checks import counted


def allowed(rate: float, count: int, name: str, noun: str, which: str = "") -> int:
    """Return how many scores may pass.

    Args:
        rate: The largest share.
        count: How many scores there are.
        name: What the caller calls the rate.
        noun: What the scores are of, in the singular.
        which: What follows the noun.

    Returns:
        The largest whole number whose share is not above the rate.

    Raises:
        InputError: If the rate is no share, or too small for any of so few scores to pass.
    """
    if not (isinstance(rate, (int, float, np.integer, np.floating)) and 0 < rate < 1):
        raise InputError(f"{name} is {rate}; pass a number between 0 and 1, such as 0.001")
    # 0.29 * 100 is a little less than 29
    passing = math.floor(rate * count * (1 + 1e-12))
    if passing < 1:
        raise InputError(
            f"{name} is {rate:g}, which {counted(count, noun)}{which} can't show; pass at least "
            f"{math.ceil(1 / rate):,} of them, or a {name} of at least {1 / count:.3g}"
        )
    return passing


def threshold_above(falling: NDArray[np.float64], passing: int) -> float:
    """Return the score that must be *exceeded* so that no more than ``passing`` pass.

    Where several scores tie with it, all of them stay out, and fewer pass.

    Args:
        falling: Scores in falling order, ``(m,)``.
        passing: How many may pass; fewer than ``m``.

    Returns:
        The threshold.

    Example:
        >>> threshold_above(np.array([0.9, 0.7, 0.7, 0.2]), 2)
        0.7
    """
    return float(falling[passing])
