"""A pair of maps, new to old and old to new, of which the first turns and hardly bends (Ricci et al., NeurIPS 2025)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segue.adapters.affine import AffineAdapter
from segue.adapters.base import Adapter
from segue.adapters.moments import moments
from segue.adapters.ranges import above_zero, at_least_zero, whole_number
from segue.adapters.residual_mlp import ResidualMLP
from segue.adapters.scales import Scale
from segue.adapters.spectrum import spectrum
from segue.adapters.trained_settings import check_course, enough_pairs, open_share
from segue.errors import InputError, require
from segue.flips.checks import class_column, counted

if TYPE_CHECKING:
    from torch import Tensor

    from segue.adapters.orthogonal_pair import OrthogonalPair
    from segue.adapters.trained import MapHistory, Task

    Contrast = Callable[[Tensor, Tensor, Tensor], Tensor]


class LambdaOrthogonal(Adapter):
    r"""Learn both directions together: turn the new space towards the old one, and move the old gallery to meet it.

    .. math::
        L = w_1 \|F(o) - B(n)\|^2 + w_2 \|B(n) - o\|^2
            + w_3 \left[ \mathrm{SupCon}(F(o), B(n)) + \mathrm{SupCon}(F(o), o) \right] + L_\lambda(W)

    (Lambda-Orthogonality Regularization for Compatible Representation Learning.) B(n) = n W: a rotation
    :math:`W = R e^P` with P skew-symmetric, or, with a ``tolerance``, a matrix held near to one by
    :math:`L_\lambda = \sigma(\alpha (\|W W^T - I\|_F - \lambda)) \|W W^T - I\|_F`. A rotation loses nothing of what
    the new model knows. F is a linear map with a hidden layer beside it. The contrastive terms need labels and
    pytorch-metric-learning. R is the Procrustes rotation, and F begins at the ridge map. As for
    :class:`~segue.adapters.residual_mlp.ResidualMLP`, held-out pairs say how many epochs to train on all of them; the
    whole loss is watched on them. The weights, :math:`\alpha` and the shape of F are from memory of the
    paper, not confirmed. Where dimensions differ, the paper compares the first ones of the longer vector; here the
    rotation is of the larger dimension, shorter new vectors are filled up with zeros, and what is compared is the same.

    Fitted on ``(old, new)``, it has two maps. ``to_old`` takes new queries to the old gallery as it is: B. ``to_new``
    takes the old gallery into the new model's own space: F, turned back by :math:`W^T`, so that new queries and
    re-embedded items need no map at all. In the strict case distances there are those of the paper's common space. The
    object itself maps as ``to_new`` does.

    Args:
        tolerance: :math:`\lambda`, how far from a rotation B may be for nothing; ``None`` for a strict rotation.
        agreement: The weight :math:`w_1` of both maps meeting.
        backward: The weight :math:`w_2` of new vectors coming near to old ones.
        contrast: The weight :math:`w_3`, where there are labels.
        temperature: Temperature of the contrastive terms.
        hidden: Width of F's hidden layer.
        strength: Penalty of the ridge map F begins at.
        weight_decay: How strongly F and B are drawn back to where they begin (AdamW).
        epochs: Passes over the pairs, at most.
        patience: Epochs without a better one after which it is given up.
        rate: Learning rate of AdamW at its highest.
        batch_size: Pairs of a step.
        held_out: Share of the pairs to hold out, between 0 and 1.
        seed: Seed of all chance.
        device: Where to train; mapping is done on the CPU.
        unit: Whether vectors are of length 1, see :class:`~segue.adapters.base.Adapter`.

    Attributes:
        to_old: The map of new vectors into the old space, once fitted.
        to_new: The map of old vectors into the new space, once fitted.
        history: How it was trained, where it was fitted in this process.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> new = rng.normal(size=(200, 2))
        >>> old = new @ [[0.0, 1.0], [-1.0, 0.0]]  # a quarter turn
        >>> pair = LambdaOrthogonal(strength=0, hidden=8, epochs=2).fit(old, new)
        >>> pair.to_old.transform([[1.0, 0.0]]).round().astype(int).tolist()
        [[0, 1]]
        >>> pair.to_new.transform([[0.0, 1.0]]).round().astype(int).tolist()
        [[1, 0]]
    """

    to_old: BackwardMap
    to_new: ResidualMLP
    history: MapHistory
    _labels: NDArray[np.int64] | None = None

    def __init__(
        self,
        *,
        tolerance: float | None = None,
        agreement: float = 1.0,
        backward: float = 1.0,
        contrast: float = 1.0,
        temperature: float = 0.1,
        hidden: int = 512,
        strength: float = 0.1,
        weight_decay: float = 0.01,
        epochs: int = 30,
        patience: int = 10,
        rate: float = 1e-3,
        batch_size: int = 256,
        held_out: float = 0.1,
        seed: int = 0,
        device: str = "cpu",
        unit: bool = True,
    ) -> None:
        super().__init__(unit=unit)
        self.tolerance = tolerance
        self.agreement = agreement
        self.backward = backward
        self.contrast = contrast
        self.temperature = temperature
        self.hidden = hidden
        self.strength = strength
        self.weight_decay = weight_decay
        self.epochs = epochs
        self.patience = patience
        self.rate = rate
        self.batch_size = batch_size
        self.held_out = held_out
        self.seed = seed
        self.device = device

    def fit(self, source: ArrayLike, target: ArrayLike, *, labels: ArrayLike | None = None) -> Self:
        """Learn both maps from pairs.

        Args:
            source: The items' old vectors, ``(n, d_old)``.
            target: Their new vectors in the same order, ``(n, d_new)``.
            labels: Their classes, ``(n,)`` integers or strings; the contrastive terms are left out without.

        Returns:
            The same object, fitted.

        Raises:
            InputError: If a hyper-parameter is out of range or something is wrong with the vectors, see
                :meth:`segue.adapters.base.Adapter.fit`; labels do not belong to them; there are fewer than ten pairs;
                or training diverges.
            MissingExtraError: If there are labels, and pytorch-metric-learning is not installed.
        """
        classes = None if labels is None else class_column(labels, "labels")
        if classes is not None:
            rows = len(self._read_rows(source, "source"))
            if len(classes) != rows:
                raise InputError(
                    f"source has {counted(rows, 'row')} and labels has {len(classes):,}; pass one class per pair"
                )
        try:
            self._labels = None if classes is None else np.unique(classes, return_inverse=True)[1].astype(np.int64)
            return super().fit(source, target)
        finally:
            self._labels = None

    def _check(self) -> None:
        check_course(self.epochs, self.batch_size, self.rate, self.seed)
        for name in ("agreement", "backward", "contrast", "strength", "weight_decay"):
            at_least_zero(getattr(self, name), name)
        if self.tolerance is not None:
            at_least_zero(self.tolerance, "tolerance")
        above_zero(self.temperature, "temperature")
        whole_number(self.hidden, "hidden", 1)
        whole_number(self.patience, "patience", 1)
        open_share(self.held_out, "held_out")

    def _fit(self, source: NDArray[np.float32], target: NDArray[np.float32]) -> None:
        enough_pairs(len(source), type(self).__name__)
        require("torch", "train", f"fitting a {type(self).__name__}")
        import torch

        from segue.adapters.orthogonal_pair import (
            OrthogonalPair,
            orthogonality_penalty,
            padded,
            squared_distance,
        )
        from segue.adapters.residual_network import ResidualNetwork
        from segue.adapters.trained import Course, Task, known_device, repeatable, train_on_all

        device = known_device(self.device)
        after = Scale.of(target)
        # one size for both, or a rotation would be none: squared distances are relative to the new vectors' spread
        size = after.size * target.shape[1] ** 0.5
        before, after = Scale(source.mean(axis=0, dtype=np.float64), size), Scale(after.mean, size)
        old, new = (torch.from_numpy(side.scaled(rows)) for side, rows in ((before, source), (after, target)))
        larger = max(source.shape[1], target.shape[1])
        middle = torch.from_numpy(before.mean[None] / size).float()
        contrast = self._contrast(old + middle, padded(middle, larger).to(device))

        def begin(rows: Tensor) -> Task[OrthogonalPair]:
            one, other = old[rows], padded(new[rows], larger)
            turn = torch.from_numpy(nearest_rotation((other.double().T @ padded(one, larger).double()).numpy())).float()
            start = spectrum(moments(one.numpy(), (other @ turn).numpy(), center=False)).solution(self.strength)
            forward_map = ResidualNetwork(torch.from_numpy(start).float(), self.hidden, 0.0)
            network = OrthogonalPair(turn, forward_map, strict=self.tolerance is None).to(device)

            def loss(batch: Tensor) -> Tensor:
                seen = old[batch].to(device)
                mapped, turned, basis = network(seen, new[batch].to(device))
                value: Tensor = self.agreement * squared_distance(mapped, turned)
                value = value + self.backward * squared_distance(turned, seen)
                if self.tolerance is not None:
                    value = value + orthogonality_penalty(basis, self.tolerance)
                if contrast is not None:
                    value = value + self.contrast * contrast(mapped, turned, batch)
                return value

            optimizer = torch.optim.AdamW(network.parameters(), lr=self.rate, weight_decay=self.weight_decay)
            return Task(network, loss, optimizer)

        course = Course(type(self).__name__, self.epochs, self.batch_size, self.seed)
        with repeatable(self.seed, type(self).__name__):
            network, self.history = train_on_all(
                begin, len(source), course, share=self.held_out, patience=self.patience
            )
        self._take(network, before, after, len(source))

    def _contrast(self, old: Tensor, middle: Tensor) -> Contrast | None:
        if self._labels is None or not self.contrast:
            return None
        losses = require("pytorch_metric_learning.losses", "compatible", "LambdaOrthogonal with labels")
        import torch

        supervised = losses.SupConLoss(temperature=self.temperature)
        classes, before = torch.from_numpy(self._labels).to(middle.device), old.to(middle.device)

        def contrast(mapped: Tensor, turned: Tensor, batch: Tensor) -> Tensor:
            labels, ours, seen = classes[batch], mapped + middle, before[batch]
            # the very same labels would tell the library to leave each item's own counterpart out
            others = labels.clone()
            both = min(ours.shape[1], seen.shape[1])
            to_new: Tensor = supervised(ours, labels, ref_emb=turned + middle, ref_labels=others)
            to_old: Tensor = supervised(ours[:, :both], labels, ref_emb=seen[:, :both], ref_labels=others)
            return to_new + to_old

        return contrast

    def _take(self, network: OrthogonalPair, before: Scale, after: Scale, pairs: int) -> None:
        exact = network.double()
        old, new = len(before.mean), len(after.mean)
        basis, folded = exact.basis.detach(), exact.forward_map.folded()
        back = basis.T[:, :new]
        for name in ("matrix", "outward", "outward_bias"):
            folded[name] = folded[name] @ back
        self.to_new, self.to_old = self._parts(old, new, pairs)
        self.to_new._take(folded, before, after)
        self.to_old._keep(after.mean, basis[:new, :old].cpu().numpy(), before.mean)

    def _parts(self, old: int, new: int, pairs: int) -> tuple[ResidualMLP, BackwardMap]:
        forward_map, backward_map = ResidualMLP(hidden=self.hidden, unit=self.unit), BackwardMap(unit=self.unit)
        forward_map.source_dimension, forward_map.target_dimension = old, new
        backward_map.source_dimension, backward_map.target_dimension = new, old
        forward_map.pairs = backward_map.pairs = pairs
        return forward_map, backward_map

    def _map(self, source: NDArray[np.float32]) -> NDArray[np.float64]:
        return self.to_new._map(source)

    def _shapes(self) -> dict[str, tuple[int, ...]]:
        return {
            f"{part}.{name}": shape
            for part in ("to_new", "to_old")
            for name, shape in getattr(self, part)._shapes().items()
        }

    def _state(self) -> dict[str, NDArray[Any]]:
        return {
            f"{part}.{name}": array
            for part in ("to_new", "to_old")
            for name, array in getattr(self, part)._state().items()
        }

    def _restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        parts = self._parts(self.source_dimension, self.target_dimension, self.pairs)
        for name, part in zip(("to_new", "to_old"), parts, strict=True):
            begin = f"{name}."
            part._restore({key.removeprefix(begin): array for key, array in state.items() if key.startswith(begin)})
        self.to_new, self.to_old = parts

    def _words(self) -> str:
        how = "a rotation" if self.tolerance is None else f"a near rotation (tolerance {self.tolerance:g})"
        return f"Maps old vectors to the new space by a network, and new ones to the old space by {how}."


class BackwardMap(AffineAdapter):
    """The map of new vectors into the old space that :class:`LambdaOrthogonal` has learned.

    Args:
        unit: Whether vectors are of length 1, see :class:`~segue.adapters.base.Adapter`.
    """

    def _fit(self, source: NDArray[np.float32], target: NDArray[np.float32]) -> None:
        raise InputError("a BackwardMap is one of two maps; fit both with LambdaOrthogonal().fit(old, new)")

    def _words(self) -> str:
        return "Turns new vectors into the old space (lambda-orthogonality)."


def nearest_rotation(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the rotation or reflection that is nearest to a square matrix, whatever its rank.

    Args:
        matrix: ``(d, d)``.

    Returns:
        ``(d, d)``, orthogonal.

    Example:
        >>> nearest_rotation(np.array([[0.0, 5.0], [-2.0, 0.0]])).tolist()
        [[0.0, 1.0], [-1.0, 0.0]]
    """
    left, _, right = np.linalg.svd(matrix)
    return np.asarray(left @ right)
