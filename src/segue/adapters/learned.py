"""An array that was kept on disk, looked at before it is used."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def sound(name: str, array: NDArray[Any], shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Return an array that was kept, if it is what it should be.

    Args:
        name: Its name.
        array: The array.
        shape: The shape that it should have.

    Returns:
        The array.

    Raises:
        ValueError: If it is of another shape or type, or not finite.
    """
    if array.shape != shape:
        raise ValueError(f"{name} has shape {array.shape} in place of {shape}")
    if array.dtype != np.float32 or not np.isfinite(array).all():
        raise ValueError(f"{name} holds something else than finite 32-bit numbers")
    return array
