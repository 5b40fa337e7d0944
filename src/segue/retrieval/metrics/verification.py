"""Verification, one to one: are these two the same?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segue.flips.checks import proportion, seed_number
from segue.flips.estimate import Estimate
from segue.flips.intervals import clopper_pearson
from segue.retrieval.metrics.threshold import allowed, threshold_above
from segue.retrieval.metrics.true_accepts import true_accepts
from segue.retrieval.notebook import Shown
from segue.retrieval.scores import refuse_scores


@dataclass(frozen=True, eq=False)
class Verification(Shown):
    """True accepts at a rate of false accepts.

    Attributes:
        threshold: A pair is accepted when its score is *above* it.
        tar: Share of the genuine pairs that are accepted.
        far: Share of the impostor pairs that are accepted: at most what was asked, less where scores tie.
        accepted: Whether each genuine pair is accepted, ``(g,)``: for paired comparisons of two models.
    """

    threshold: float
    tar: Estimate
    far: Estimate
    accepted: NDArray[np.bool_]

    def __str__(self) -> str:
        """Return in words what was found."""
        return (
            f"{self.tar.percent()} of {len(self.accepted):,} genuine pairs are accepted at the threshold "
            f"{self.threshold:.4g}, which accepts {self.far.percent(4)} of the impostors."
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the numbers by name, ready for JSON."""
        return {"threshold": self.threshold, "tar": self.tar.to_dict(), "far": self.far.to_dict()}


def tar_at_far(
    genuine: ArrayLike, impostor: ArrayLike, far: float, *, confidence: float = 0.95, seed: int = 0
) -> Verification:
    r"""Measure the share of true accepts at a given rate of false accepts (Grother et al., NIST FRVT 1:1).

    The threshold is the smallest score with :math:`\#\{\mathrm{impostor} > t\} \le \mathrm{FAR} \cdot m`, and TAR the
    share of genuine scores above it; 1 - TAR is the false non-match rate. The intervals take pairs as independent.
    Where many pairs share a person they are too narrow.

    Args:
        genuine: Scores of pairs that are the same, ``(g,)``; larger is more alike (minus a distance).
        impostor: Scores of pairs that are not, ``(m,)``.
        far: The largest allowed share of false accepts, such as 1e-3.
        confidence: Nominal coverage of the intervals.
        seed: Seed of the bootstrap.

    Returns:
        TAR, the FAR that was reached, and the threshold.

    Raises:
        InputError: If scores are not finite numbers, or impostors too few for such a rate.

    Example:
        >>> found = tar_at_far([0.9, 0.8, 0.6, 0.3], [0.7, 0.5, 0.4, 0.2, 0.1], far=0.2)
        >>> found.threshold, found.tar.value, found.far.value
        (0.5, 0.75, 0.2)
    """
    proportion(confidence, "confidence")
    seed_number(seed)
    same, other = refuse_scores(genuine, "genuine"), refuse_scores(impostor, "impostor")
    passing = allowed(far, len(other), "far", "impostor score")
    falling = np.sort(other)[::-1]
    threshold = threshold_above(falling, passing)
    return Verification(
        threshold=threshold,
        tar=true_accepts(same, falling, passing, confidence, seed),
        far=clopper_pearson(int((other > threshold).sum()), len(other), confidence),
        accepted=same > threshold,
    )
