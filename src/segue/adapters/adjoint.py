"""Query the old gallery as if it had been mapped into the new space: the adjoint of the gallery's map."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from segue.adapters.affine import AffineAdapter
from segue.adapters.moments import moments
from segue.adapters.ranges import at_least_zero
from segue.adapters.spectrum import spectrum


class Adjoint(AffineAdapter):
    r"""Map a new query to the old vector whose scores rank the gallery as its predicted new vectors would.

    A ridge map predicts a gallery item's new vector from its old one, :math:`\hat y = (o - m_o) A + m_n`. The score of
    a new query with it,

    .. math:: q \cdot \hat y = (q A^T) \cdot o + \text{what depends on the query alone},

    is a score in the old space: :math:`q A^T` finds in the gallery as it stands what ``q`` would find in the mapped
    one, by inner product. (A cosine in the new space would divide by the length of :math:`\hat y` as well, see
    :class:`~segue.adapters.direction_adjoint.DirectionAdjoint`.) A map that predicts the old vector of a query answers
    another question: where the old model would have put it, with all that the old model can't see.

    As with the other adapters, source is the new space and target the old one. The result is a query and not an
    estimate of an old vector: use it by cosine or inner product, not by distance.

    Args:
        strength: How strong the penalty is, relative to the mean eigenvalue of the *old* vectors' covariance, see
            :class:`~segue.adapters.ridge.Ridge`.
        center: Whether queries are seen from the mean of the new space, :math:`(q - m_n) A^T`, which takes out what all
            items have in common.
        unit: Whether vectors are of length 1, see :class:`~segue.adapters.base.Adapter`.

    Example:
        >>> old = [[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]]
        >>> new = [[0.0, 2.0], [0.0, -2.0], [6.0, 0.0], [-6.0, 0.0]]
        >>> adapter = Adjoint(strength=0, unit=False).fit(new, old)  # a new vector is (6 b, 2 a) of an old one (a, b)
        >>> adapter.transform([[1.0, 1.0]]).round(5).tolist()  # so its score with (1, 1) is 2 a + 6 b
        [[2.0, 6.0]]
    """

    def __init__(self, *, strength: float = 0.1, center: bool = True, unit: bool = True) -> None:
        super().__init__(unit=unit)
        self.strength = strength
        self.center = center

    def _check(self) -> None:
        at_least_zero(self.strength, "strength")

    def _fit(self, source: NDArray[np.float32], target: NDArray[np.float32]) -> None:
        found = moments(target, source, center=True)
        self._keep_adjoint(spectrum(found).solution(self.strength), found.target_mean)

    def _keep_adjoint(self, forward: NDArray[np.float64], new_mean: NDArray[np.float64]) -> None:
        self._keep(new_mean if self.center else np.zeros_like(new_mean), forward.T, np.zeros(len(forward)))

    def _words(self) -> str:
        return "Maps a new query so that it ranks the old gallery as a ridge map of the gallery would (adjoint map)."
