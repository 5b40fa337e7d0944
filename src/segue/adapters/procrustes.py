"""Orthogonal Procrustes: the rotation that brings one space onto the other (Schönemann, 1966; Kabsch, 1976)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from segue.adapters.affine import AffineAdapter
from segue.adapters.moments import moments


class Procrustes(AffineAdapter):
    r"""Map by the rotation (or reflection) that brings the pairs closest together; lengths and angles stay.

    .. math::
        R = \arg\max_R \operatorname{tr}(R^T C_{st}) = U V^T, \quad C_{st} = U S V^T, \quad y = (x - m_s) R + m_t

    (Schönemann, Psychometrika 1966; with the means, Kabsch, Acta Crystallographica 1976.) Where the dimensions are
    equal, that is the same as the least squares :math:`\sum_i \|(x_i - m_s) R - (y_i - m_t)\|^2` over orthogonal
    matrices. Into a space of more dimensions :math:`R R^T = I`, and lengths and angles stay as well; into one of fewer
    :math:`R^T R = I`: a projection onto as many directions as there are.

    Directions that the pairs do not show are dropped and not rotated somewhere: with ``n`` pairs around their means
    there are at most ``n - 1`` that are shown. They are counted in ``rank``.

    Args:
        center: Whether the means of both sides are mapped onto each other; otherwise the origins are.
        unit: Whether vectors are of length 1, see :class:`~segue.adapters.base.Adapter`.

    Example:
        >>> source, target = [[1.0, 0.0], [0.0, 1.0]], [[0.0, 1.0], [-1.0, 0.0]]  # a quarter turn
        >>> Procrustes(center=False).fit(source, target).transform([[3.0, 4.0]]).round(6).tolist()
        [[-0.800000011920929, 0.6000000238418579]]
    """

    def __init__(self, *, center: bool = True, unit: bool = True) -> None:
        super().__init__(unit=unit)
        self.center = center

    @property
    def rank(self) -> int:
        """How many directions the pairs showed."""
        self._need_fit()
        return round(float(np.square(self.matrix, dtype=np.float64).sum()))

    def _fit(self, source: NDArray[np.float32], target: NDArray[np.float32]) -> None:
        found = moments(source, target, self.center)
        self._keep(found.source_mean, rotation(found.cross), found.target_mean)

    def _words(self) -> str:
        words = "Rotates the source's space onto the target's (orthogonal Procrustes)"
        most = min(self.source_dimension, self.target_dimension) if self.fitted else 0
        if most and self.rank < most:
            words += f", in the {self.rank:,} of {most:,} directions that the pairs show"
        return f"{words}."


def rotation(cross: NDArray[np.float64]) -> NDArray[np.float64]:
    r"""Return the orthogonal matrix :math:`U V^T` of the singular vectors of a matrix :math:`U S V^T`.

    Args:
        cross: The matrix, ``(a, b)``.

    Returns:
        ``(a, b)``. Directions whose singular value is zero, up to rounding, are left out.

    Example:
        >>> rotation(np.array([[0.0, 2.0], [-3.0, 0.0]])).tolist()
        [[0.0, 1.0], [-1.0, 0.0]]
    """
    left, size, right = np.linalg.svd(cross, full_matrices=False)
    shown = size > size.max() * max(cross.shape) * np.finfo(np.float64).eps
    return np.asarray(left[:, shown] @ right[shown])
