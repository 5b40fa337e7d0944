"""The layers of the transformation of forward compatible training, and what they do to rows in numpy."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

# Layers by name, in the order in which they are applied; those of a branch and of the mixture end in a ReLU.
SOURCE, SIDE, MIXED = ("source_1", "source_2"), ("side_1", "side_2"), ("mixed_1", "mixed_2")
MAPPED, DOUBT = "mapped", "doubt"


def layer_sizes(source: int, side: int, target: int, width: int) -> dict[str, tuple[int, int]]:
    """Return what goes into each layer and what comes out of it.

    Args:
        source: Dimension of the old vectors.
        side: Dimension of the side information; 0 for none.
        target: Dimension of the new vectors.
        width: Width of the layers over both.

    Returns:
        Two numbers by layer.

    Example:
        >>> layer_sizes(4, 0, 3, 16)
        {'source_1': (4, 8), 'source_2': (8, 8), 'mixed_1': (8, 16), 'mixed_2': (16, 16), 'mapped': (16, 3)}
    """
    sizes = {"source_1": (source, 2 * source), "source_2": (2 * source, 2 * source)}
    if side:
        sizes |= {"side_1": (side, 2 * side), "side_2": (2 * side, 2 * side)}
    return sizes | {"mixed_1": (2 * source + 2 * side, width), "mixed_2": (width, width), MAPPED: (width, target)}


def shapes(sizes: Mapping[str, tuple[int, int]]) -> dict[str, tuple[int, ...]]:
    """Return the shapes of weights and biases.

    Args:
        sizes: What goes into each layer and what comes out of it.

    Returns:
        Shapes by ``<layer>.weight`` and ``<layer>.bias``.

    Example:
        >>> shapes({"mapped": (16, 3)})
        {'mapped.weight': (16, 3), 'mapped.bias': (3,)}
    """
    found: dict[str, tuple[int, ...]] = {}
    for name, (wide, out) in sizes.items():
        found |= {f"{name}.weight": (wide, out), f"{name}.bias": (out,)}
    return found


def applied(
    layers: Mapping[str, NDArray[np.float32]], source: NDArray[np.float32], side: NDArray[np.float32] | None
) -> NDArray[np.float32]:
    """Send rows through the layers.

    Args:
        layers: Weights and biases.
        source: Old vectors, ``(n, d_source)``.
        side: Their side information, ``(n, d_side)``; ``None`` where there is none.

    Returns:
        Mapped vectors, ``(n, d_target)``.
    """
    rows = _bent(layers, SOURCE, source)
    if side is not None:
        rows = np.concatenate([rows, _bent(layers, SIDE, side)], axis=1)
    return linear(layers, MAPPED, _bent(layers, MIXED, rows))


def linear(layers: Mapping[str, NDArray[np.float32]], name: str, rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Send rows through one layer, without a ReLU.

    Args:
        layers: Weights and biases.
        name: The layer.
        rows: ``(n, wide)``.

    Returns:
        ``(n, out)``.
    """
    return np.asarray(rows @ layers[f"{name}.weight"] + layers[f"{name}.bias"])


def _bent(
    layers: Mapping[str, NDArray[np.float32]], names: tuple[str, ...], rows: NDArray[np.float32]
) -> NDArray[np.float32]:
    for name in names:
        rows = np.maximum(linear(layers, name, rows), 0)
    return rows
