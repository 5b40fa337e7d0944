r"""Which share of the upgrade a map keeps, with its interval.

Of queries :math:`i`, with :math:`g_i` what the map gains on the old model and :math:`u_i` what re-embedding everything
gains, the share is :math:`\bar g / \bar u`. A share :math:`r` is in the interval if :math:`\bar g - r \bar u` is not
shown to differ from 0 (Fieller, J. R. Stat. Soc. B 16, 1954; from memory of the paper, not confirmed):

.. math:: (\bar g - r \bar u)^2 \le t^2 f^2 \, (s_{gg} - 2 r s_{gu} + r^2 s_{uu})

with the covariances :math:`s` of the two means, over queries or over labels, Student's quantile :math:`t`, and the
factor :math:`f` of :mod:`segue.advise.sampling`. Where the upgrade itself is not shown to differ from 0, any share may
be the true one.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from segue.advise.sampling import wider
from segue.flips.estimate import Estimate

Values = NDArray[np.float64]


def share_kept(
    gained: Values, whole: Values, labels: NDArray[Any] | None, factor: float, confidence: float
) -> Estimate | None:
    """Return which share of the upgrade a map keeps.

    Args:
        gained: What the map gains for each query, ``(q,)``.
        whole: What re-embedding everything gains, ``(q,)``.
        labels: The label of each query, ``(q,)``, for an interval over labels, too; ``None`` for none.
        factor: What arms over queries are multiplied by.
        confidence: Nominal coverage.

    Returns:
        The share; ``None`` where there is no upgrade of which to keep any.

    Example:
        >>> whole = np.array([1.0, 1.0, 0.0, 1.0, 0.0, 1.0])
        >>> print(share_kept(whole / 2, whole, None, 1.0, 0.95))
        0.5 [0.5, 0.5]
    """
    if not len(whole) or whole.mean() <= 0:
        return None
    over_queries = _share(gained, whole, np.arange(len(whole)), factor, confidence)
    return over_queries if labels is None else wider(over_queries, _share(gained, whole, labels, 1.0, confidence))


def _share(gained: Values, whole: Values, units: NDArray[Any], factor: float, confidence: float) -> Estimate:
    number = np.unique(units, return_inverse=True)[1]
    count = int(number.max()) + 1
    means = np.array([gained.mean(), whole.mean()])
    share = float(means[0] / means[1])
    if count < 2:
        return Estimate(share, -math.inf, math.inf)
    residuals = [np.bincount(number, weights=values - values.mean()) for values in (gained, whole)]
    spread = np.array([[one @ other for other in residuals] for one in residuals]) / len(whole) ** 2
    reach = factor * float(stats.t.ppf((1 + confidence) / 2, count - 1))
    # a r^2 - 2 b r + c <= 0
    c, b, a = (means[i] * means[j] - reach**2 * count / (count - 1) * spread[i, j] for i, j in ((0, 0), (0, 1), (1, 1)))
    if a <= 0:
        return Estimate(share, -math.inf, math.inf)
    root = math.sqrt(max(float(b**2 - a * c), 0.0))
    return Estimate(share, min(share, float((b - root) / a)), max(share, float((b + root) / a)))
