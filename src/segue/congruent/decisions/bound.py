"""How much accuracy a rule may cost, with an exact bound, and the choice of a rule that keeps to it."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from segue.flips.intervals import clopper_pearson


def loss_bound(lost: int, won: int, samples: int, confidence: float) -> float:
    r"""Return an upper bound of the accuracy that a rule costs against the new model.

    With ``b`` samples where the new model alone is right and ``c`` where the rule alone is right, the loss is
    :math:`p_b - p_c`; the bound is the upper end of :math:`p_b` less the lower end of :math:`p_c`, each one-sided and
    exact (Clopper-Pearson) at half the error, so that the loss exceeds it with probability ``1 - confidence`` at most,
    whatever the sample size.

    Args:
        lost: ``b``.
        won: ``c``.
        samples: ``n``, all validation samples.
        confidence: Coverage that the bound has at least.

    Returns:
        The bound, a share of all samples.

    Example:
        >>> round(loss_bound(lost=0, won=0, samples=1000, confidence=0.95), 5)  # 1 - 0.025 ** (1 / 1000)
        0.00368
    """
    return clopper_pearson(lost, samples, confidence).high - clopper_pearson(won, samples, confidence).low


def safe_candidates(
    right_new: NDArray[np.bool_], right: Iterable[NDArray[np.bool_]], margin: float, confidence: float
) -> list[int]:
    """Return the candidates whose loss of accuracy is bounded by the margin, all of them at once.

    The candidates are tried in their order, from the new model itself, which loses nothing, to ever more keeping, and
    the first one that can't be shown to keep to the margin ends the trial. Tested in a fixed sequence, the level needs
    no correction for their number (Angelopoulos et al., Learn then Test, 2021, from memory of the paper, not
    confirmed; the argument is that of fixed-sequence testing).

    Args:
        right_new: Whether the new model is right, ``(n,)``.
        right: Whether each candidate is right, ``(n,)`` each; the first must be the new model.
        margin: The accuracy that may be lost, a share.
        confidence: Probability with which every candidate that is returned keeps to the margin, at least.

    Returns:
        Positions of candidates, the first always among them.

    Example:
        >>> new = np.array([True] * 60 + [False] * 40)
        >>> safe_candidates(new, [new, new, ~new], margin=0.1, confidence=0.95)
        [0, 1]
    """
    safe: list[int] = []
    for place, candidate in enumerate(right):
        lost, won = int((right_new & ~candidate).sum()), int((candidate & ~right_new).sum())
        if place and loss_bound(lost, won, len(right_new), confidence) > margin:
            break
        safe.append(place)
    return safe
