"""The source's covariance decomposed once, so that a ridge of any strength costs one product of matrices."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segue.adapters.moments import Moments


@dataclass(frozen=True, eq=False)
class Spectrum:
    """Moments with the covariance of the source decomposed, so that each strength costs one product of matrices.

    Attributes:
        moments: The moments.
        values: Eigenvalues of the covariance, ``(d_source,)``.
        vectors: Eigenvectors, as columns, ``(d_source, d_source)``.
        cross: The cross covariance in their basis, ``(d_source, d_target)``.
    """

    moments: Moments
    values: NDArray[np.float64]
    vectors: NDArray[np.float64]
    cross: NDArray[np.float64]

    def penalty(self, strength: float) -> float:
        """Return the penalty in the covariance's own units.

        Args:
            strength: The penalty relative to the mean eigenvalue.

        Returns:
            The product.
        """
        return float(strength * self.values.mean())

    def solution(self, strength: float) -> NDArray[np.float64]:
        """Return the matrix of one strength.

        Args:
            strength: The penalty relative to the mean eigenvalue.

        Returns:
            The matrix, ``(d_source, d_target)``.
        """
        size = self.values + self.penalty(strength)
        inverse = np.divide(1.0, size, out=np.zeros_like(size), where=self.shown)
        return np.asarray(self.vectors @ (inverse[:, None] * self.cross))

    @property
    def shown(self) -> NDArray[np.bool_]:
        """Which directions the pairs show at all; the others are rounding (the line is ``matrix_rank``'s)."""
        return np.asarray(self.values > self.values.max() * len(self.values) * np.finfo(np.float64).eps)


def spectrum(found: Moments) -> Spectrum:
    """Decompose the source's covariance.

    Args:
        found: The moments.

    Returns:
        The decomposition.
    """
    values, vectors = np.linalg.eigh(found.covariance)
    return Spectrum(found, values.clip(0.0), vectors, vectors.T @ found.cross)
