"""Torch's own switches for results that repeat."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager

import torch


@contextmanager
def repeating(wanted: bool) -> Generator[None, None, None]:
    """Let torch use only algorithms whose results repeat, while the block runs.

    Args:
        wanted: Whether to; what the program asked for before stays in force in any case.

    Yields:
        Nothing.
    """
    before = torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()
    timed = torch.backends.cudnn.benchmark
    if wanted:
        # cuBLAS sums in one order only with a workspace of fixed size, and torch refuses to go on without.
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        torch.use_deterministic_algorithms(True, warn_only=before == (True, True))
        torch.backends.cudnn.benchmark = False
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before[0], warn_only=before[1])
        torch.backends.cudnn.benchmark = timed
