"""Small networks that turn pictures into embeddings."""

from __future__ import annotations

from torch import nn

from segue.demo.network import ResidualBlock


def convolutional(dimension: int, width: int) -> nn.Module:
    """Return a 5x5 stem of stride 2, two residual blocks of stride 2, and a linear map to the embedding.

    Args:
        dimension: Columns of the embedding.
        width: Channels of the stem.

    Returns:
        The network, for pictures ``(n, 1, 28, 28)``.
    """
    return nn.Sequential(
        nn.Conv2d(1, width, 5, stride=2, padding=2, bias=False),
        nn.BatchNorm2d(width),
        nn.ReLU(inplace=True),
        ResidualBlock(width, 2 * width, stride=2),
        ResidualBlock(2 * width, 4 * width, stride=2),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(4 * width, dimension),
    )


def perceptron(pixels: int, dimension: int, hidden: int) -> nn.Module:
    """Return one hidden layer, and a linear map to the embedding.

    Args:
        pixels: Numbers of a picture.
        dimension: Columns of the embedding.
        hidden: Width of the hidden layer.

    Returns:
        The network.
    """
    return nn.Sequential(
        nn.Flatten(),
        nn.Linear(pixels, hidden),
        nn.BatchNorm1d(hidden),
        nn.ReLU(),
        nn.Linear(hidden, dimension),
    )
