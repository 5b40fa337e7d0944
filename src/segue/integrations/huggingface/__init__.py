"""Hugging Face's ``Trainer``: flips at each evaluation, and congruent training; extra ``huggingface``."""

from __future__ import annotations

from segue.integrations.huggingface.flips import FlipTrainerCallback, flip_metrics
from segue.integrations.huggingface.training import CongruentTrainer

__all__ = ["CongruentTrainer", "FlipTrainerCallback", "flip_metrics"]
