"""Procrustes with a scale for each dimension of the target (Drift-Adapter: Vejendla, EMNLP 2025)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from segue.adapters.affine import AffineAdapter
from segue.adapters.moments import Moments, moments
from segue.adapters.procrustes import rotation


class ScaledProcrustes(AffineAdapter):
    r"""Rotate, then stretch each dimension of the target by itself.

    .. math::
        y = (x - m_s) R D + m_t, \quad R = \operatorname{Procrustes}, \quad
        d_j = \arg\min_d \sum_i \left(d \, [(x_i - m_s) R]_j - (y_i - m_t)_j\right)^2

    Drift-Adapter (Vejendla, EMNLP 2025, arXiv 2509.23471) follows its rotation by such a diagonal matrix; how it fits
    that is from memory of the paper, not confirmed. Here it is the regression of each dimension on its rotated
    counterpart, which never raises the error that the rotation alone leaves on the pairs.

    Args:
        center: Whether the means of both sides are mapped onto each other; otherwise the origins are.
        unit: Whether vectors are of length 1, see :class:`~segue.adapters.base.Adapter`.

    Example:
        >>> source, target = [[1.0, 0.0], [0.0, 1.0]], [[0.0, 3.0], [-2.0, 0.0]]  # a quarter turn, stretched
        >>> adapter = ScaledProcrustes(center=False, unit=False).fit(source, target)
        >>> adapter.transform([[1.0, 1.0]]).round(6).tolist()
        [[-2.0, 3.0]]
    """

    def __init__(self, *, center: bool = True, unit: bool = True) -> None:
        super().__init__(unit=unit)
        self.center = center

    def _fit(self, source: NDArray[np.float32], target: NDArray[np.float32]) -> None:
        found = moments(source, target, self.center)
        turn = rotation(found.cross)
        self._keep(found.source_mean, turn * best_scales(found, turn), found.target_mean)

    def _words(self) -> str:
        return "Rotates the source's space onto the target's and stretches each dimension (Procrustes with scales)."


def best_scales(found: Moments, turn: NDArray[np.float64]) -> NDArray[np.float64]:
    r"""Return the scales of least squares: :math:`d_j = (R^T C_{st})_{jj} / (R^T C_{ss} R)_{jj}`.

    Args:
        found: The moments.
        turn: The rotation, ``(d_source, d_target)``.

    Returns:
        One scale per dimension of the target, ``(d_target,)``; 0 where the rotated source does not vary.
    """
    agreement = np.einsum("st,st->t", turn, found.cross)
    power = np.einsum("st,st->t", turn, found.covariance @ turn)
    enough = power > power.max() * np.finfo(np.float64).eps
    return np.asarray(np.divide(agreement, power, out=np.zeros_like(power), where=enough))
