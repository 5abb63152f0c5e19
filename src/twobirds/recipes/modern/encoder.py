"""The encoder: the latents z of a face."""

import itertools
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from twobirds.models.blocks import DownBlock, group_norm
from twobirds.models.pca import PrincipalComponents, encode_linear, pca_encoder, set_layer

_NUM_CORRECTIONS = 64  # rank of what convolutions add to principal components


class Encoder(nn.Module):
    """Principal components by a linear layer, corrected by residual blocks.

    Args:
        num_latents: Z.
        num_attributes: K.
        channels: Of each grid, from half the image's to 4x4.
    """

    def __init__(self, *, num_latents: int, num_attributes: int, channels: Sequence[int]) -> None:
        super().__init__()
        self.pixels = nn.Conv2d(3, channels[0], 4, stride=2, padding=1)
        self.blocks = nn.ModuleList(
            DownBlock(c_in, c_out) for c_in, c_out in itertools.pairwise(channels)
        )
        self.norm = group_norm(channels[-1])
        self.corrections = nn.Linear(channels[-1] * 16, _NUM_CORRECTIONS, bias=False)
        self.pca_encoder = pca_encoder(num_latents, num_attributes)
        self.latents = nn.Linear(_NUM_CORRECTIONS, num_latents)

    def forward(self, images: Tensor, attributes: Tensor) -> Tensor:
        """Encode what is left of faces when their attributes are known.

        Args:
            images: `[B, 3, H, W]` in [-1, 1].
            attributes: `[B, K]` in [0, 1]: what they have.

        Returns:
            Latents `[B, Z]` in [-1, 1].
        """
        x = self.pixels(images.contiguous(memory_format=torch.channels_last))
        for block in self.blocks:
            x = block(x)
        x = F.leaky_relu(self.norm(x), 0.2).flatten(1)  # [B, C * 16]
        corrections = self.latents(self.corrections(x)).float()
        return torch.tanh(corrections + encode_linear(self.pca_encoder, images, attributes))

    @torch.no_grad()
    def initialize_pca(self, components: PrincipalComponents) -> None:
        """Make the latents the principal components, which convolutions learn to correct."""
        set_layer(self.pca_encoder, components.encoder, components.encoder_bias)
        set_layer(self.latents, torch.zeros(()), torch.zeros(()))
