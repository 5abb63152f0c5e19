"""The modern encoder: the code z of a face, and the features that its edits start from."""

import itertools
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from twobirds.models.eigenfaces import Eigenfaces, read_code, reading_layer, set_layer
from twobirds.models.residual import DownBlock, group_norm

_NUM_CORRECTIONS = 128  # rank of what convolutions add to codes that begin as eigenfaces


class Encoder(nn.Module):
    """Residual blocks with group norm from half the image's size down to 4x4.

    Args:
        num_latents: Z.
        channels: Of each grid, from half the image's to 4x4.
        has_eigenfaces: Whether a linear layer reads a part of the code straight off the image.
    """

    def __init__(
        self, *, num_latents: int, channels: Sequence[int], has_eigenfaces: bool = False
    ) -> None:
        super().__init__()
        self.pixels = nn.Conv2d(3, channels[0], 4, stride=2, padding=1)
        self.blocks = nn.ModuleList(
            DownBlock(c_in, c_out, has_norm=True) for c_in, c_out in itertools.pairwise(channels)
        )
        self.norm = group_norm(channels[-1])
        num_read = channels[-1] * 16
        self.corrections = self.eigenfaces = None
        if has_eigenfaces:  # what they leave out is little: fewer weights will do
            self.corrections = nn.Linear(num_read, _NUM_CORRECTIONS, bias=False)
            self.eigenfaces = reading_layer(num_latents)
            num_read = _NUM_CORRECTIONS
        self.latents = nn.Linear(num_read, num_latents)

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
        if self.corrections is None or self.eigenfaces is None:
            return torch.tanh(self.latents(x)), features[::-1]
        latents = self.latents(self.corrections(x)).float() + read_code(self.eigenfaces, images)
        return torch.tanh(latents), features[::-1]

    @torch.no_grad()
    def begin_with_eigenfaces(self, found: Eigenfaces) -> None:
        """Let the code be what the eigenfaces say, until convolutions learn to correct it."""
        set_layer(self.eigenfaces, found.read, found.read_bias)
        set_layer(self.latents, torch.zeros(()), torch.zeros(()))
