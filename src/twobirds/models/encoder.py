"""The modern encoder: the code z of a face, and the features that its edits start from."""

import itertools
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from twobirds.models.residual import DownBlock, group_norm


class Encoder(nn.Module):
    """Residual blocks with group norm from half the image's size down to 4x4.

    Args:
        num_latents: Z.
        channels: Of each grid, from half the image's to 4x4.
    """

    def __init__(self, *, num_latents: int, channels: Sequence[int]) -> None:
        super().__init__()
        self.pixels = nn.Conv2d(3, channels[0], 4, stride=2, padding=1)
        self.blocks = nn.ModuleList(
            DownBlock(c_in, c_out, has_norm=True) for c_in, c_out in itertools.pairwise(channels)
        )
        self.norm = group_norm(channels[-1])
        self.latents = nn.Linear(channels[-1] * 16, num_latents)

    def forward(self, images: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Read faces `[B, 3, H, W]` in [-1, 1].

        Returns:
            Codes `[B, Z]` in [-1, 1]; features `[B, C, h, w]` of all grids, coarse to fine.
        """
        x = self.pixels(images.contiguous(memory_format=torch.channels_last))
        features = [x]
        for block in self.blocks:
            x = block(x)
            features.append(x)
        x = F.leaky_relu(self.norm(x), 0.2).flatten(1)  # [B, C * 16]
        return torch.tanh(self.latents(x)), features[::-1]
