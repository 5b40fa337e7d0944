"""The kinds of adapters and where each lives; a module is imported when its class is first asked for."""

from __future__ import annotations

import importlib
from typing import Any

KINDS = {
    "Adjoint": "adjoint",
    "BackwardMap": "lambda_orthogonal",
    "ClassAware": "class_aware",
    "DirectionAdjoint": "direction_adjoint",
    "Ensemble": "ensemble",
    "FCT": "fct",
    "FastFill": "fastfill",
    "KernelAdjoint": "kernel_adjoint",
    "KernelRidge": "kernel_ridge",
    "LambdaOrthogonal": "lambda_orthogonal",
    "LocalMixture": "local_mixture",
    "LowRankAffine": "low_rank",
    "Procrustes": "procrustes",
    "ResidualMLP": "residual_mlp",
    "Ridge": "ridge",
    "ScaledProcrustes": "scaled_procrustes",
    "Slerp": "spherical",
}

FUNCTIONS = {
    "AdapterChoice": "choice",
    "by_distance_to_class_mean": "backfill_order",
    "by_expected_error": "backfill_order",
    "by_isolation": "backfill_order",
    "by_query_traffic": "backfill_order",
    "by_uncertainty": "backfill_order",
    "expected_errors": "expected_error",
    "fit_best": "best",
    "ridge_path": "ridge",
    "slerp": "spherical",
}


def kind(name: str) -> Any:
    """Return a class of adapters by its name.

    Args:
        name: One of ``KINDS``.

    Returns:
        The class.
    """
    return getattr(importlib.import_module(f"segue.adapters.{KINDS[name]}"), name)
