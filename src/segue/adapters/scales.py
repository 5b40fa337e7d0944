"""Means and sizes of both spaces: what is trained sees numbers around 0 of a size around 1, whatever the vectors'."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Scale:
    """Where the vectors of one space lie.

    Attributes:
        mean: Their mean, ``(d,)``.
        size: Root of the mean squared deviation of a coordinate: 1 number for all, so that angles stay.
    """

    mean: NDArray[np.float64]
    size: float

    @classmethod
    def of(cls, rows: NDArray[Any]) -> Scale:
        """Measure vectors that are not all the same.

        Args:
            rows: ``(n, d)``.

        Returns:
            Their scale.

        Example:
            >>> scale = Scale.of(np.array([[0.0, 1.0], [4.0, 5.0]]))
            >>> scale.mean.tolist(), scale.size
            ([2.0, 3.0], 2.0)
        """
        mean = rows.mean(axis=0, dtype=np.float64)
        return cls(mean, float(np.sqrt(np.square(rows - mean).mean())))

    def scaled(self, rows: NDArray[Any]) -> NDArray[np.float32]:
        """Bring vectors to the common size.

        Args:
            rows: ``(n, d)``.

        Returns:
            ``(n, d)``.
        """
        return np.ascontiguousarray((rows - self.mean) / self.size, dtype=np.float32)
