"""Labelled grey pictures, and what can be measured on them without a model."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


class UnavailableError(Exception):
    """Pictures can't be had from some place; the message says from where and why, as a clause."""


@dataclass(frozen=True, slots=True)
class Pictures:
    """Grey pictures with their labels.

    Attributes:
        images: Grey values in 0..255, ``(n, height, width)``.
        labels: Class numbers, ``(n,)``.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]

    def __len__(self) -> int:
        """Return the number of pictures."""
        return len(self.labels)

    def __getitem__(self, chosen: slice) -> Pictures:
        """Return some of the pictures."""
        return Pictures(self.images[chosen], self.labels[chosen])


@dataclass(frozen=True, slots=True)
class PictureSet:
    """A named set of pictures in two parts.

    Attributes:
        name: What the set is called.
        noun: What a picture shows, in the singular.
        origin: Where the files were found.
        classes: Name of each class number.
        train: What models may be trained and selected on.
        test: What is kept for the comparison only.
    """

    name: str
    noun: str
    origin: str
    classes: tuple[str, ...]
    train: Pictures
    test: Pictures
