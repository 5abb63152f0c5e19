"""The discriminator and the classifier on its trunk (P7, P8; Sec. 3.2.1, 3.3.1, 4)."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from twobirds.models.layers import LEAKY_SLOPE, BatchNorm


class DiscriminatorOutput(NamedTuple):
    """What one pass over a batch of images gives."""

    score_logits: Tensor
    """`[B]` float: the logit of being real, the paper's s."""
    latents: Tensor
    """`[B, Z]` in [-1, 1]: the code z of the images, by C."""
    attribute_logits: Tensor
    """`[B, K]` float: logits of the attributes."""
    features: tuple[Tensor, ...]
    """Trunk features, each `[B, C_l, H_l, W_l]`, coarser and coarser."""


class Trunk(nn.Module):
    """Four 5x5 stride-2 convolutions with leaky ReLU.

    Paper: names no batch norm in D, yet follows DCGAN's settings. Here: batch norm on all
    convolutions but the first, because G collapses to one face for every z without it (ADR 8).

    Args:
        channels: Channels of the convolutions.
        has_norm: Whether there is batch norm at all.
    """

    def __init__(self, channels: tuple[int, ...], *, has_norm: bool) -> None:
        super().__init__()
        self.downsample = nn.ModuleList(
            nn.Conv2d(c_in, c_out, 5, stride=2, padding=2)
            for c_in, c_out in zip((3, *channels[:-1]), channels, strict=True)
        )
        self.norms = nn.ModuleList(
            BatchNorm(c) if has_norm and i > 0 else nn.Identity() for i, c in enumerate(channels)
        )

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """Features `[B, C_l, H / 2^l, W / 2^l]` of images `[B, 3, H, W]` in [-1, 1]."""
        features = []
        x = images.contiguous(memory_format=torch.channels_last)
        for downsample, norm in zip(self.downsample, self.norms, strict=True):
            x = F.leaky_relu(norm(downsample(x)), LEAKY_SLOPE)
            features.append(x)
        return tuple(features)


class Classifier(nn.Module):
    """C: the code z and the attributes out of the layer it shares with D (P8, Fig. 3).

    Args:
        num_shared: Width S of the shared layer.
        num_latents: Length Z of the code.
        num_hidden: Width of the hidden layer in front of the attribute logits.
        num_attributes: Number K of attributes.
    """

    def __init__(
        self, *, num_shared: int, num_latents: int, num_hidden: int, num_attributes: int
    ) -> None:
        super().__init__()
        self.latents = nn.Linear(num_shared, num_latents)
        self.hidden = nn.Linear(num_shared, num_hidden)
        self.norm = BatchNorm(num_hidden)
        self.attributes = nn.Linear(num_hidden, num_attributes)

    def forward(self, shared: Tensor) -> tuple[Tensor, Tensor]:
        """Latents `[B, Z]` in [-1, 1] and attribute logits `[B, K]` of `shared` `[B, S]`."""
        hidden = torch.relu(self.norm(self.hidden(shared)))
        return torch.tanh(self.latents(shared)), self.attributes(hidden)


class Discriminator(nn.Module):
    """D with C: is it real, what code made it, which attributes does it have.

    Args:
        num_latents: Length of z.
        num_attributes: Number of attributes.
        size: Height and width of the images, a multiple of 16.
        channels: Channels of the four convolutions, the paper's (64, 128, 256, 512).
        num_shared: Width of the layer shared with C, the paper's 1024.
        num_hidden: Width of C's hidden layer, the paper's 128.
        has_norm: Whether the trunk has batch norm, as DCGAN's.
    """

    def __init__(
        self,
        *,
        num_latents: int,
        num_attributes: int,
        size: int,
        channels: tuple[int, ...],
        num_shared: int,
        num_hidden: int,
        has_norm: bool,
    ) -> None:
        super().__init__()
        num_flat = channels[-1] * (size // 16) ** 2
        self.trunk = Trunk(channels, has_norm=has_norm)
        self.score = nn.Linear(num_flat, 1)
        self.shared = nn.Linear(num_flat, num_shared)
        self.classifier = Classifier(
            num_shared=num_shared,
            num_latents=num_latents,
            num_hidden=num_hidden,
            num_attributes=num_attributes,
        )

    def forward(self, images: Tensor) -> DiscriminatorOutput:
        """Score, encode and classify images `[B, 3, H, W]` in [-1, 1] (P7: unconditional)."""
        features = self.trunk(images)
        flat = features[-1].flatten(1)  # [B, C * H / 16 * W / 16]
        shared = F.leaky_relu(self.shared(flat), LEAKY_SLOPE)
        latents, attribute_logits = self.classifier(shared)
        return DiscriminatorOutput(self.score(flat).squeeze(1), latents, attribute_logits, features)
