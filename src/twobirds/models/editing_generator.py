"""The modern generator: faces from codes, or edits of a face by way of its features."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from twobirds.models.eigenfaces import Eigenfaces, draw_sketch, drawing_layer, set_layer
from twobirds.models.residual import ModulatedBlock, group_norm, keep_scale, upsample

NUM_STYLE = 256
"""Length of the style that codes and attributes become."""
_NUM_FINE = 16  # channels on the grid of the pixels
_MOST_KEPT = 0.95  # of a pixel: where all stood, what is drawn would no longer be learned


class Source(NamedTuple):
    """The faces that an edit starts from."""

    images: Tensor
    """`[B, 3, H, W]` in [-1, 1]."""
    features: Sequence[Tensor]
    """What the encoder keeps of them, coarse to fine, each `[B, F, h, w]`."""
    change: Tensor
    """`[B, K]`: the attributes wanted less those they have, in [-1, 1] times the strength."""
    weight: Tensor
    """`[B]`: 1 for an edit of the face, 0 for a face from its code alone."""


class SelectiveSkip(nn.Module):
    """Takes from an encoder's features what a change of attributes leaves standing.

    A gate for every place and channel, which sees what G drew, the features and the change (after
    the selective transfer units of STGAN, Liu et al., 2019).

    Args:
        channels: C of what G drew.
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

    A style of z, attributes and their change modulates residual blocks on grids of 4x4 up to half
    the image's, whose channels are then spread out over the pixels (Shi et al., 2016): convolutions
    of many channels on few places are what processors are fast at. Given a source, its features
    come in through gates, and a mask says where the drawn face replaces the source's pixels (as in
    GANimation, Pumarola et al., 2018). With eigenfaces a face from its code alone starts from
    something, too: a sketch that a linear layer makes of the code, which the convolutions also see.

    Args:
        num_latents: Z.
        num_attributes: K.
        size: Height and width of the images, a power of two.
        channels: Of each grid, from 4x4 to half the image's.
        skips: Grid (height) and number of the encoder's features there, coarse to fine.
        has_mask: Whether pixels of the source may stand.
        has_eigenfaces: Whether faces from their code alone start from a sketch.
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
        has_eigenfaces: bool = False,
    ) -> None:
        super().__init__()
        self.style = _style(num_latents + 2 * num_attributes + 1)
        self.base = nn.Linear(NUM_STYLE, channels[0] * 16)
        self.blocks = nn.ModuleList(
            ModulatedBlock(c_in, c_out, NUM_STYLE)
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
        self.spread = nn.Conv2d(channels[-1], 4 * _NUM_FINE, 3, padding=1)
        _begin_alike(self.spread)
        self.pixels = nn.Conv2d(_NUM_FINE, 3, 3, padding=1)
        # Apart from the pixels: in stage 1 it has no gradients; zeros would make Adam count steps.
        has_base = has_mask or has_eigenfaces
        self.mask = nn.Conv2d(_NUM_FINE, 1, 3, padding=1) if has_base else None
        self.size, self.has_mask = size, has_mask
        self.eigenfaces = self.look = None
        if has_eigenfaces:
            self.eigenfaces = drawing_layer(num_latents, num_attributes)
            self.look = nn.Conv2d(3, channels[-2], 3, padding=1, bias=False)
            nn.init.zeros_(self.look.weight)

    def forward(self, latents: Tensor, attributes: Tensor, source: Source | None = None) -> Tensor:
        """Draw faces.

        Args:
            latents: `[B, Z]` in [-1, 1].
            attributes: `[B, K]` in [0, 1]: what the faces shall have.
            source: What to start from; None draws from the code alone.

        Returns:
            `[B, 3, H, W]` float32 in [-1, 1].
        """
        style = self.style(_described(latents, attributes, source))  # [B, Y]
        base = self._base(latents, attributes, source)
        x = self.base(style).unflatten(1, (-1, 4, 4))
        x = x.contiguous(memory_format=torch.channels_last)
        features = {f.shape[-1]: f for f in source.features} if source is not None else {}
        for i, block in enumerate(self.blocks):
            x = upsample(x) if i else x
            if self.look is not None and block is self.blocks[-1]:
                assert base is not None
                x = x + self.look(F.avg_pool2d(base, 2).to(x.dtype))
            x = block(x, style)
            if source is not None and str(x.shape[-1]) in self.skips:
                skip = self.skips[str(x.shape[-1])]
                x = skip(x, features[x.shape[-1]], source.change, source.weight)
        x = F.pixel_shuffle(self.spread(F.silu(self.norm(x))), 2)  # [B, fine, H, W]
        x = F.silu(x)
        drawn = torch.tanh(self.pixels(x).float())
        if base is None or self.mask is None:
            return drawn
        keeps = _MOST_KEPT * torch.sigmoid(self.mask(x).float())  # [B, 1, H, W]
        if self.eigenfaces is None:
            assert source is not None
            keeps = keeps * source.weight.view(-1, 1, 1, 1)
        return torch.lerp(drawn, base, keeps)

    @torch.no_grad()
    def begin_with_eigenfaces(self, found: Eigenfaces) -> None:
        """Let sketches be what the eigenfaces say."""
        set_layer(self.eigenfaces, found.draw, found.draw_bias)

    def _base(self, latents: Tensor, attributes: Tensor, source: Source | None) -> Tensor | None:
        """What may stand in the faces drawn, `[B, 3, H, W]`: their sources, or sketches."""
        images = source.images if source is not None and self.has_mask else None
        if self.eigenfaces is None:
            return images
        sketch = draw_sketch(self.eigenfaces, latents, attributes, self.size)
        if images is None:
            return sketch
        assert source is not None
        return torch.lerp(sketch, images, source.weight.float().view(-1, 1, 1, 1))


def _described(latents: Tensor, attributes: Tensor, source: Source | None) -> Tensor:
    """All that a face is drawn from but for features: `[B, Z + 2 K + 1]`.

    What changes is said here too, not to the gates alone: else the mask knows of it only by what
    the gates let pass, and does not learn to leave a face alone where nothing changes.
    """
    if source is None:
        change, weight = torch.zeros_like(attributes), attributes.new_zeros(len(attributes), 1)
    else:
        weight = source.weight.to(attributes.dtype).view(-1, 1)
        change = source.change * weight
    return torch.cat([latents, attributes * 2 - 1, change, weight], dim=1)


def _style(num_described: int) -> nn.Sequential:
    """All that a face is drawn from to its style."""
    layers: list[nn.Module] = []
    for width in (num_described, NUM_STYLE):
        layer = nn.Linear(width, NUM_STYLE)
        keep_scale(layer)
        layers += [layer, nn.LeakyReLU(0.2)]
    return nn.Sequential(*layers)


@torch.no_grad()
def _begin_alike(spread: nn.Conv2d) -> None:
    """Let a place's four pixels begin alike, else images begin chequered (Aitken et al., 2017)."""
    for values in (spread.weight, spread.bias):
        assert values is not None
        values.copy_(values[::4].repeat_interleave(4, dim=0))
