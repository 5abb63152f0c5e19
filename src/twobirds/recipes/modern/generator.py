"""The generator: faces from latents and attributes."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from twobirds.models.blocks import ModulatedBlock, group_norm, he_init, upsample
from twobirds.models.layers import clamp_inward
from twobirds.models.pca import PrincipalComponents, decode_linear, pca_decoder, set_layer

_NUM_MAPPED = 256  # length of the mapping network's output w
_NUM_FINE = 16  # channels on the grid of the pixels
_LIMIT = 1.1  # of pixels: a little beyond [-1, 1], where they would get no gradient


class Generator(nn.Module):
    """z and attributes to a face: a smooth one by a linear layer, and what convolutions add.

    A mapping network turns z and attributes into w, which modulates residual blocks on grids of 4x4
    up to half the image's. Each sees the smooth face of the PCA decoder, too; what a bilinear
    enlargement of the last gives is added to its pixels: nothing at the start.

    Args:
        num_latents: Z.
        num_attributes: K.
        size: Height and width of the images, a power of two.
        channels: Of each grid, from 4x4 to half the image's.
    """

    def __init__(
        self, *, num_latents: int, num_attributes: int, size: int, channels: Sequence[int]
    ) -> None:
        super().__init__()
        self.mapping = _mapping_network(num_latents + num_attributes)
        self.base = nn.Linear(_NUM_MAPPED, channels[0] * 16)
        self.blocks = nn.ModuleList(
            ModulatedBlock(c_in, c_out, _NUM_MAPPED)
            for c_in, c_out in zip((channels[0], *channels[:-1]), channels, strict=True)
        )
        assert 4 << (len(channels) - 1) == size // 2
        self.norm = group_norm(channels[-1])
        self.fine = nn.Conv2d(channels[-1], _NUM_FINE, 3, padding=1)
        self.pixels = nn.Conv2d(_NUM_FINE, 3, 3, padding=1)
        self.size, self.num_latents = size, num_latents
        self.pca_decoder = pca_decoder(num_latents, num_attributes)
        self.smooth_features = nn.ModuleList(
            nn.Conv2d(3, c, 3, padding=1, bias=False) for c in (channels[0], *channels[:-1])
        )
        for parameter in self.pixels.parameters():
            nn.init.zeros_(parameter)

    def forward(self, latents: Tensor, attributes: Tensor) -> Tensor:
        """Generate faces.

        Args:
            latents: `[B, Z]` in [-1, 1].
            attributes: `[B, K]` in [0, 1]: what the faces shall have.

        Returns:
            `[B, 3, H, W]` float32, at most 0.1 beyond [-1, 1].
        """
        w = self.mapping(torch.cat([latents, attributes * 2 - 1], dim=1))  # [B, W]
        smooth = decode_linear(self.pca_decoder, latents, attributes, self.size)
        x = self.base(w).unflatten(1, (-1, 4, 4))  # [B, C_1, 4, 4]
        x = x.contiguous(memory_format=torch.channels_last)
        for i, (block, see) in enumerate(zip(self.blocks, self.smooth_features, strict=True)):
            x = upsample(x) if i else x
            x = x + see(F.avg_pool2d(smooth, self.size // x.shape[3]).to(x.dtype))
            x = block(x, w)  # [B, C, h, w]
        x = F.silu(upsample(self.fine(F.silu(self.norm(x)))))  # [B, fine, H, W]
        added = low_pass(self.pixels(x).float())
        if not self.training:  # training sharpens beyond real faces, where D sees little
            added = low_pass(added)
        return clamp_inward(smooth + added, -_LIMIT, _LIMIT)

    @torch.no_grad()
    def initialize_pca(self, components: PrincipalComponents) -> None:
        """Set the weights of the PCA decoder."""
        set_layer(self.pca_decoder, components.decoder, components.decoder_bias)


def low_pass(images: Tensor) -> Tensor:
    """Filter `[B, C, H, W]` with the binomial kernel of 3x3: nothing is left of checkerboards."""
    padded = F.pad(images, (1, 1, 1, 1), mode="replicate")
    rows = (padded[:, :, :-2] + 2 * padded[:, :, 1:-1] + padded[:, :, 2:]) / 4
    return (rows[..., :-2] + 2 * rows[..., 1:-1] + rows[..., 2:]) / 4


def _mapping_network(num_inputs: int) -> nn.Sequential:
    """Latents and attributes to w."""
    layers: list[nn.Module] = []
    for width in (num_inputs, _NUM_MAPPED):
        layer = nn.Linear(width, _NUM_MAPPED)
        he_init(layer)
        layers += [layer, nn.LeakyReLU(0.2)]
    return nn.Sequential(*layers)
