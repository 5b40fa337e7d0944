"""The adjoint of a gallery's map that is brought to length 1 after mapping."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from segue.adapters.adjoint import Adjoint
from segue.adapters.directions import directions
from segue.adapters.moments import moments
from segue.adapters.spectrum import spectrum

# Relative to the mean eigenvalue of the old vectors' covariance.
WEAK = 0.01


class DirectionAdjoint(Adjoint):
    r"""Map a new query so that it ranks the old gallery nearly by cosine with the predicted new vectors.

    :class:`~segue.adapters.adjoint.Adjoint` scores by :math:`q \cdot \hat y`, where a gallery that is mapped in place
    is searched by :math:`q \cdot \hat y / \|\hat y\|`. That is not linear in the old vector ``o``, but there is a
    best linear approximation: a second ridge regression, of the directions :math:`\hat y / \|\hat y\|` of the pairs
    on their old vectors. Its matrix takes the place of the first one's. What is regressed is known exactly, so that a
    weak penalty is enough; without any, the mapped query would consist mostly of directions that old vectors hardly
    take.

    Args:
        strength: Strength of the first regression, as for :class:`~segue.adapters.adjoint.Adjoint`.
        center: As for :class:`~segue.adapters.adjoint.Adjoint`.
        unit: Whether vectors are of length 1, see :class:`~segue.adapters.base.Adapter`.

    Example:
        >>> old = [[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]]
        >>> new = [[0.0, 1.0], [0.0, -1.0], [1.0, 0.0], [-1.0, 0.0]]
        >>> adapter = DirectionAdjoint(strength=0, center=False).fit(new, old)  # nothing is lost, so lengths are 1
        >>> adapter.transform([[3.0, 4.0]]).round(5).tolist()
        [[0.800000011920929, 0.6000000238418579]]
    """

    def _fit(self, source: NDArray[np.float32], target: NDArray[np.float32]) -> None:
        found = moments(target, source, center=True)
        around = target - found.source_mean
        predicted = around @ spectrum(found).solution(self.strength) + found.target_mean
        unit_predicted = moments(target, directions(predicted), center=True)
        self._keep_adjoint(spectrum(unit_predicted).solution(WEAK), found.target_mean)

    def _words(self) -> str:
        return (
            "Maps a new query so that it ranks the old gallery nearly as a ridge map of the gallery to length 1 would "
            "(adjoint map of directions)."
        )
