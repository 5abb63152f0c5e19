"""A small residual network that classifies attributes: the judge of edits, and a baseline (P18)."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

WIDTHS = (32, 64, 128, 192)
"""Channels of the stages; the last is the number of features."""


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions with batch norm beside a shortcut (He et al., 2016).

    Args:
        in_channels: C of the images that come in.
        out_channels: C' of those that go out.
        stride: By how much height and width shrink.
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(in_channels, out_channels, 3, stride, 1, bias=False),
            nn.BatchNorm2d(out_channels),
            nn.ReLU(),
            nn.Conv2d(out_channels, out_channels, 3, 1, 1, bias=False),
            nn.BatchNorm2d(out_channels),
        )
        self.shortcut = nn.Sequential()
        if stride > 1 or in_channels != out_channels:
            self.shortcut = nn.Sequential(
                nn.AvgPool2d(stride) if stride > 1 else nn.Identity(),
                nn.Conv2d(in_channels, out_channels, 1, bias=False),
                nn.BatchNorm2d(out_channels),
            )

    def forward(self, images: Tensor) -> Tensor:
        """Map `[B, C, H, W]` to `[B, C', H / stride, W / stride]`."""
        return F.relu(self.body(images) + self.shortcut(images))


class AttributeResNet(nn.Module):
    """A ResNet of 0.9 M parameters; its first stage works at 32x32 whatever the image's size.

    Args:
        size: S, height and width of the images in pixels.
        num_attributes: K.
    """

    def __init__(self, size: int, num_attributes: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        channels = 3
        for stride in [2] * max(0, (size // 32).bit_length() - 1) or [1]:
            layers += [
                nn.Conv2d(channels, WIDTHS[0], 3, stride, 1, bias=False),
                nn.BatchNorm2d(WIDTHS[0]),
                nn.ReLU(),
            ]
            channels = WIDTHS[0]
        for i, width in enumerate(WIDTHS):
            layers.append(ResidualBlock(channels, width, stride=2 if i else 1))
            channels = width
        self.trunk = nn.Sequential(*layers)
        self.head = nn.Linear(channels, num_attributes)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Classify images `[B, 3, S, S]` in [-1, 1].

        Returns:
            Attribute logits `[B, K]`; features `[B, 192]` behind them.
        """
        images = images.contiguous(memory_format=torch.channels_last)
        features = self.trunk(images).mean(dim=(2, 3))  # [B, C, 4, 4] -> [B, C]
        return self.head(features), features
