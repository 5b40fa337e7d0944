"""Where the old model keeps each class: a centre, and how far its embeddings reach from there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from segue.compatible.checks import check_number
from segue.compatible.embeddings import angle, unit
from segue.compatible.shares import rounded_up
from segue.compatible.stored import class_directions, read_stored


@dataclass(frozen=True, eq=False)
class ClassRegions:
    """The regions of the old classes on the unit sphere.

    Attributes:
        centres: Directions, ``(regions, d_old)`` unit vectors.
        radii: The angle of each region, ``(regions,)`` radians; 0 for a class of a single vector, which has no extent.
        classes: The class of each region, ``(regions,)`` integers.
    """

    centres: Tensor
    radii: Tensor
    classes: Tensor

    @property
    def chords(self) -> Tensor:
        """The same radii as Euclidean distances between unit vectors, ``(regions,)``."""
        return 2 * (self.radii / 2).sin()

    def to_dict(self) -> dict[str, Any]:
        """Return the regions as lists.

        Returns:
            ``{"centres": ..., "radii": ..., "classes": ...}``.
        """
        return {"centres": self.centres.tolist(), "radii": self.radii.tolist(), "classes": self.classes.tolist()}

    def __str__(self) -> str:
        """Return what was found in words."""
        return (
            f"{len(self.classes)} classes of old embeddings in {self.centres.shape[1]} dimensions, reaching "
            f"{float(self.radii.rad2deg().min()):.0f} to {float(self.radii.rad2deg().max()):.0f} degrees from their "
            "centres"
        )


def class_regions(embeddings_old: Any, labels: Any, *, share: float = 1.0) -> ClassRegions:
    r"""Find centre and radius of each class in stored vectors.

    .. math:: c_k = \bar f_k / \|\bar f_k\|, \qquad \theta_k = \max_{y_i = k} \angle(f_i, c_k)

    The radius is that of the farthest vector (Meng et al., Learning Compatible Embeddings, ICCV 2021, and the authors'
    code); a share below 1 leaves out the farthest ones, which a few wrong labels would make the radius of.

    Args:
        embeddings_old: The old model's stored vectors, ``(n, d_old)``.
        labels: The class of each, ``(n,)`` integers.
        share: The share of a class's vectors that its radius holds, above 0 and up to 1.

    Returns:
        A region for each class that occurs.

    Raises:
        InputError: If a vector is zero or not finite, shapes are not as described, or the share is out of its range.

    Example:
        >>> regions = class_regions([[1.0, 1.0], [1.0, -1.0], [0.0, 3.0]], [4, 4, 7])
        >>> print(regions)
        2 classes of old embeddings in 2 dimensions, reaching 0 to 45 degrees from their centres
    """
    check_number("share", share, 0, 1, open_low=True)
    stored, found = read_stored(embeddings_old, labels)
    classes, rows = (torch.from_numpy(part) for part in np.unique(found, return_inverse=True))
    centres = class_directions(stored, found, classes)
    angles = angle(unit(stored), centres[rows])
    order = np.lexsort((angles.numpy(), rows.numpy()))
    times = torch.bincount(rows)
    ends = times.cumsum(0)
    # the vector that just fills the share, in the order of the angles
    last = ends - times + rounded_up(times, share) - 1
    radii = angles[torch.from_numpy(order)][last].where(times > 1, 0.0)
    kind = torch.get_default_dtype()
    return ClassRegions(centres.to(kind), radii.to(kind), classes)
