"""The generator: faces from latents, or edits of a face by way of its features."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from twobirds.models.blocks import ModulatedBlock, group_norm, he_init, upsample
from twobirds.models.pca import PrincipalComponents, decode_linear, pca_decoder, set_layer

NUM_MAPPED = 256
"""Length of the mapping network's output w."""
_NUM_FINE = 16  # channels on the grid of the pixels
_MAX_SOURCE_WEIGHT = 0.95  # at 1 a generated pixel would get no gradient


class Source(NamedTuple):
    """The faces that an edit starts from."""

    images: Tensor
    """`[B, 3, H, W]` in [-1, 1]."""
    features: Sequence[Tensor]
    """What the encoder keeps of them, coarse to fine, each `[B, F, h, w]`."""
    change: Tensor
    """`[B, K]`: the attributes wanted less those they have, in [-1, 1] times the strength."""
    weight: Tensor
    """`[B]`: 1 for an edit of the face, 0 for a face from its latents alone."""


class SelectiveSkip(nn.Module):
    """Adds the encoder's features to the generator's where a change of attributes keeps them.

    A gate for every place and channel, computed from G's features, the encoder's and the change
    (after the selective transfer units of STGAN, Liu et al., 2019).

    Args:
        channels: C of G's features.
        num_features: F of the encoder's.
        num_attributes: K.
    """

    def __init__(self, channels: int, num_features: int, num_attributes: int) -> None:
        super().__init__()
        self.transfer = nn.Conv2d(num_features, channels, 1)
        self.gate = nn.Conv2d(channels + num_features, channels, 3, padding=1)
        self.change = nn.Linear(num_attributes, channels)

    def forward(self, x: Tensor, features: Tensor, change: Tensor, weight: Tensor) -> Tensor:
        """Add gated features `[B, F, h, w]` to `x` `[B, C, h, w]`, each face with its weight."""
        gate = self.gate(torch.cat([x, features], dim=1))  # [B, C, h, w]
        gate = torch.sigmoid(gate + self.change(change)[:, :, None, None])
        passed: Tensor = weight.to(x.dtype).view(-1, 1, 1, 1) * gate * self.transfer(features)
        return x + passed


class EditingGenerator(nn.Module):
    """z and attributes to a face; with a source, the change of that face.

    A mapping network turns z, attributes and their change into w, which modulates residual blocks
    on grids of 4x4 up to half the image's; a sub-pixel convolution gives the pixels (Shi et al.,
    2016), for convolutions of many channels on few places are what processors are fast at. Given a
    source, its features come in through gates, and a mask says where generated pixels replace the
    source's (as in GANimation, Pumarola et al., 2018). With a PCA decoder a face from its latents
    alone starts from a base, too: the decoder's smooth face, which the convolutions also see.

    Args:
        num_latents: Z.
        num_attributes: K.
        size: Height and width of the images, a power of two.
        channels: Of each grid, from 4x4 to half the image's.
        skips: Grid (height) and number of the encoder's features there, coarse to fine.
        has_mask: Whether pixels of the source may stand.
        has_pca: Whether faces from their latents alone start from the PCA decoder's.
    """

    def __init__(
        self,
        *,
        num_latents: int,
        num_attributes: int,
        size: int,
        channels: Sequence[int],
        skips: Sequence[tuple[int, int]],
        has_mask: bool,
        has_pca: bool = False,
    ) -> None:
        super().__init__()
        self.mapping = _mapping_network(num_latents + 2 * num_attributes + 1)
        self.base = nn.Linear(NUM_MAPPED, channels[0] * 16)
        self.blocks = nn.ModuleList(
            ModulatedBlock(c_in, c_out, NUM_MAPPED)
            for c_in, c_out in zip((channels[0], *channels[:-1]), channels, strict=True)
        )
        grids = [4 << i for i in range(len(channels))]
        assert grids[-1] == size // 2
        self.skips = nn.ModuleDict(
            {
                str(grid): SelectiveSkip(channels[grids.index(grid)], width, num_attributes)
                for grid, width in skips
            }
        )
        self.norm = group_norm(channels[-1])
        self.subpixels = nn.Conv2d(channels[-1], 4 * _NUM_FINE, 3, padding=1)
        icnr_init(self.subpixels)
        self.pixels = nn.Conv2d(_NUM_FINE, 3, 3, padding=1)
        # Apart from the pixels: in stage 1 it has no gradients; zeros would make Adam count steps.
        has_base = has_mask or has_pca
        self.mask = nn.Conv2d(_NUM_FINE, 1, 3, padding=1) if has_base else None
        self.size, self.num_latents, self.has_mask = size, num_latents, has_mask
        self.pca_decoder = self.base_features = None
        if has_pca:
            self.pca_decoder = pca_decoder(num_latents, num_attributes)
            self.base_features = nn.Conv2d(3, channels[-2], 3, padding=1, bias=False)
            nn.init.zeros_(self.base_features.weight)

    def forward(self, latents: Tensor, attributes: Tensor, source: Source | None = None) -> Tensor:
        """Generate or edit faces.

        Args:
            latents: `[B, Z]` in [-1, 1].
            attributes: `[B, K]` in [0, 1]: what the faces shall have.
            source: What to start from; None generates from the latents alone.

        Returns:
            `[B, 3, H, W]` float32 in [-1, 1].
        """
        w = self.mapping(_condition(latents, attributes, source))  # [B, W]
        base = self._base(latents, attributes, source)
        x = self.base(w).unflatten(1, (-1, 4, 4))  # [B, C_1, 4, 4]
        x = x.contiguous(memory_format=torch.channels_last)
        features = {int(f.shape[-1]): f for f in source.features} if source is not None else {}
        for i, block in enumerate(self.blocks):
            x = upsample(x) if i else x
            if self.base_features is not None and block is self.blocks[-1]:
                assert base is not None
                x = x + self.base_features(F.avg_pool2d(base, 2).to(x.dtype))
            x = block(x, w)  # [B, C, h, w]
            grid = 4 << i
            if source is not None and str(grid) in self.skips:
                skip = self.skips[str(grid)]
                x = skip(x, features[grid], source.change, source.weight)
        x = F.pixel_shuffle(self.subpixels(F.silu(self.norm(x))), 2)  # [B, fine, H, W]
        x = F.silu(x)
        generated = torch.tanh(self.pixels(x).float())  # [B, 3, H, W]
        if base is None or self.mask is None:
            return generated
        base_weight = _MAX_SOURCE_WEIGHT * torch.sigmoid(self.mask(x).float())  # [B, 1, H, W]
        if self.pca_decoder is None:
            assert source is not None
            base_weight = base_weight * source.weight.view(-1, 1, 1, 1)
        return torch.lerp(generated, base, base_weight)

    @torch.no_grad()
    def initialize_pca(self, components: PrincipalComponents) -> None:
        """Set the weights of the PCA decoder."""
        set_layer(self.pca_decoder, components.decoder, components.decoder_bias)

    def _base(self, latents: Tensor, attributes: Tensor, source: Source | None) -> Tensor | None:
        """What may stand in the faces, `[B, 3, H, W]`: their sources, or the PCA decoder's."""
        images = source.images if source is not None and self.has_mask else None
        if self.pca_decoder is None:
            return images
        smooth = decode_linear(self.pca_decoder, latents, attributes, self.size)
        if images is None:
            return smooth
        assert source is not None
        return torch.lerp(smooth, images, source.weight.float().view(-1, 1, 1, 1))


def _condition(latents: Tensor, attributes: Tensor, source: Source | None) -> Tensor:
    """Input of the mapping network: all that a face is generated from but for features.

    The change enters here too, not at the gates alone: else the mask knows of it only by what the
    gates let pass, and does not learn to leave a face alone where nothing changes.

    Returns:
        `[B, Z + 2 K + 1]`.
    """
    if source is None:
        change, weight = torch.zeros_like(attributes), attributes.new_zeros(attributes.shape[0], 1)
    else:
        weight = source.weight.to(attributes.dtype).view(-1, 1)
        change = source.change * weight
    return torch.cat([latents, attributes * 2 - 1, change, weight], dim=1)


def _mapping_network(num_inputs: int) -> nn.Sequential:
    """Latents, attributes and change to w."""
    layers: list[nn.Module] = []
    for width in (num_inputs, NUM_MAPPED):
        layer = nn.Linear(width, NUM_MAPPED)
        he_init(layer)
        layers += [layer, nn.LeakyReLU(0.2)]
    return nn.Sequential(*layers)


@torch.no_grad()
def icnr_init(convolution: nn.Conv2d) -> None:
    """ICNR init of a sub-pixel convolution: its four pixels start equal (Aitken et al., 2017).

    Else images start with a checkerboard.
    """
    for values in (convolution.weight, convolution.bias):
        assert values is not None
        values.copy_(values[::4].repeat_interleave(4, dim=0))
