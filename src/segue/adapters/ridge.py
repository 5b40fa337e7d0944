"""Ridge regression: least squares, held back where the pairs say little (Hoerl and Kennard, 1970)."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segue.adapters.affine import AffineAdapter
from segue.adapters.moments import moments
from segue.adapters.pairs import read_pairs
from segue.adapters.ranges import at_least_zero
from segue.adapters.spectrum import Spectrum, spectrum
from segue.errors import InputError


class Ridge(AffineAdapter):
    r"""Map by the matrix that predicts the target best in the mean square, with a penalty on its size.

    .. math::
        A = \arg\min_A \frac{1}{n} \sum_i \|(x_i - m_s) A - (y_i - m_t)\|^2 + \lambda \|A\|_F^2
          = (C_{ss} + \lambda I)^{-1} C_{st}, \quad
        \lambda = \text{strength} \cdot \frac{\operatorname{tr} C_{ss}}{d_s}

    (Hoerl and Kennard, Technometrics 1970, equation 2.1.) The strength is relative to the mean eigenvalue of the
    source's covariance: it means the same whatever the number of pairs, the dimension and the vectors' lengths.
    ``strength=0`` is least squares: the solution of least norm, where the pairs do not fix one.

    Args:
        strength: How strong the penalty is, from 0.
        center: Whether the means of both sides are mapped onto each other; otherwise the origins are.
        unit: Whether vectors are of length 1, see :class:`~segue.adapters.base.Adapter`.

    Example:
        >>> source, target = [[0.0], [2.0], [4.0]], [[1.0], [5.0], [9.0]]
        >>> Ridge(strength=0, unit=False).fit(source, target).transform([[3.0]]).tolist()
        [[7.0]]
        >>> Ridge(strength=1, unit=False).fit(source, target).transform([[3.0]]).tolist()
        [[6.0]]
    """

    def __init__(self, *, strength: float = 0.1, center: bool = True, unit: bool = True) -> None:
        super().__init__(unit=unit)
        self.strength = strength
        self.center = center

    def _check(self) -> None:
        at_least_zero(self.strength, "strength")

    def _fit(self, source: NDArray[np.float32], target: NDArray[np.float32]) -> None:
        self._take(spectrum(moments(source, target, self.center)))

    def _take(self, found: Spectrum) -> None:
        self._keep(found.moments.source_mean, found.solution(self.strength), found.moments.target_mean)

    def _words(self) -> str:
        return f"Predicts the target's vector by ridge regression of strength {self.strength:g}."


def ridge_path(
    source: ArrayLike, target: ArrayLike, strengths: Iterable[float], *, center: bool = True, unit: bool = True
) -> tuple[Ridge, ...]:
    """Fit ridge maps of several strengths at hardly more than the cost of one: the covariance is decomposed once.

    Args:
        source: ``(n, d_source)``.
        target: ``(n, d_target)``.
        strengths: The strengths, at least one.
        center: As for :class:`Ridge`.
        unit: As for :class:`Ridge`.

    Returns:
        One fitted map per strength.

    Raises:
        InputError: If there is no strength or one below 0, or something is wrong with the vectors, as for ``fit``.

    Example:
        >>> weak, strong = ridge_path([[0.0], [2.0]], [[0.0], [4.0]], [0, 1], unit=False)
        >>> weak.matrix.tolist(), strong.matrix.tolist()
        ([[2.0]], [[1.0]])
    """
    path = tuple(Ridge(strength=strength, center=center, unit=unit) for strength in _several(strengths))
    path[0]._check_unit()
    one, other = read_pairs(source, target, unit, "pass unit=False")
    found = spectrum(moments(one, other, center))
    for ridge in path:
        with np.errstate(over="ignore"):
            ridge._take(found)
        ridge._fitted_on(one, other)
    return path


def _several(strengths: Iterable[float]) -> tuple[float, ...]:
    if not isinstance(strengths, Iterable):
        raise InputError(f"strengths is {strengths!r}; pass several, such as [0.01, 0.1, 1], or fit a Ridge of one")
    given = tuple(strengths)
    if not given:
        raise InputError("strengths is empty; pass at least one number, such as [0.01, 0.1, 1]")
    for strength in given:
        at_least_zero(strength, "strengths")
    return given
