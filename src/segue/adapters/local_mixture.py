"""A mixture of local affine maps, for spaces that are not globally linear."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.vq import kmeans2

from segue.adapters.affine import AffineAdapter
from segue.adapters.moments import moments
from segue.adapters.ranges import above_zero, at_least_zero, whole_number
from segue.adapters.spectrum import spectrum
from segue.errors import InputError
from segue.flips.checks import counted

# A share that 32 bits do not see.
NOTHING = 1e-9


class LocalMixture(AffineAdapter):
    r"""Map by one affine map for all, and correct it in each region by what is left over there.

    .. math::
        y = (x - m_s) A + m_t + \sum_k r_k(x) \left[ e_k + (x - a_k) B_k \right], \quad
        r_k(x) \propto \exp\left(-\frac{\|x - c_k\|^2}{2 \, \text{softness} \cdot v}\right)

    :math:`A` is the ridge map of all pairs. The centres :math:`c_k` are those of k-means on the source, and :math:`v`
    is the mean squared distance to the nearest. In each region, with pairs weighted by :math:`r_k`, the residuals are
    regressed on the source by a ridge around their means :math:`a_k`, :math:`e_k`: so each local map is drawn towards
    the global one, more strongly where a region has few pairs. A mixture of experts (Jordan and Jacobs, Neural
    Computation 1994) with fixed gates.

    Args:
        regions: How many regions.
        strength: Penalty of the global map, as for :class:`~segue.adapters.ridge.Ridge`.
        local_strength: How strongly local maps are drawn towards the global one: the penalty of a region of average
            size, relative to the mean eigenvalue of its covariance.
        softness: How far regions reach into each other, from above 0.
        seed: Seed of k-means.
        unit: Whether vectors are of length 1, see :class:`~segue.adapters.base.Adapter`.

    Example:
        >>> source = [[-3.0], [-2.0], [-1.0], [1.0], [2.0], [3.0]]
        >>> target = [[3.0], [2.0], [1.0], [1.0], [2.0], [3.0]]  # the absolute value
        >>> adapter = LocalMixture(regions=2, strength=0, local_strength=0, softness=0.5, unit=False)
        >>> adapter.fit(source, target).transform([[-2.5], [2.5]]).round(1).tolist()
        [[2.5], [2.5]]
    """

    centres: NDArray[np.float32]
    width: NDArray[np.float32]
    anchors: NDArray[np.float32]
    shifts: NDArray[np.float32]
    corrections: NDArray[np.float32]

    def __init__(
        self,
        *,
        regions: int = 16,
        strength: float = 0.3,
        local_strength: float = 3.0,
        softness: float = 0.03,
        seed: int = 0,
        unit: bool = True,
    ) -> None:
        super().__init__(unit=unit)
        self.regions = regions
        self.strength = strength
        self.local_strength = local_strength
        self.softness = softness
        self.seed = seed

    def _check(self) -> None:
        whole_number(self.regions, "regions", 1)
        at_least_zero(self.strength, "strength")
        at_least_zero(self.local_strength, "local_strength")
        above_zero(self.softness, "softness")
        whole_number(self.seed, "seed", 0)

    def _fit(self, source: NDArray[np.float32], target: NDArray[np.float32]) -> None:
        different = len(np.unique(source, axis=0))
        if self.regions > different:
            raise InputError(
                f"regions is {self.regions:,}, but source has {counted(different, 'different row')}; pass fewer regions"
            )
        found = moments(source, target, center=True)
        self._keep(found.source_mean, spectrum(found).solution(self.strength), found.target_mean)
        residuals = target - super()._map(source)
        self.centres = _centres(source, self.regions, self.seed)
        distances = squared_distances(source, self.centres)
        self.width = np.array([distances.min(axis=1).mean()], dtype=np.float32)
        weights = responsibilities(distances, self._reach())
        local = [self._local(source, residuals, weights[:, region]) for region in range(self.regions)]
        self.anchors, self.shifts, self.corrections = (
            np.stack(parts).astype(np.float32) for parts in zip(*local, strict=True)
        )

    def _local(
        self, source: NDArray[np.float32], residuals: NDArray[np.float64], weights: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        size = float(weights.sum())
        drawn = self.local_strength * len(source) / self.regions / size
        anchor, shift = weights @ source / size, weights @ residuals / size
        root = np.sqrt(weights)[:, None]
        found = moments(root * (source - anchor), root * (residuals - shift), center=False)
        return anchor, shift / (1 + drawn), spectrum(found).solution(drawn)

    def _map(self, source: NDArray[np.float32]) -> NDArray[np.float64]:
        mapped = super()._map(source)
        weights = responsibilities(squared_distances(source, self.centres), self._reach())
        for region in range(self.regions):
            rows = np.flatnonzero(weights[:, region] > NOTHING)
            around = source[rows] - self.anchors[region].astype(np.float64)
            correction = around @ self.corrections[region].astype(np.float64) + self.shifts[region]
            mapped[rows] += weights[rows, region, None] * correction
        return mapped

    def _reach(self) -> float:
        return 2 * self.softness * max(float(self.width[0]), float(np.finfo(np.float32).tiny))

    def _shapes(self) -> dict[str, tuple[int, ...]]:
        source, target = self.source_dimension, self.target_dimension
        return super()._shapes() | {
            "centres": (self.regions, source),
            "width": (1,),
            "anchors": (self.regions, source),
            "shifts": (self.regions, target),
            "corrections": (self.regions, source, target),
        }

    def _words(self) -> str:
        return (
            f"Predicts the target's vector by a ridge regression that is corrected in "
            f"{counted(self.regions, 'region')}, each by itself."
        )


def squared_distances(rows: NDArray[np.float32], centres: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return squared Euclidean distances.

    Args:
        rows: ``(n, d)``.
        centres: ``(k, d)``.

    Returns:
        ``(n, k)``.
    """
    around = rows - centres.mean(axis=0, dtype=np.float64)
    moved = centres - centres.mean(axis=0, dtype=np.float64)
    squares = np.square(around).sum(axis=1)[:, None] + np.square(moved).sum(axis=1) - 2 * around @ moved.T
    return np.asarray(squares.clip(0.0))


def responsibilities(distances: NDArray[np.float64], reach: float) -> NDArray[np.float64]:
    """Return how much each region has to say about each row.

    Args:
        distances: Squared distances to the regions' centres, ``(n, k)``.
        reach: The squared distance at which a region's say falls by a factor of e.

    Returns:
        Shares that sum to 1 in each row, ``(n, k)``.
    """
    shares = np.exp((distances.min(axis=1, keepdims=True) - distances) / reach)
    return np.asarray(shares / shares.sum(axis=1, keepdims=True))


def _centres(source: NDArray[np.float32], regions: int, seed: int) -> NDArray[np.float32]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # an empty cluster keeps its former centre
        return np.asarray(kmeans2(source, regions, minit="++", seed=seed)[0], dtype=np.float32)
