"""A residual network beside a linear map, with diagonal scaling (Drift-Adapter: Vejendla, EMNLP 2025)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from segue.adapters.affine import AffineAdapter
from segue.adapters.moments import moments
from segue.adapters.ranges import at_least_zero, whole_number
from segue.adapters.scales import Scale
from segue.adapters.spectrum import spectrum
from segue.adapters.trained_settings import check_course, enough_pairs, open_share
from segue.errors import require

if TYPE_CHECKING:
    from torch import Tensor

    from segue.adapters.trained import MapHistory, Task


class ResidualMLP(AffineAdapter):
    r"""Correct a ridge map by a hidden layer, as far as held-out pairs say that it helps.

    .. math::
        y = (x - m_s) A + \operatorname{relu}\left((x - m_s) P + p\right) Q + m_t

    with a learned scale of each dimension multiplied into A and Q. Drift-Adapter (Vejendla, EMNLP 2025, arXiv
    2509.23471) maps by a residual network with diagonal scaling; its widths and how it treats different dimensions are
    from memory of the paper, not confirmed. Here the skip is linear and begins at the ridge solution, Q begins at zero,
    and weight decay draws both back there. A share of the pairs is held out to find the best number of epochs, none
    among them; then it is trained anew for as many epochs on all pairs. The loss is the mean squared error, relative to
    the variance of the target, plus ``cosine`` times the mean of :math:`1 - \cos(\hat y, y)`.

    Fitting needs torch; mapping and keeping do not.

    Args:
        hidden: Width of the hidden layer.
        strength: Penalty of the ridge map it begins at, as for :class:`~segue.adapters.ridge.Ridge`.
        cosine: Weight of the cosine in the loss.
        weight_decay: How strongly it is drawn back to the ridge map (AdamW).
        dropout: Share of the hidden layer that is left out in training, below 1.
        epochs: Passes over the pairs, at most.
        patience: Epochs without a better one after which it is given up.
        rate: Learning rate of AdamW at its highest.
        batch_size: Pairs of a step.
        held_out: Share of the pairs to hold out, between 0 and 1.
        seed: Seed of all chance.
        device: Where to train; mapping is done on the CPU.
        unit: Whether vectors are of length 1, see :class:`~segue.adapters.base.Adapter`.

    Attributes:
        history: How it was trained, where it was fitted in this process.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> source = rng.uniform(-1, 1, (400, 1))
        >>> curve = ResidualMLP(hidden=16, epochs=60, unit=False, rate=0.01).fit(source, np.abs(source))
        >>> bool(np.abs(curve.transform([[-0.5], [0.5]]) - 0.5).max() < 0.1)
        True
    """

    inward: NDArray[np.float32]
    inward_bias: NDArray[np.float32]
    outward: NDArray[np.float32]
    history: MapHistory

    def __init__(
        self,
        *,
        hidden: int = 512,
        strength: float = 0.1,
        cosine: float = 0.0,
        weight_decay: float = 0.01,
        dropout: float = 0.2,
        epochs: int = 60,
        patience: int = 10,
        rate: float = 5e-4,
        batch_size: int = 256,
        held_out: float = 0.1,
        seed: int = 0,
        device: str = "cpu",
        unit: bool = True,
    ) -> None:
        super().__init__(unit=unit)
        self.hidden = hidden
        self.strength = strength
        self.cosine = cosine
        self.weight_decay = weight_decay
        self.dropout = dropout
        self.epochs = epochs
        self.patience = patience
        self.rate = rate
        self.batch_size = batch_size
        self.held_out = held_out
        self.seed = seed
        self.device = device

    def _check(self) -> None:
        check_course(self.epochs, self.batch_size, self.rate, self.seed)
        at_least_zero(self.strength, "strength")
        at_least_zero(self.cosine, "cosine")
        at_least_zero(self.weight_decay, "weight_decay")
        whole_number(self.hidden, "hidden", 1)
        whole_number(self.patience, "patience", 1)
        open_share(self.held_out, "held_out")
        if self.dropout != 0:
            open_share(self.dropout, "dropout")

    def _fit(self, source: NDArray[np.float32], target: NDArray[np.float32]) -> None:
        enough_pairs(len(source), type(self).__name__)
        require("torch", "train", f"fitting a {type(self).__name__}")
        import torch

        from segue.adapters.map_loss import map_loss
        from segue.adapters.residual_network import ResidualNetwork
        from segue.adapters.trained import Course, Task, known_device, repeatable, train_on_all

        device = known_device(self.device)
        before, after = Scale.of(source), Scale.of(target)
        centred = before.scaled(source), after.scaled(target)
        one, other = (torch.from_numpy(rows).to(device) for rows in centred)
        middle = torch.from_numpy(after.mean / after.size).float().to(device)

        def begin(rows: Tensor) -> Task[ResidualNetwork]:
            known = spectrum(moments(centred[0][rows.numpy()], centred[1][rows.numpy()], center=False))
            start = torch.from_numpy(known.solution(self.strength)).float()
            network = ResidualNetwork(start, self.hidden, self.dropout).to(device)

            def loss(batch: Tensor) -> Tensor:
                return map_loss(network(one[batch]), other[batch], middle, self.cosine)

            optimizer = torch.optim.AdamW(network.parameters(), lr=self.rate, weight_decay=self.weight_decay)
            return Task(network, loss, optimizer)

        course = Course(type(self).__name__, self.epochs, self.batch_size, self.seed)
        with repeatable(self.seed, type(self).__name__):
            network, self.history = train_on_all(
                begin, len(source), course, share=self.held_out, patience=self.patience
            )
        self._take(network.folded(), before, after)

    def _take(self, folded: Mapping[str, Tensor], before: Scale, after: Scale) -> None:
        found = {name: tensor.detach().double().cpu().numpy() for name, tensor in folded.items()}
        self._keep(
            before.mean, found["matrix"] * (after.size / before.size), after.mean + after.size * found["outward_bias"]
        )
        self.inward = (found["inward"] / before.size).astype(np.float32)
        self.inward_bias = found["inward_bias"].astype(np.float32)
        self.outward = (found["outward"] * after.size).astype(np.float32)

    def _map(self, source: NDArray[np.float32]) -> NDArray[np.float64]:
        hidden = (source - self.source_mean) @ self.inward + self.inward_bias
        return super()._map(source) + np.maximum(hidden, 0) @ self.outward

    def _shapes(self) -> dict[str, tuple[int, ...]]:
        return super()._shapes() | {
            "inward": (self.source_dimension, self.hidden),
            "inward_bias": (self.hidden,),
            "outward": (self.hidden, self.target_dimension),
        }

    def _words(self) -> str:
        return (
            f"Predicts the target's vector by ridge regression and a hidden layer of {self.hidden:,} beside it "
            f"(residual MLP)."
        )
