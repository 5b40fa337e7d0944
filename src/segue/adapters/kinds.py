"""The kinds of adapters and where each lives; a module is imported when its class is first asked for."""

from __future__ import annotations

import importlib
from typing import Any

KINDS = {
    "Adjoint": "adjoint",
    "DirectionAdjoint": "direction_adjoint",
    "Ensemble": "ensemble",
    "KernelAdjoint": "kernel_adjoint",
    "KernelRidge": "kernel_ridge",
    "LocalMixture": "local_mixture",
    "LowRankAffine": "low_rank",
    "Procrustes": "procrustes",
    "Ridge": "ridge",
    "ScaledProcrustes": "scaled_procrustes",
    "Slerp": "spherical",
}

FUNCTIONS = {"AdapterChoice": "choice", "fit_best": "best", "ridge_path": "ridge", "slerp": "spherical"}


def kind(name: str) -> Any:
    """Return a class of adapters by its name.

    Args:
        name: One of ``KINDS``.

    Returns:
        The class.
    """
    return getattr(importlib.import_module(f"segue.adapters.{KINDS[name]}"), name)
