"""Reduced-rank regression: an affine map through few directions (Izenman, 1975)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from segue.adapters.base import Adapter
from segue.adapters.moments import moments
from segue.adapters.ranges import at_least_zero, whole_number
from segue.adapters.spectrum import Spectrum, spectrum
from segue.flips.checks import counted


class LowRankAffine(Adapter):
    r"""Map by the best matrix of a given rank, which is stored and applied as two thin ones.

    .. math::
        \min_{\operatorname{rank} A \le r} \frac{1}{n} \sum_i \|(x_i - m_s) A - (y_i - m_t)\|^2 + \lambda \|A\|_F^2,
        \quad A = A_{ridge} V_r V_r^T

    with :math:`V_r` the first right singular vectors of :math:`(C_{ss} + \lambda I)^{1/2} A_{ridge}` (Izenman, Journal
    of Multivariate Analysis 1975; with the penalty, Mukherjee and Zhu, Statistical Analysis and Data Mining 2011). A
    low rank costs less per vector and holds the map to what the pairs show best.

    Args:
        rank: Directions the map goes through, from 1 to the smaller dimension.
        strength: How strong the penalty is, relative to the mean eigenvalue of the source's covariance, as for
            :class:`~segue.adapters.ridge.Ridge`.
        center: Whether the means of both sides are mapped onto each other; otherwise the origins are.
        unit: Whether vectors are of length 1, see :class:`~segue.adapters.base.Adapter`.

    Example:
        >>> source, target = [[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]], [[5.0], [-5.0], [1.0], [-1.0]]
        >>> LowRankAffine(rank=1, strength=0, unit=False).fit(source, target).transform([[2.0, 1.0]]).round(5).tolist()
        [[11.0]]
    """

    source_mean: NDArray[np.float32]
    inward: NDArray[np.float32]
    outward: NDArray[np.float32]
    target_mean: NDArray[np.float32]

    def __init__(self, *, rank: int = 64, strength: float = 0.1, center: bool = True, unit: bool = True) -> None:
        super().__init__(unit=unit)
        self.rank = rank
        self.strength = strength
        self.center = center

    def _check(self) -> None:
        whole_number(self.rank, "rank", 1)
        at_least_zero(self.strength, "strength")

    def _fit(self, source: NDArray[np.float32], target: NDArray[np.float32]) -> None:
        whole_number(self.rank, "rank", 1, min(source.shape[1], target.shape[1]), ", the smaller dimension")
        found = moments(source, target, self.center)
        inward, outward = thin(spectrum(found), self.rank, self.strength)
        self.source_mean, self.target_mean = found.source_mean.astype(np.float32), found.target_mean.astype(np.float32)
        self.inward, self.outward = inward.astype(np.float32), outward.astype(np.float32)

    def _map(self, source: NDArray[np.float32]) -> NDArray[np.float64]:
        inner = (source - self.source_mean.astype(np.float64)) @ self.inward.astype(np.float64)
        return np.asarray(inner @ self.outward.astype(np.float64) + self.target_mean)

    def _shapes(self) -> dict[str, tuple[int, ...]]:
        source, target = self.source_dimension, self.target_dimension
        return {
            "source_mean": (source,),
            "inward": (source, self.rank),
            "outward": (self.rank, target),
            "target_mean": (target,),
        }

    def _words(self) -> str:
        return f"Predicts the target's vector through {counted(self.rank, 'direction')} by reduced-rank regression."


def thin(found: Spectrum, rank: int, strength: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the best matrix of a rank as the product of two thin ones.

    Args:
        found: Moments with the source's covariance decomposed.
        rank: The rank.
        strength: The penalty relative to the mean eigenvalue.

    Returns:
        ``(d_source, rank)`` and ``(rank, d_target)``.
    """
    root = np.sqrt(found.values + found.penalty(strength))
    weighted = np.divide(1.0, root, out=np.zeros_like(root), where=found.shown)[:, None] * found.cross
    outward = np.linalg.svd(weighted, full_matrices=False)[2][:rank]
    return np.asarray(found.solution(strength) @ outward.T), outward
