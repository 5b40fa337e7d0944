"""Fashion-MNIST as tensors, and a network that learns it in seconds."""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor, nn

from benchmarks.congruent.part import Part
from segue.demo.network import ResidualBlock
from segue.demo.progress import Progress
from segue.demo.sources import find
from segue.errors import SegueError


class SmallConvolutional(nn.Module):
    """A 5x5 stem of stride 2, two residual blocks of stride 2, a linear head.

    Args:
        classes: Number of classes.
        width: Channels of the stem.
    """

    def __init__(self, classes: int, width: int) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, width, 5, stride=2, padding=2, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(inplace=True),
            ResidualBlock(width, 2 * width, stride=2),
            ResidualBlock(2 * width, 4 * width, stride=2),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
        )
        self.head = nn.Linear(4 * width, classes)

    def forward(self, pictures: Tensor) -> Tensor:
        """Return logits ``(n, classes)`` of pictures ``(n, 1, 28, 28)``."""
        logits: Tensor = self.head(self.features(pictures))
        return logits


@cache
def garments() -> Part:
    """Return Fashion-MNIST, standardised: 60,000 pictures to draw from, 10,000 to be judged on.

    Returns:
        The pictures.

    Raises:
        SegueError: If they can't be had.
    """
    found = find(None, Progress())
    if found.pictures.name != "Fashion-MNIST":
        raise SegueError(f"Fashion-MNIST can't be had: {'; '.join(found.obstacles)}")
    pool, test = found.pictures.train, found.pictures.test
    mean, spread = float(pool.images.mean()), float(pool.images.std())
    pairs = (
        (((torch.from_numpy(part.images).float() - mean) / spread).unsqueeze(1), torch.from_numpy(part.labels))
        for part in (pool, test)
    )
    return Part(*pairs, 10)
