r"""The affine map that most closed forms come down to.

.. math:: y = (x - m_s) \, A + m_t
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from segue.adapters.base import Adapter


class AffineAdapter(Adapter):
    """An adapter that has learned a matrix and the points of both spaces that it maps onto each other.

    Attributes:
        source_mean: The point of the source's space, ``(d_source,)``: zeros, where nothing is centred.
        matrix: The linear part, ``(d_source, d_target)``; vectors are rows and stand on its left.
        target_mean: The point of the target's space, ``(d_target,)``.
    """

    source_mean: NDArray[np.float32]
    matrix: NDArray[np.float32]
    target_mean: NDArray[np.float32]

    def _keep(self, source_mean: NDArray[Any], matrix: NDArray[Any], target_mean: NDArray[Any]) -> None:
        self.source_mean = source_mean.astype(np.float32)
        self.matrix = matrix.astype(np.float32)
        self.target_mean = target_mean.astype(np.float32)

    def _shapes(self) -> dict[str, tuple[int, ...]]:
        source, target = self.source_dimension, self.target_dimension
        return {"source_mean": (source,), "matrix": (source, target), "target_mean": (target,)}

    def _map(self, source: NDArray[np.float32]) -> NDArray[np.float64]:
        centred = source - self.source_mean.astype(np.float64)
        return np.asarray(centred @ self.matrix.astype(np.float64) + self.target_mean)
