"""Neither model can be retrained: can a learned map bridge the two spaces?

An adapter is fitted on pairs, items that both models have embedded, row by row the same. In which direction is a matter
of the order::

    adapter = Ridge(strength=0.1).fit(new, old)  # new queries search the old gallery as it is
    found = search(adapter.transform(new_queries), old_gallery, k=10)

    adapter = Ridge(strength=0.1).fit(old, new)  # the old gallery moves into the new space, its items unseen
    found = search(new_queries, adapter.transform(old_gallery), k=10)

``save_pretrained(folder)`` keeps a fitted one and ``Adapter.from_pretrained(folder)`` reads it. Kinds are imported when
they are first asked for: the closed forms need numpy and scipy, the trained ones torch.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from segue.adapters.base import Adapter
from segue.adapters.kinds import FUNCTIONS, KINDS, kind

if TYPE_CHECKING:
    from segue.adapters.adjoint import Adjoint as Adjoint
    from segue.adapters.backfill_order import by_distance_to_class_mean as by_distance_to_class_mean
    from segue.adapters.backfill_order import by_expected_error as by_expected_error
    from segue.adapters.backfill_order import by_isolation as by_isolation
    from segue.adapters.backfill_order import by_query_traffic as by_query_traffic
    from segue.adapters.backfill_order import by_uncertainty as by_uncertainty
    from segue.adapters.best import fit_best as fit_best
    from segue.adapters.choice import AdapterChoice as AdapterChoice
    from segue.adapters.class_aware import ClassAware as ClassAware
    from segue.adapters.direction_adjoint import DirectionAdjoint as DirectionAdjoint
    from segue.adapters.ensemble import Ensemble as Ensemble
    from segue.adapters.expected_error import expected_errors as expected_errors
    from segue.adapters.fastfill import FastFill as FastFill
    from segue.adapters.fct import FCT as FCT
    from segue.adapters.kernel_adjoint import KernelAdjoint as KernelAdjoint
    from segue.adapters.kernel_ridge import KernelRidge as KernelRidge
    from segue.adapters.lambda_orthogonal import BackwardMap as BackwardMap
    from segue.adapters.lambda_orthogonal import LambdaOrthogonal as LambdaOrthogonal
    from segue.adapters.local_mixture import LocalMixture as LocalMixture
    from segue.adapters.low_rank import LowRankAffine as LowRankAffine
    from segue.adapters.procrustes import Procrustes as Procrustes
    from segue.adapters.residual_mlp import ResidualMLP as ResidualMLP
    from segue.adapters.ridge import Ridge as Ridge
    from segue.adapters.ridge import ridge_path as ridge_path
    from segue.adapters.scaled_procrustes import ScaledProcrustes as ScaledProcrustes
    from segue.adapters.spherical import Slerp as Slerp
    from segue.adapters.spherical import slerp as slerp

__all__ = [
    "FCT",
    "Adapter",
    "AdapterChoice",
    "Adjoint",
    "BackwardMap",
    "ClassAware",
    "DirectionAdjoint",
    "Ensemble",
    "FastFill",
    "KernelAdjoint",
    "KernelRidge",
    "LambdaOrthogonal",
    "LocalMixture",
    "LowRankAffine",
    "Procrustes",
    "ResidualMLP",
    "Ridge",
    "ScaledProcrustes",
    "Slerp",
    "by_distance_to_class_mean",
    "by_expected_error",
    "by_isolation",
    "by_query_traffic",
    "by_uncertainty",
    "expected_errors",
    "fit_best",
    "ridge_path",
    "slerp",
]


def __getattr__(name: str) -> Any:
    # PEP 562: a kind is imported when it is first asked for.
    if name in KINDS:
        return kind(name)
    if name in FUNCTIONS:
        return getattr(importlib.import_module(f"segue.adapters.{FUNCTIONS[name]}"), name)
    raise AttributeError(f"module 'segue.adapters' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
