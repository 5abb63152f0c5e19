"""The encoder: the latents z of a face, and the features that its edits start from."""

import itertools
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from twobirds.models.blocks import DownBlock, group_norm
from twobirds.models.pca import PrincipalComponents, encode_linear, pca_encoder, set_layer

_NUM_CORRECTIONS = 128  # rank of what convolutions add to principal components


class Encoder(nn.Module):
    """Residual blocks with group norm from half the image's size down to 4x4.

    Args:
        num_latents: Z.
        channels: Of each grid, from half the image's to 4x4.
        has_pca: Whether a linear layer encodes a part of the latents from the pixels.
    """

    def __init__(self, *, num_latents: int, channels: Sequence[int], has_pca: bool = False) -> None:
        super().__init__()
        self.pixels = nn.Conv2d(3, channels[0], 4, stride=2, padding=1)
        self.blocks = nn.ModuleList(
            DownBlock(c_in, c_out, has_norm=True) for c_in, c_out in itertools.pairwise(channels)
        )
        self.norm = group_norm(channels[-1])
        num_features = channels[-1] * 16
        self.corrections = self.pca_encoder = None
        if has_pca:  # the residual is small: fewer weights will do
            self.corrections = nn.Linear(num_features, _NUM_CORRECTIONS, bias=False)
            self.pca_encoder = pca_encoder(num_latents)
            num_features = _NUM_CORRECTIONS
        self.latents = nn.Linear(num_features, num_latents)

    def forward(self, images: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Encode faces `[B, 3, H, W]` in [-1, 1].

        Returns:
            Latents `[B, Z]` in [-1, 1]; features `[B, C, h, w]` of all grids, coarse to fine.
        """
        x = self.pixels(images.contiguous(memory_format=torch.channels_last))
        features = [x]
        for block in self.blocks:
            x = block(x)
            features.append(x)
        x = F.leaky_relu(self.norm(x), 0.2).flatten(1)  # [B, C * 16]
        if self.corrections is None or self.pca_encoder is None:
            return torch.tanh(self.latents(x)), features[::-1]
        latents = self.latents(self.corrections(x)).float() + encode_linear(
            self.pca_encoder, images
        )
        return torch.tanh(latents), features[::-1]

    @torch.no_grad()
    def initialize_pca(self, components: PrincipalComponents) -> None:
        """Make the latents the principal components, which convolutions learn to correct."""
        set_layer(self.pca_encoder, components.encoder, components.encoder_bias)
        set_layer(self.latents, torch.zeros(()), torch.zeros(()))
