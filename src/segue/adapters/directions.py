"""Rows of length 1, where a row may be nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def directions(rows: NDArray[Any]) -> NDArray[np.float32]:
    """Bring rows to length 1, where they have a direction; rows of zeros stay.

    Args:
        rows: ``(n, d)``.

    Returns:
        ``(n, d)``.

    Example:
        >>> directions(np.array([[3.0, 4.0], [0.0, 0.0]], dtype=np.float32)).round(2).tolist()
        [[0.6000000238418579, 0.800000011920929], [0.0, 0.0]]
    """
    lengths = np.sqrt(np.square(rows, dtype=np.float64).sum(axis=1, keepdims=True))
    return np.asarray(rows / np.where(lengths > 0, lengths, 1.0), dtype=np.float32)
