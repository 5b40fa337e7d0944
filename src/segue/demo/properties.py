"""What can be measured on a grey picture without a model: columns in which flips may concentrate.

Grey values are ``uint8``, ``(n, height, width)``, on a black ground; each function returns ``(n,)``. A picture that is
all black has brightness 0, texture 0 and tallness 1.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

GROUND = 16  # grey values below are taken for the black ground


def brightness(images: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return the mean grey value, in 0..1, of what is not ground.

    Example:
        >>> brightness(np.array([[[0, 255], [0, 51]]], dtype=np.uint8))
        array([0.6])
    """
    thing = images >= GROUND
    total = np.where(thing, images, 0).sum(axis=(1, 2), dtype=np.float64)
    greys: NDArray[np.float64] = total / 255 / np.maximum(thing.sum(axis=(1, 2)), 1)
    return greys


def tallness(images: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return height over width of the smallest upright box around what is not ground.

    Example:
        >>> tallness(np.array([[[99, 0], [99, 0]]], dtype=np.uint8))
        array([2.])
    """
    thing = images >= GROUND
    height, width = (_extent(np.any(thing, axis=axis)) for axis in (2, 1))
    return np.where(np.any(thing, axis=(1, 2)), height / width, 1.0)


def texture(images: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return the mean step, in 0..1, between neighbours that both are not ground: stripes, prints, folds.

    Example:
        >>> texture(np.array([[[51, 102], [0, 0]]], dtype=np.uint8))
        array([0.2])
    """
    grey, thing = images.astype(np.float64) / 255, images >= GROUND
    steps, pairs = np.zeros(len(images)), np.zeros(len(images))
    for axis in (1, 2):
        inside = np.delete(thing, -1, axis) & np.delete(thing, 0, axis)
        steps += (np.abs(np.diff(grey, axis=axis)) * inside).sum(axis=(1, 2))
        pairs += inside.sum(axis=(1, 2))
    return steps / np.maximum(pairs, 1)


PROPERTIES = {
    "brightness": brightness,
    "tallness": tallness,
    "texture": texture,
}


def _extent(touched: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return from the first to the last touched line of ``(n, lines)``, both counted; ``lines`` where there is none."""
    last = touched.shape[1] - np.argmax(touched[:, ::-1], axis=1)
    extents: NDArray[np.int64] = last - np.argmax(touched, axis=1)
    return extents
