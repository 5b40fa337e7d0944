"""Kernel ridge regression: a smooth map that is exact where the pairs are (Saunders et al., 1998)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from segue.adapters.base import Adapter
from segue.adapters.kernel import coefficients, kernel, landmarks, reach_of
from segue.adapters.ranges import above_zero, whole_number


class KernelRidge(Adapter):
    r"""Map by kernel ridge regression: each pair has its say about what is near it.

    .. math::
        y = m_t + \sum_p k(x, x_p) \, a_p, \quad
        a = (K + \lambda I)^{-1} (Y - m_t), \quad
        k(x, x') = \exp\left(-\frac{\|x - x'\|^2}{2 w^2 s^2}\right)

    (Saunders, Gammerman and Vovk, ICML 1998, equation 8, with a Gaussian kernel.) :math:`s^2` is the mean squared
    distance between two source vectors of the pairs. A wide kernel is nearly a linear map, a narrow one remembers pairs
    and their surroundings. Where two models disagree about details, which linear maps average out, the details near the
    pairs stay: search for the nearest single item profits.

    Args:
        width: Reach of a pair relative to the root mean squared distance between two of them, :math:`w`.
        strength: The penalty :math:`\lambda`, relative to the kernel's value of 1 at no distance; above 0.
        landmarks: With more pairs than this, so many of them (chosen by ``seed``) are the centres of the map, fitted on
            all. Time grows with their cube, size and time of a query with their number.
        seed: Seed of the choice of landmarks.
        unit: Whether vectors are of length 1, see :class:`~segue.adapters.base.Adapter`.

    Attributes:
        centres: Source vectors of the pairs, or of the landmarks, ``(m, d_source)``.
        weights: Their say, ``(m, d_target)``.
        mean: Mean of the target, ``(d_target,)``.
        reach: The squared distance at which the kernel falls by a factor of e, ``(1,)``.

    Example:
        >>> source, target = [[-1.0], [0.0], [1.0]], [[1.0], [0.0], [1.0]]  # the square, which is not linear
        >>> adapter = KernelRidge(width=3.0, strength=1e-6, unit=False).fit(source, target)
        >>> adapter.transform([[-1.0], [0.5]]).round(1).tolist()
        [[1.0], [0.30000001192092896]]
    """

    centres: NDArray[np.float32]
    weights: NDArray[np.float32]
    mean: NDArray[np.float32]
    reach: NDArray[np.float32]

    def __init__(
        self,
        *,
        width: float = 0.4,
        strength: float = 0.03,
        landmarks: int = 4000,
        seed: int = 0,
        unit: bool = True,
    ) -> None:
        super().__init__(unit=unit)
        self.width = width
        self.strength = strength
        self.landmarks = landmarks
        self.seed = seed

    def _check(self) -> None:
        above_zero(self.width, "width")
        above_zero(self.strength, "strength")
        whole_number(self.landmarks, "landmarks", 2)
        whole_number(self.seed, "seed", 0)

    def _fit(self, source: NDArray[np.float32], target: NDArray[np.float32]) -> None:
        chosen = landmarks(len(source), self.landmarks, self.seed)
        centres = source if chosen is None else source[chosen]
        self.reach = np.array([reach_of(source, self.width)], dtype=np.float32)
        mean = target.mean(axis=0, dtype=np.float64)
        self.mean = mean.astype(np.float32)
        self.weights = coefficients(source, target - mean, centres, float(self.reach[0]), self.strength)
        self.centres = centres.copy()  # the caller may write over what was passed

    def _map(self, source: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.asarray(kernel(source, self.centres, float(self.reach[0])) @ self.weights + self.mean)

    def _shapes(self) -> dict[str, tuple[int, ...]]:
        centres = len(self.centres) if hasattr(self, "centres") else min(self.pairs, self.landmarks)
        return {
            "centres": (centres, self.source_dimension),
            "weights": (centres, self.target_dimension),
            "mean": (self.target_dimension,),
            "reach": (1,),
        }

    def _words(self) -> str:
        return f"Predicts the target's vector from what is near, by kernel ridge regression of width {self.width:g}."
