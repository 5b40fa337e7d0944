"""A ``torchmetrics.Metric`` for each rate; extra ``torchmetrics``.

``update(new, old, labels)`` takes answers ``(n,)`` or logits ``(n, classes)`` on any device, predictions before labels
as in torchmetrics, so that the order is the reverse of ``compare(labels, old, new)``. States are counts, so that
distributed training gives the same numbers as one process, to the last digit.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, cast

from segue.errors import require

try:
    import torch
    from torch import Tensor
    from torchmetrics import Metric, MetricCollection
    from torchmetrics.utilities.plot import _AX_TYPE, _PLOT_OUT_TYPE
except ImportError:
    require("torchmetrics", "torchmetrics", "segue.integrations.torchmetrics")
    raise

from segue.flips.counts import N_CELLS
from segue.flips.result import RATES
from segue.integrations.tensors import (
    class_map_tensor,
    count_cells,
    flip_cells,
    flip_rate,
    fractional_flips,
    severity,
)


class FlipCounts(Metric):
    """Samples in each of the five cells of ``segue.flips.counts``, ``(5,)``: all rates follow from them.

    Args:
        class_map: The new class of each old class, -1 where it is gone, where class sets differ.
        validate_args: Look at the values of each batch for NaN and unknown classes, which waits for an
            accelerator to catch up.
        kwargs: Arguments of ``torchmetrics.Metric``.
    """

    is_differentiable = False
    higher_is_better: bool | None = None
    full_state_update = False
    plot_lower_bound = 0.0

    cells: Tensor
    class_map: Tensor | None

    def __init__(
        self, class_map: Sequence[int] | Tensor | None = None, validate_args: bool = True, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.validate_args = validate_args
        mapping = class_map_tensor(class_map)
        if mapping is None:
            self.class_map = None
        else:
            # A state, since a collection merges metrics whose states are equal; the largest of equal maps is the map.
            self.add_state("class_map", mapping, dist_reduce_fx="max")
        self.add_state("cells", torch.zeros(N_CELLS, dtype=torch.int64), dist_reduce_fx="sum")

    def update(self, new: Tensor, old: Tensor, labels: Tensor) -> None:
        """Count a batch; the new model's answers come first, unlike in ``compare(labels, old, new)``.

        Args:
            new: The new model's answers, ``(n,)`` integers, or its logits or probabilities, ``(n, classes)``.
            old: The old model's, in either form.
            labels: The truth, ``(n,)`` integers.
        """
        cells = flip_cells(new, old, labels, class_map=self.class_map, validate=self.validate_args)
        # Not in place: a state that was reset under inference mode may not be changed outside of it.
        self.cells = self.cells + count_cells(cells).to(self.cells.device)

    def compute(self) -> Tensor:
        """Return the counts over all batches and processes, ``(5,)``."""
        return self.cells


class FlipMetric(FlipCounts):
    """Base of the rates: adds counts over batches and processes, and divides once, at the end.

    Metrics with equal arguments share their counts in a ``MetricCollection``, which then updates once for all.
    """

    rate: ClassVar[str]

    def compute(self) -> Tensor:
        """Return the rate over all batches and processes, a scalar; NaN where it is undefined."""
        return flip_rate(self.cells, self.rate)

    def plot(self, val: Tensor | Sequence[Tensor] | None = None, ax: _AX_TYPE | None = None) -> _PLOT_OUT_TYPE:
        """Draw one value, or a sequence of them, with matplotlib.

        Args:
            val: What ``forward`` or ``compute`` returned; ``compute()`` by default.
            ax: Where to draw.

        Returns:
            The figure and its axis.
        """
        return self._plot(val, ax)


class AccuracyOld(FlipMetric):
    """``P(old = label)``."""

    rate = "accuracy_old"
    higher_is_better = True


class AccuracyNew(FlipMetric):
    """``P(new = label)``."""

    rate = "accuracy_new"
    higher_is_better = True


class AccuracyChange(FlipMetric):
    """``P(new = label) - P(old = label)``, positive minus negative flip rate."""

    rate = "accuracy_change"
    higher_is_better = True
    plot_lower_bound = -1.0


class NegativeFlipRate(FlipMetric):
    """``P(old = label, new != label)``: what the update breaks (Yan et al., CVPR 2021).

    Example:
        >>> metric = NegativeFlipRate()
        >>> labels, old, new = torch.tensor([0, 1, 1, 0]), torch.tensor([0, 1, 0, 0]), torch.tensor([0, 0, 1, 0])
        >>> metric.update(new, old, labels)
        >>> metric.compute()
        tensor(0.2500)
    """

    rate = "negative_flip_rate"
    higher_is_better = False


class PositiveFlipRate(FlipMetric):
    """``P(old != label, new = label)``: what the update mends."""

    rate = "positive_flip_rate"
    higher_is_better = True


class RelativeNegativeFlipRate(FlipMetric):
    """``NFR / (P(old = label) P(new != label))``: 1 for independent errors, 0 for no flip (Yan et al., CVPR 2021)."""

    rate = "relative_negative_flip_rate"
    higher_is_better = False


class NegativeFlipImpact(FlipMetric):
    """``P(old = label | new != label)``, the share of the new model's errors that are new (Cai et al., 2022)."""

    rate = "negative_flip_impact"
    higher_is_better = False


class PositiveFlipImpact(FlipMetric):
    """``P(old != label | new = label)``, the share of the new model's right answers that are new."""

    rate = "positive_flip_impact"
    higher_is_better = True


class BackwardTrustCompatibility(FlipMetric):
    """``P(new = label | old = label)`` (Bansal et al., AAAI 2019)."""

    rate = "backward_trust_compatibility"
    higher_is_better = True


class BackwardErrorCompatibilityGivenOldError(FlipMetric):
    """``P(new != label | old != label)``, the share of old errors that remain (BackwardCompatibilityML's meaning).

    Neither direction is better: users who rely on known errors want it high, users who want errors mended low.
    """

    rate = "backward_error_compatibility_given_old_error"


class BackwardErrorCompatibilityGivenNewError(FlipMetric):
    """``P(old != label | new != label)``, the share of new errors that are known ones (Srivastava et al., KDD 2020)."""

    rate = "backward_error_compatibility_given_new_error"
    higher_is_better = True


class Churn(FlipMetric):
    """``P(old != new)`` (Milani Fard et al., NeurIPS 2016)."""

    rate = "churn"
    higher_is_better = False


class GoodChurn(FlipMetric):
    """``P(old != label, new = label)``, the part of churn that mends."""

    rate = "good_churn"
    higher_is_better = True


class BadChurn(FlipMetric):
    """``P(old != new, new != label)``, wrong answers that became other wrong answers included."""

    rate = "bad_churn"
    higher_is_better = False


class FractionalFlips(FlipMetric):
    """Mean of ``1[negative flip] (p_new(answer) - p_new(label))``: flips weighted by how sure the new model is.

    ``new`` must be logits or probabilities. Severities are added as integers, so that any order and any number of
    processes gives the same digits.

    Args:
        validate_args: Look at the values of each batch for NaN and unknown classes.
        kwargs: Arguments of ``torchmetrics.Metric``.
    """

    rate = "fractional_flips"
    higher_is_better = False

    severities: Tensor

    def __init__(self, validate_args: bool = True, **kwargs: Any) -> None:
        super().__init__(validate_args=validate_args, **kwargs)
        self.add_state("severities", torch.zeros((), dtype=torch.int64), dist_reduce_fx="sum")

    def update(self, new: Tensor, old: Tensor, labels: Tensor) -> None:
        """Count a batch; the new model's outputs come first, unlike in ``compare(labels, old, new)``.

        Args:
            new: The new model's logits or probabilities, ``(n, classes)``.
            old: The old model's answers, ``(n,)``, or its logits or probabilities.
            labels: The truth, ``(n,)`` integers.
        """
        total = severity(new, old, labels, validate=self.validate_args)
        super().update(new, old, labels)
        self.severities = self.severities + total.to(self.severities.device)

    def compute(self) -> Tensor:
        """Return the mean over all samples of all batches and processes, a scalar; NaN without samples."""
        return fractional_flips(self.severities, self.cells.sum())


METRICS: dict[str, type[FlipMetric]] = {
    one.rate: one
    for one in (
        AccuracyOld,
        AccuracyNew,
        AccuracyChange,
        NegativeFlipRate,
        PositiveFlipRate,
        RelativeNegativeFlipRate,
        NegativeFlipImpact,
        PositiveFlipImpact,
        BackwardTrustCompatibility,
        BackwardErrorCompatibilityGivenOldError,
        BackwardErrorCompatibilityGivenNewError,
        Churn,
        GoodChurn,
        BadChurn,
    )
}
"""The metric of every rate that follows from the five counts, by the rate's name in ``segue.flips.FlipReport``."""


class Flips(MetricCollection):
    """All rates at once, by their names in ``segue.flips.FlipReport``, from one set of counts.

    Args:
        class_map: The new class of each old class, -1 where it is gone, where class sets differ.
        validate_args: Look at the values of each batch for NaN and unknown classes.
        prefix: Put before every name.
        postfix: Put behind every name.
        kwargs: Arguments of ``torchmetrics.Metric``.

    Example:
        >>> flips = Flips(prefix="val/")
        >>> labels, old, new = torch.tensor([0, 1, 1, 0]), torch.tensor([0, 1, 0, 0]), torch.tensor([0, 0, 1, 0])
        >>> flips.update(new, old, labels)
        >>> flips.compute()["val/churn"]
        tensor(0.5000)
    """

    def __init__(
        self,
        class_map: Sequence[int] | Tensor | None = None,
        validate_args: bool = True,
        prefix: str | None = None,
        postfix: str | None = None,
        **kwargs: Any,
    ) -> None:
        members: dict[str, Metric | MetricCollection] = {
            name: METRICS[name](class_map=class_map, validate_args=validate_args, **kwargs) for name in RATES
        }
        super().__init__(members, prefix=prefix, postfix=postfix, compute_groups=[list(members)])

    @property
    def cells(self) -> Tensor:
        """Samples in each of the five cells on this process, ``(5,)``."""
        return cast("FlipMetric", next(iter(self.values()))).cells
