"""A data set in two parts."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

Data = tuple[Tensor, Tensor]


@dataclass(frozen=True)
class Part:
    """A data set: a pool to draw training and validation samples from, and the test samples."""

    pool: Data
    test: Data
    classes: int
