"""Forward compatible training: map old vectors with the help of side information (Ramanujan et al., CVPR 2022)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segue.adapters.base import Adapter
from segue.adapters.fct_layers import DOUBT, MAPPED, applied, layer_sizes, shapes
from segue.adapters.pairs import as_floats
from segue.adapters.ranges import at_least_zero, whole_number
from segue.adapters.scales import Scale
from segue.adapters.trained_settings import check_course, enough_pairs
from segue.errors import InputError, require
from segue.flips.checks import counted
from segue.retrieval.vectors import SLAB, Vectors, blocks

if TYPE_CHECKING:
    from torch import Tensor

    from segue.adapters.fct_network import TransformationNetwork
    from segue.adapters.trained import MapHistory

WARM_UP = 5


class FCT(Adapter):
    r"""Map the old gallery into the new space by a network, with what was stored beside the old vectors.

    .. math::
        \min_h \; \frac{1}{n} \sum_i \left\| h(\phi_{old}(x_i), \psi(x_i)) - \phi_{new}(x_i) \right\|^2

    (Forward Compatible Training, section 3; the new model is untouched.) Side information :math:`\psi` is whatever
    could be computed of an item when it was embedded by the old model, such as the vector of a self-supervised model;
    there may be none. Old vector and side information go through two layers each, of twice their width, and together
    through two of ``width`` and a linear one; layers are followed by batch normalisation and a ReLU. Adam with 5 epochs
    of warm-up and half a cosine; in the second half of the epochs batch normalisation uses its running statistics.
    Settings by default are the authors', who train on far more pairs than one usually has: from some thousands,
    :class:`~segue.adapters.ridge.Ridge` or :class:`~segue.adapters.residual_mlp.ResidualMLP` are often nearer.

    Unlike there, vectors are seen from their mean and brought to a common size first, so that the weight decay means
    the same whatever their lengths. Fitting needs torch; mapping and keeping do not.

    Args:
        width: Width of the layers over both.
        epochs: Passes over the pairs.
        rate: Learning rate of Adam at its highest.
        weight_decay: Weight decay of Adam.
        batch_size: Pairs of a step, at most.
        seed: Seed of all chance.
        device: Where to train; mapping is done on the CPU.
        unit: Whether vectors, and side information, are of length 1, see :class:`~segue.adapters.base.Adapter`.

    Attributes:
        side_dimension: Dimension of the side information, once fitted; 0 for none.
        history: How it was trained, where it was fitted in this process.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> old, side = rng.normal(size=(500, 2)), rng.normal(size=(500, 1))
        >>> new = np.hstack([old, side])  # what the old model did not see
        >>> adapter = FCT(width=32, epochs=30, rate=0.01, batch_size=64, unit=False).fit(old, new, side=side)
        >>> adapter.transform([[1.0, -1.0]], side=[[0.5]]).round().tolist()
        [[1.0, -1.0, 0.0]]
    """

    side_dimension: int
    history: MapHistory
    _beside: NDArray[np.float32] | None = None

    def __init__(
        self,
        *,
        width: int = 2048,
        epochs: int = 80,
        rate: float = 5e-4,
        weight_decay: float = 3.05e-5,
        batch_size: int = 1024,
        seed: int = 0,
        device: str = "cpu",
        unit: bool = True,
    ) -> None:
        super().__init__(unit=unit)
        self.width = width
        self.epochs = epochs
        self.rate = rate
        self.weight_decay = weight_decay
        self.batch_size = batch_size
        self.seed = seed
        self.device = device

    def fit(self, source: ArrayLike, target: ArrayLike, *, side: ArrayLike | None = None) -> Self:
        """Learn the map from pairs.

        Args:
            source: The items' old vectors, ``(n, d_source)``.
            target: Their new vectors in the same order, ``(n, d_target)``.
            side: Their side information in the same order, ``(n, d_side)``; none by default.

        Returns:
            The same object, fitted.

        Raises:
            InputError: If a hyper-parameter is out of range or something is wrong with the vectors, see
                :meth:`segue.adapters.base.Adapter.fit`; there are fewer than ten pairs; or training diverges.
        """
        beside = None if side is None else self._read_side(side, len(self._read_rows(source, "source")))
        try:
            self._beside = None if beside is None else as_floats(beside.values, self.unit)
            return super().fit(source, target)
        finally:
            self._beside = None

    def transform(
        self, source: ArrayLike, *, side: ArrayLike | None = None, out: NDArray[Any] | None = None
    ) -> NDArray[Any]:
        """Map old vectors into the new space, by blocks.

        Args:
            source: Old vectors, ``(n, d_source)``.
            side: Their side information, ``(n, d_side)``, where it was fitted with some.
            out: Where to write, see :meth:`segue.adapters.base.Adapter.transform`.

        Returns:
            The mapped vectors, ``(n, d_target)``.

        Raises:
            InputError: If it is not fitted, something is wrong with the vectors, or side information is missing or was
                not there when it was fitted.
        """
        vectors, beside = self._read(source, side)
        mapped = self._space(out, len(vectors))
        for start, one, other in self._blocks(vectors, beside):
            rows = self._applied(one, other).astype(np.float64)
            mapped[start : start + len(rows)] = self._finished(rows, start, mapped.dtype)
        return mapped

    def _read(self, source: ArrayLike, side: ArrayLike | None) -> tuple[Vectors, Vectors | None]:
        self._need_fit()
        vectors = self._read_rows(source, "source")
        name = type(self).__name__
        if vectors.dimension != self.source_dimension:
            raise InputError(
                f"source has {counted(vectors.dimension, 'dimension')}, but this {name} was fitted on vectors of "
                f"{self.source_dimension:,}; pass vectors of the model it was fitted on"
            )
        if side is None:
            if self.side_dimension:
                raise InputError(
                    f"this {name} was fitted with side information of {counted(self.side_dimension, 'dimension')}; "
                    f"pass side=, one row for each row of source"
                )
            return vectors, None
        if not self.side_dimension:
            raise InputError(f"this {name} was fitted without side information; leave side out, or fit it with side=")
        beside = self._read_side(side, len(vectors))
        if beside.dimension != self.side_dimension:
            raise InputError(
                f"side has {counted(beside.dimension, 'dimension')}, but this {name} was fitted with "
                f"{self.side_dimension:,}; pass the side information it was fitted on"
            )
        return vectors, beside

    def _read_side(self, side: ArrayLike, rows: int) -> Vectors:
        beside = self._read_rows(side, "side")
        if len(beside) != rows:
            raise InputError(
                f"source has {counted(rows, 'row')} and side has {len(beside):,}; pass the same items in the same "
                f"order, row i of both being item i"
            )
        return beside

    def _blocks(
        self, vectors: Vectors, beside: Vectors | None
    ) -> Iterator[tuple[int, NDArray[np.float32], NDArray[np.float32] | None]]:
        widest = max(2 * self.source_dimension, 2 * self.side_dimension, self.width, self.target_dimension)
        for start, block in blocks(vectors.values, max(1, SLAB // widest)):
            other = None if beside is None else as_floats(beside.values[start : start + len(block)], self.unit)
            yield start, as_floats(block, self.unit), other

    def _check(self) -> None:
        check_course(self.epochs, self.batch_size, self.rate, self.seed)
        at_least_zero(self.weight_decay, "weight_decay")
        whole_number(self.width, "width", 1)

    def _fit(self, source: NDArray[np.float32], target: NDArray[np.float32]) -> None:
        enough_pairs(len(source), type(self).__name__)
        require("torch", "train", f"fitting a {type(self).__name__}")
        import torch

        from segue.adapters.fct_network import TransformationNetwork
        from segue.adapters.trained import Course, Task, known_device, repeatable, train

        device = known_device(self.device)
        self.side_dimension = 0 if self._beside is None else self._beside.shape[1]
        scales = {"source": Scale.of(source), "target": Scale.of(target)}
        known = {"source": source, "target": target}
        if self._beside is not None:
            scales["side"], known["side"] = Scale.of(self._beside), self._beside
        seen = {name: torch.from_numpy(scales[name].scaled(rows)).to(device) for name, rows in known.items()}
        course = Course(type(self).__name__, self.epochs, self.batch_size, self.seed, min(WARM_UP, self.epochs // 2))
        with repeatable(self.seed, type(self).__name__):
            network = TransformationNetwork(
                source.shape[1], self.side_dimension, target.shape[1], self.width, doubtful=self._doubtful
            ).to(device)
            loss = self._loss(network, seen, scales["target"])

            def freeze(epoch: int) -> None:
                if epoch > self.epochs // 2:
                    network.freeze_statistics()

            optimizer = torch.optim.Adam(network.parameters(), lr=self.rate, weight_decay=self.weight_decay)
            task = Task(network, loss, optimizer)
            self.history = train(task, torch.arange(len(source)), course, before_epoch=freeze)
        self._take(network.folded(), scales)

    _doubtful = False

    def _loss(self, network: TransformationNetwork, seen: Mapping[str, Tensor], target: Scale) -> Any:
        def loss(batch: Tensor) -> Tensor:
            mapped: Tensor = network(seen["source"][batch], seen["side"][batch] if "side" in seen else None)[0]
            return (mapped - seen["target"][batch]).square().mean()

        return loss

    def _take(self, folded: Mapping[str, Tensor], scales: Mapping[str, Scale]) -> None:
        found = {name: tensor.detach().double().cpu().numpy() for name, tensor in folded.items()}
        for name, scale in scales.items():
            found[f"{name}_mean"] = scale.mean
            if name != "target":
                found[f"{name}_1.weight"] /= scale.size
        for part in ("weight", "bias"):
            found[f"{MAPPED}.{part}"] *= scales["target"].size
        if self._doubtful:
            found[f"{DOUBT}.weight"] /= scales["target"].size
        for name, array in found.items():
            setattr(self, name, array.astype(np.float32))

    def _centred(self, source: NDArray[np.float32], side: NDArray[np.float32] | None) -> NDArray[np.float32]:
        layers = self._state()
        beside = None if side is None else side - layers["side_mean"]
        return applied(layers, source - layers["source_mean"], beside)

    def _applied(self, source: NDArray[np.float32], side: NDArray[np.float32] | None) -> NDArray[np.float32]:
        return np.asarray(self._centred(source, side) + self._state()["target_mean"])

    def _map(self, source: NDArray[np.float32]) -> NDArray[np.float32]:
        return self._applied(source, None)

    def _shapes(self) -> dict[str, tuple[int, ...]]:
        found = shapes(layer_sizes(self.source_dimension, self.side_dimension, self.target_dimension, self.width))
        if self.side_dimension:
            found["side_mean"] = (self.side_dimension,)
        return found | {"source_mean": (self.source_dimension,), "target_mean": (self.target_dimension,)}

    def _restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        self.side_dimension = len(state["side_mean"]) if "side_mean" in state else 0
        super()._restore(state)

    def _words(self) -> str:
        beside = " and side information" if getattr(self, "side_dimension", 0) else ""
        return f"Predicts the target's vector by a network over the source's{beside} (FCT)."
