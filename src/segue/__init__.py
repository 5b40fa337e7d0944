"""Segue: replace a trained model by its successor without drama.

The rooms of the house are subpackages, imported when first used: ``segue.flips`` measures what an update breaks and
decides whether it may ship.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from segue import flips as flips
    from segue import report as report
    from segue.flips import compare as compare

__version__ = "0.1.0"

__all__ = ["__version__", "compare", "flips", "report"]


def __getattr__(name: str) -> Any:
    # PEP 562: a room is imported when it is first asked for, so that ``import segue`` costs next to nothing.
    if name in {"flips", "report"}:
        return importlib.import_module(f"segue.{name}")
    if name == "compare":
        return importlib.import_module("segue.flips").compare
    raise AttributeError(f"module 'segue' has no attribute {name!r}")
