"""One adapter of each closed form, small enough for small spaces."""

import pytest

from segue.adapters import (
    Adjoint,
    DirectionAdjoint,
    Ensemble,
    KernelAdjoint,
    KernelRidge,
    LocalMixture,
    LowRankAffine,
    Procrustes,
    Ridge,
    ScaledProcrustes,
    Slerp,
)

CLOSED_FORMS = [
    Adjoint(),
    DirectionAdjoint(),
    Ensemble(adapters=[Ridge(), KernelRidge()]),
    KernelAdjoint(),
    KernelRidge(),
    LocalMixture(regions=3),
    LowRankAffine(rank=2),
    Procrustes(),
    Ridge(),
    ScaledProcrustes(),
    Slerp(adapter=Ridge()),
]
each = pytest.mark.parametrize("adapter", CLOSED_FORMS, ids=lambda adapter: type(adapter).__name__)
