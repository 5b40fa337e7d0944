"""A small residual network for small grey pictures, after He et al., Deep Residual Learning (CVPR 2016), figure 2."""

from __future__ import annotations

from torch import Tensor, nn


def convolution(inputs: int, outputs: int, size: int, stride: int = 1) -> nn.Sequential:
    """Return a convolution that keeps the picture's size (divided by ``stride``), with batch normalisation."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, size, stride=stride, padding=size // 2, bias=False),
        nn.BatchNorm2d(outputs),
    )


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions beside a shortcut, which is the identity where the shapes allow it.

    Args:
        inputs: Channels that come in.
        outputs: Channels that go out.
        stride: By how much height and width shrink.
    """

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            convolution(inputs, outputs, 3, stride),
            nn.ReLU(inplace=True),
            convolution(outputs, outputs, 3),
        )
        same_shape = inputs == outputs and stride == 1
        self.shortcut = nn.Identity() if same_shape else convolution(inputs, outputs, 1, stride)
        self.activation = nn.ReLU(inplace=True)

    def forward(self, features: Tensor) -> Tensor:
        """Return features ``(n, outputs, h / stride, w / stride)`` of ``(n, inputs, h, w)``."""
        activated: Tensor = self.activation(self.body(features) + self.shortcut(features))
        return activated


class SmallResidualNetwork(nn.Module):
    """A 3x3 stem, a max-pool, three residual blocks of ``width``, ``2 width`` and ``4 width`` channels, a linear head.

    Args:
        classes: Number of classes.
        width: Channels of the stem; parameters grow with its square.

    Example:
        >>> import torch
        >>> SmallResidualNetwork(classes=10, width=8)(torch.zeros(5, 1, 28, 28)).shape
        torch.Size([5, 10])
    """

    def __init__(self, classes: int, width: int) -> None:
        super().__init__()
        self.features = nn.Sequential(
            convolution(1, width, 3),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(2),
            ResidualBlock(width, width, stride=1),
            ResidualBlock(width, 2 * width, stride=2),
            ResidualBlock(2 * width, 4 * width, stride=2),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
        )
        self.head = nn.Linear(4 * width, classes)

    def forward(self, pictures: Tensor) -> Tensor:
        """Return logits ``(n, classes)`` of pictures ``(n, 1, h, w)``."""
        logits: Tensor = self.head(self.features(pictures))
        return logits

    @property
    def parameter_count(self) -> int:
        """Number of trained numbers."""
        return sum(parameter.numel() for parameter in self.parameters())
