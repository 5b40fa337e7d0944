"""Lightning: flips after each validation, and congruent training; extra ``lightning``."""

from __future__ import annotations

from segue.integrations.lightning.flips import FlipCallback
from segue.integrations.lightning.training import CongruentModule

__all__ = ["CongruentModule", "FlipCallback"]
