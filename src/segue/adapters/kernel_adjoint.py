"""Query the old gallery as if a kernel map had moved it into the new space: the adjoint of the map's derivative."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from segue.adapters.base import Adapter
from segue.adapters.directions import directions
from segue.adapters.kernel import coefficients, kernel, landmarks, reach_of
from segue.adapters.moments import moments
from segue.adapters.procrustes import rotation
from segue.adapters.ranges import above_zero, share, whole_number


class KernelAdjoint(Adapter):
    r"""Map a new query to the old vector whose scores rank the gallery near it as a kernel map of the gallery would.

    A kernel map predicts a gallery item's new vector from its old one, :math:`\hat y(o) = m_n + \sum_p k(o, o_p) a_p`
    with :math:`k(o, o_p) = e^{\gamma (o \cdot o_p - 1)}` (the Gaussian kernel of vectors of length 1). The score of a
    new query, :math:`s(o) = (q - m_n) \cdot \hat y(o)`, is not linear in :math:`o`, so that no query vector in the old
    space has the same scores everywhere. But the best hits lie near the place :math:`u` where the old model would have
    put the query, and there its first-order expansion does:

    .. math::
        s(o) \approx \text{const} + g \cdot o, \quad
        g = \gamma \sum_p k(u, o_p) \, [(q - m_n) \cdot a_p] \, o_p.

    The result is :math:`g`, brought to length 1 and blended with the query's image under the orthogonal Procrustes map,
    which knows of the parts of the old space that the pairs do not reach. :math:`u` is predicted by a kernel map of the
    other direction; where the old encoder can be run at query time, the query's own old vector takes its place
    (``Slerp(adapter=KernelAdjoint()).blend(new, old)``). Segue's own, after
    :class:`~segue.adapters.adjoint.Adjoint`, its linear case.

    As with the other adapters, source is the new space and target the old one. The result is a query and not an
    estimate of an old vector: use it by cosine or inner product, not by distance. Vectors are of length 1.

    Args:
        width: Reach of a pair in the old space relative to the root mean squared distance between two of them.
        strength: Penalty of the kernel map, relative to the kernel's value of 1 at no distance; above 0.
        anchor: Share of the Procrustes image in the result, from 0 to 1.
        landmarks: With more pairs than this, so many of them are the centres of the maps, fitted on all.
        seed: Seed of the choice of landmarks.

    Example:
        >>> old = [[1.0, 0.0], [0.6, 0.8], [0.0, 1.0], [-0.6, 0.8], [-1.0, 0.0]]
        >>> new = [[0.0, 1.0], [-0.8, 0.6], [-1.0, 0.0], [-0.8, -0.6], [0.0, -1.0]]  # a quarter turn of each
        >>> adapter = KernelAdjoint(width=0.5).fit(new, old)
        >>> query = adapter.transform([[-0.8, 0.6]])
        >>> int((query @ np.array(old).T).argmax())
        1
    """

    old_centres: NDArray[np.float32]
    new_centres: NDArray[np.float32]
    forward: NDArray[np.float32]
    backward: NDArray[np.float32]
    new_mean: NDArray[np.float32]
    old_mean: NDArray[np.float32]
    rotation: NDArray[np.float32]
    reach: NDArray[np.float32]
    unit = True

    def __init__(
        self,
        *,
        width: float = 0.6,
        strength: float = 0.03,
        anchor: float = 0.4,
        landmarks: int = 4000,
        seed: int = 0,
    ) -> None:
        self.width = width
        self.strength = strength
        self.anchor = anchor
        self.landmarks = landmarks
        self.seed = seed

    def _check(self) -> None:
        above_zero(self.width, "width")
        above_zero(self.strength, "strength")
        share(self.anchor, "anchor")
        whole_number(self.landmarks, "landmarks", 2)
        whole_number(self.seed, "seed", 0)

    def _fit(self, source: NDArray[np.float32], target: NDArray[np.float32]) -> None:
        chosen = landmarks(len(source), self.landmarks, self.seed)
        new_centres, old_centres = (source, target) if chosen is None else (source[chosen], target[chosen])
        reach_old, reach_new = reach_of(target, self.width), reach_of(source, self.width)
        self.reach = np.array([reach_old, reach_new], dtype=np.float32)
        found = moments(source, target, center=True)
        new_mean, old_mean = found.source_mean, found.target_mean
        self.new_mean, self.old_mean = new_mean.astype(np.float32), old_mean.astype(np.float32)
        self.forward = coefficients(target, source - new_mean, old_centres, reach_old, self.strength)
        self.backward = coefficients(source, target - old_mean, new_centres, reach_new, self.strength)
        self.new_centres, self.old_centres = new_centres.copy(), old_centres.copy()
        self.rotation = rotation(found.cross).astype(np.float32)

    def _map(self, source: NDArray[np.float32]) -> NDArray[np.float64]:
        place = kernel(source, self.new_centres, float(self.reach[1])) @ self.backward + self.old_mean
        return self._map_near(source, directions(place))

    def _map_near(self, source: NDArray[np.float32], near: NDArray[np.float32]) -> NDArray[np.float64]:
        seen = source - self.new_mean
        say = kernel(near, self.old_centres, float(self.reach[0])) * (seen @ self.forward.T)
        gradient = directions(say @ self.old_centres)
        turned = directions(seen @ self.rotation + self.old_mean)
        return np.asarray((1 - self.anchor) * gradient.astype(np.float64) + self.anchor * turned)

    def _shapes(self) -> dict[str, tuple[int, ...]]:
        centres = len(self.old_centres) if hasattr(self, "old_centres") else min(self.pairs, self.landmarks)
        new, old = self.source_dimension, self.target_dimension
        return {
            "old_centres": (centres, old),
            "new_centres": (centres, new),
            "forward": (centres, new),
            "backward": (centres, old),
            "new_mean": (new,),
            "old_mean": (old,),
            "rotation": (new, old),
            "reach": (2,),
        }

    def _words(self) -> str:
        return (
            "Maps a new query so that it ranks the old gallery near it as a kernel map of the gallery would "
            "(adjoint of the derivative)."
        )
