"""FastFill: a map that knows which items it maps badly, which are re-embedded first (Jaeckle et al., ICLR 2023)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segue.adapters.fct import FCT
from segue.adapters.fct_layers import DOUBT, linear
from segue.adapters.pairs import read_vectors
from segue.adapters.ranges import at_least_zero
from segue.adapters.scales import Scale
from segue.errors import InputError
from segue.flips.checks import as_array, class_column, counted

if TYPE_CHECKING:
    from torch import Tensor

    from segue.adapters.fct_network import TransformationNetwork


@dataclass(frozen=True, eq=False)
class _Head:
    weights: NDArray[np.float32]
    bias: NDArray[np.float32]
    labels: NDArray[np.int64]


class FastFill(FCT):
    r"""Map the old gallery into the new space, and say of each item how uncertain its place is.

    .. math::
        \min_{h, s} \; \frac{1}{n} \sum_i \left[ \tfrac{1}{2} e^{-s_i} \ell_i + \tfrac{1}{2} s_i \right], \quad
        \ell_i = \tfrac{1}{d} \|h_i - \phi_{new}(x_i)\|^2 + \mu \, \mathrm{CE}(\text{head}(h_i), y_i)

    (FastFill, section 4.) The network h is that of :class:`~segue.adapters.fct.FCT`, s a linear layer on its output:
    the logarithm of a variance. The second part of the error needs labels and the new model's frozen classifier head;
    without them the first is left. Items of large s are to be re-embedded first, see
    :func:`segue.adapters.backfill_order.by_uncertainty`. Uncertainty is learned on the same pairs as the map: on few
    of them, which the network can learn by heart, it says little.

    Args:
        discrimination: The weight :math:`\mu`, where there is a head.
        width: Width of the layers over both, as for :class:`~segue.adapters.fct.FCT`.
        epochs: Passes over the pairs.
        rate: Learning rate of Adam at its highest.
        weight_decay: Weight decay of Adam.
        batch_size: Pairs of a step, at most.
        seed: Seed of all chance.
        device: Where to train; mapping is done on the CPU.
        unit: Whether vectors, and side information, are of length 1, see :class:`~segue.adapters.base.Adapter`.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> old = rng.normal(size=(500, 2))
        >>> new = old + (old[:, :1] > 0) * rng.normal(size=(500, 2))  # where the first number is positive, all is lost
        >>> adapter = FastFill(width=32, epochs=30, rate=0.01, batch_size=64, unit=False).fit(old, new)
        >>> sure, unsure = adapter.uncertainty([[-1.0, 0.0], [1.0, 0.0]])
        >>> bool(unsure > sure)
        True
    """

    _head: _Head | None = None
    _doubtful = True

    def __init__(
        self,
        *,
        discrimination: float = 1.0,
        width: int = 2048,
        epochs: int = 80,
        rate: float = 5e-4,
        weight_decay: float = 3.05e-5,
        batch_size: int = 1024,
        seed: int = 0,
        device: str = "cpu",
        unit: bool = True,
    ) -> None:
        super().__init__(
            width=width,
            epochs=epochs,
            rate=rate,
            weight_decay=weight_decay,
            batch_size=batch_size,
            seed=seed,
            device=device,
            unit=unit,
        )
        self.discrimination = discrimination

    def fit(
        self,
        source: ArrayLike,
        target: ArrayLike,
        *,
        side: ArrayLike | None = None,
        labels: ArrayLike | None = None,
        head: Sequence[ArrayLike] | None = None,
    ) -> Self:
        """Learn the map and its uncertainty from pairs.

        Args:
            source: The items' old vectors, ``(n, d_source)``.
            target: Their new vectors in the same order, ``(n, d_target)``.
            side: Their side information in the same order, ``(n, d_side)``; none by default.
            labels: Their classes, the rows of the head's weights, ``(n,)`` whole numbers; only with a head.
            head: The new model's classifier head: weights ``(classes, d_target)`` and bias ``(classes,)``. Where
                ``unit``, it is shown vectors of length 1.

        Returns:
            The same object, fitted.

        Raises:
            InputError: As for :meth:`segue.adapters.fct.FCT.fit`, and if labels or head do not fit each other or the
                vectors.
        """
        self._head = None
        if labels is not None or head is not None:
            rows = self._read_rows(target, "target")
            self._head = _read_head(head, labels, len(rows), rows.dimension)
        try:
            return super().fit(source, target, side=side)
        finally:
            self._head = None

    def uncertainty(self, source: ArrayLike, *, side: ArrayLike | None = None) -> NDArray[np.float32]:
        r"""Say of each item how uncertain its mapped vector is.

        Args:
            source: Old vectors, ``(n, d_source)``.
            side: Their side information, ``(n, d_side)``, where it was fitted with some.

        Returns:
            :math:`s = \log \sigma^2`, ``(n,)``; the larger, the less certain.

        Raises:
            InputError: As for :meth:`segue.adapters.fct.FCT.transform`.
        """
        vectors, beside = self._read(source, side)
        found = np.empty(len(vectors), dtype=np.float32)
        for start, one, other in self._blocks(vectors, beside):
            found[start : start + len(one)] = linear(self._state(), DOUBT, self._centred(one, other))[:, 0]
        return found

    def _check(self) -> None:
        super()._check()
        at_least_zero(self.discrimination, "discrimination")

    def _loss(self, network: TransformationNetwork, seen: Mapping[str, Tensor], target: Scale) -> Any:
        import torch

        from segue.adapters.fastfill_loss import fastfill_loss, item_errors

        head: tuple[Tensor, ...] = ()
        if self._head is not None:
            # the head on vectors as they are, said of vectors that are centred and scaled
            bias = self._head.weights @ target.mean + self._head.bias
            parts = (
                (self._head.weights * target.size).astype(np.float32),
                bias.astype(np.float32),
                self._head.labels,
            )
            head = tuple(torch.from_numpy(part).to(seen["source"].device) for part in parts)

        def loss(batch: Tensor) -> Tensor:
            mapped, doubt = network(seen["source"][batch], seen["side"][batch] if "side" in seen else None)
            told: Any = ()
            if head:
                weights, bias, labels = head
                told = (mapped @ weights.T + bias, labels[batch], self.discrimination)
            return fastfill_loss(item_errors(mapped, seen["target"][batch], *told), doubt).mean()

        return loss

    def _shapes(self) -> dict[str, tuple[int, ...]]:
        return super()._shapes() | {f"{DOUBT}.weight": (self.target_dimension, 1), f"{DOUBT}.bias": (1,)}

    def _words(self) -> str:
        beside = " and side information" if getattr(self, "side_dimension", 0) else ""
        return (
            f"Predicts the target's vector, and how uncertain it is, by a network over the source's{beside} (FastFill)."
        )


def _read_head(head: Any, labels: Any, rows: int, dimension: int) -> _Head:
    if labels is None:
        raise InputError("head was passed without labels; pass labels=, the class of each pair, or leave head out")
    if head is None:
        raise InputError(
            "labels were passed without head; pass head=(weights, bias) of the new model's classifier, or leave "
            "labels out"
        )
    if not isinstance(head, (tuple, list)) or len(head) != 2:
        raise InputError("head is no pair; pass head=(weights, bias), of shapes (classes, d_target) and (classes,)")
    weights = read_vectors(head[0], "head's weights", unit=False)
    bias = as_array(head[1], "head's bias")
    if weights.dimension != dimension or bias.shape != (len(weights),):
        raise InputError(
            f"head has weights of shape {weights.values.shape} and a bias of shape {bias.shape}; pass shapes "
            f"(classes, {dimension}) and (classes,)"
        )
    if not np.isfinite(bias).all():
        raise InputError("head's bias has NaN or infinite numbers; pass the head of a model that works")
    classes = class_column(labels, "labels")
    if len(classes) != rows:
        raise InputError(f"target has {counted(rows, 'row')} and labels has {len(classes):,}; pass one class per pair")
    if classes.dtype.kind not in "iu":
        raise InputError("labels are strings; pass whole numbers, the row of each class in head's weights")
    outside = np.flatnonzero((classes < 0) | (classes >= len(weights)))
    if len(outside):
        raise InputError(
            f"labels holds class {classes[outside[0]]} at row {outside[0]}, but head has "
            f"{len(weights):,} classes, from 0 to {len(weights) - 1:,}; pass the head that knows "
            f"all classes, or leave these pairs out"
        )
    return _Head(weights.values.astype(np.float32), bias.astype(np.float32), classes.astype(np.int64))
