"""The transformation of forward compatible training, as it is trained (Ramanujan et al., CVPR 2022)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from segue.adapters.fct_layers import DOUBT, MAPPED, MIXED, SIDE, SOURCE, layer_sizes


class TransformationNetwork(nn.Module):
    """Two layers for the old vector, two for its side information, and three over both.

    Args:
        source: Dimension of the old vectors.
        side: Dimension of the side information; 0 for none.
        target: Dimension of the new vectors.
        width: Width of the layers over both.
        doubtful: Whether a last linear layer says how uncertain the mapped vector is (FastFill).
    """

    def __init__(self, source: int, side: int, target: int, width: int, *, doubtful: bool = False) -> None:
        super().__init__()
        sizes = layer_sizes(source, side, target, width)
        self.blocks = nn.ModuleDict({name: _block(*sizes[name]) for name in sizes if name != MAPPED})
        self.mapped = nn.Linear(*sizes[MAPPED])
        self.doubt = nn.Linear(target, 1) if doubtful else None

    def forward(self, source: Tensor, side: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        """Map rows.

        Args:
            source: Old vectors, ``(n, d_source)``.
            side: Their side information, ``(n, d_side)``.

        Returns:
            The mapped vectors ``(n, d_target)``, and the logarithm of their variance ``(n,)`` or ``None``.
        """
        rows = self._through(SOURCE, source)
        if side is not None:
            rows = torch.cat([rows, self._through(SIDE, side)], dim=1)
        mapped: Tensor = self.mapped(self._through(MIXED, rows))
        return mapped, None if self.doubt is None else self.doubt(mapped)[:, 0]

    def freeze_statistics(self) -> None:
        """Let batch normalisation use its running statistics from here on, while it goes on learning."""
        for module in self.modules():
            if isinstance(module, nn.BatchNorm1d):
                module.eval()

    def folded(self) -> dict[str, Tensor]:
        """Return what is left of it when batch normalisation is multiplied into the layers.

        Returns:
            ``<layer>.weight`` and ``<layer>.bias``; vectors are rows on the weights' left.
        """
        found = {}
        for name, block in self.blocks.items():
            linear, norm = block[0], block[1]  # type: ignore[index]
            scale = norm.weight / (norm.running_var + norm.eps).sqrt()
            found[f"{name}.weight"] = linear.weight.T * scale
            found[f"{name}.bias"] = norm.bias - norm.running_mean * scale
        for name, linear in ((MAPPED, self.mapped), (DOUBT, self.doubt)):
            if linear is not None:
                found[f"{name}.weight"], found[f"{name}.bias"] = linear.weight.T, linear.bias
        return found

    def _through(self, names: tuple[str, ...], rows: Tensor) -> Tensor:
        for name in names:
            rows = self.blocks[name](rows)
        return rows


def _block(wide: int, out: int) -> nn.Sequential:
    # a bias before batch normalisation would be taken out by it
    return nn.Sequential(nn.Linear(wide, out, bias=False), nn.BatchNorm1d(out), nn.ReLU())
