"""The editor: from a face and a change of its attributes to flow, colour and paint."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from twobirds.models.blocks import DownBlock, ModulatedBlock, upsample
from twobirds.models.edit_layers import EditLayers, enlarge, recolour, warp
from twobirds.models.layers import clamp_inward

_STRIDE = 4  # by how much the first grid is coarser than the image
_NUM_MAPPED = 160  # length of the mapping network's output w
_NUM_COLOURS = 6  # gain and offset of three channels
_NUM_FINE, _NUM_PAINT = 32, 32  # channels on the grid of masks and paint
_MAX_FLOW = 0.05  # of half the side
_MAX_COLOUR = 0.6  # gain and offset
_MAX_DETAIL = 0.6  # offset, where it is drawn freely
_MAX_PROTOTYPES = 1.3  # how many prototypes may be added at a place
_CLOSED_MASK = -1.0  # logit of the colour mask at the start
_CLEAR_PAINT = -2.5  # logit of the paint's alpha at the start


class EditorOutput(NamedTuple):
    """An edit, and what it was made of, which the regularizers look at."""

    layers: EditLayers
    """Flow, colour and paint, all on half the image's side."""
    flow: Tensor
    """`[B, 2, h, w]` on the coarse grid."""
    colours: Tensor
    """`[B, 6, h, w]` on the coarse grid: gain and offset of three channels, before the mask."""
    detail: Tensor
    """`[B, 3, H / 2, W / 2]`: the part of the colours' offset that is drawn pixel by pixel."""
    colour_mask: Tensor
    """`[B, 1, H / 2, W / 2]` in [0, 1]: where these colours apply."""
    prototype_mask: Tensor
    """`[B, 1, H / 2, W / 2]` in [0, 1.3]: how much of the prototypes is added where."""


class ChangeConv(nn.Module):
    """A 1x1 convolution whose weights are a sum over the attributes that change.

    Each attribute has weights of its own for being switched on and for being switched off: a fringe
    that comes and a fringe that goes share no pixels.

    Args:
        num_attributes: K.
        in_channels: C.
        out_channels: C'.
        bias: What comes out at the start.
        std: Standard deviation of the initial weights.
    """

    def __init__(
        self,
        num_attributes: int,
        in_channels: int,
        out_channels: int,
        *,
        bias: float | list[float] = 0.0,
        std: float = 0.03,
    ) -> None:
        super().__init__()
        self.shape = out_channels, in_channels
        count = out_channels * in_channels
        self.changes = nn.Parameter(torch.randn(2 * num_attributes, count) * std)
        self.change_biases = nn.Parameter(torch.zeros(2 * num_attributes, out_channels))
        self.common = nn.Parameter(torch.randn(out_channels, in_channels) * std)
        self.bias = nn.Parameter(
            torch.as_tensor(bias, dtype=torch.float32).expand(out_channels).clone()
        )

    def forward(self, x: Tensor, change: Tensor) -> Tensor:
        """Map `[B, C, h, w]` to `[B, C', h, w]`, of changes `[B, 2 K]` not below 0."""
        weights = (change @ self.changes).unflatten(1, self.shape) + self.common  # [B, C', C]
        bias = change @ self.change_biases + self.bias  # [B, C']
        mapped: Tensor = torch.baddbmm(bias[:, :, None], weights, x.flatten(2))
        return mapped.unflatten(2, x.shape[2:])  # type: ignore[no-any-return]


class Editor(nn.Module):
    """A U-Net on a quarter of the image's resolution, with three outputs.

    Flow and colour lie on a coarse grid, masks and paint on one of half the image's side; all are
    enlarged bilinearly, for sub-pixel convolutions leave checkerboards. An edit begins as the
    prototype of its attributes, the mean difference of matched faces that have them and that lack
    them, inside a mask that the network learns for each face.

    Args:
        num_attributes: K.
        size: Height and width of the images.
        channels: Of the grids from a quarter to a thirty-second of the image's side.
    """

    prototypes: Tensor

    def __init__(
        self, *, num_attributes: int, size: int, channels: tuple[int, int, int, int]
    ) -> None:
        super().__init__()
        stem, *deeper = channels
        self.stem = nn.Conv2d(3 * _STRIDE**2, stem, 3, padding=1)
        self.down = nn.ModuleList(
            DownBlock(a, b) for a, b in zip(channels[:-1], deeper, strict=True)
        )
        self.mapping = nn.Sequential(
            nn.Linear(3 * num_attributes, _NUM_MAPPED), nn.LeakyReLU(0.2),
            nn.Linear(_NUM_MAPPED, _NUM_MAPPED), nn.LeakyReLU(0.2),
        )  # fmt: skip
        one, two, three, four = channels
        middle = 16 * round(two / 12)  # 80 at full width, a multiple of 16
        self.up = nn.ModuleList(
            (
                ModulatedBlock(four, four, _NUM_MAPPED),
                ModulatedBlock(four + three, three, _NUM_MAPPED),
                ModulatedBlock(three + two, middle, _NUM_MAPPED),
                ModulatedBlock(2 * one, one, _NUM_MAPPED),
            )
        )
        self.narrow = nn.Conv2d(middle, one, 1)
        self.coarse = ChangeConv(num_attributes, middle, 2 + _NUM_COLOURS, std=0.005)
        self.fine = nn.Conv2d(one, _NUM_FINE, 3, padding=1)
        self.modulation = nn.Linear(_NUM_MAPPED, 2 * _NUM_FINE)
        nn.init.zeros_(self.modulation.weight)
        nn.init.zeros_(self.modulation.bias)
        self.masks = ChangeConv(num_attributes, _NUM_FINE, 2, bias=[_CLOSED_MASK, 0.0])
        self.finest = nn.Conv2d(_NUM_FINE + 3, _NUM_PAINT, 3, padding=1)
        self.paint = ChangeConv(
            num_attributes, _NUM_PAINT, 4, bias=[0.0, 0.0, 0.0, _CLEAR_PAINT], std=0.05
        )
        self.detail = ChangeConv(num_attributes, _NUM_PAINT, 3, std=0.005)
        self.register_buffer("prototypes", torch.zeros(num_attributes, 3, size // 2, size // 2))

    def forward(self, images: Tensor, change: Tensor, target: Tensor) -> EditorOutput:
        """Decide how to edit faces.

        Args:
            images: `[B, 3, H, W]` float32 in [-1, 1].
            change: `[B, K]` in [-1, 1]: the attributes wanted less those the faces have.
            target: `[B, K]` in [0, 1]: the attributes wanted.
        """
        signed = torch.cat([change.clamp(min=0), (-change).clamp(min=0)], dim=1)  # [B, 2 K]
        w = self.mapping(torch.cat([signed * 2, target * 2 - 1], dim=1))
        coarse, fine = self._unet(images, w)
        grids = _smooth(self.coarse(F.silu(coarse), signed))
        flow = _MAX_FLOW * torch.tanh(grids[:, :2].float())
        flow = flow - flow.mean((2, 3), keepdim=True)  # a shift of the whole face is no edit
        colours = _MAX_COLOUR * torch.tanh(grids[:, 2:].float())
        scale, shift = self.modulation(w)[:, :, None, None].chunk(2, dim=1)
        fine = F.silu(upsample(self.fine(F.silu(fine))) * (1 + scale) + shift)
        masks = torch.sigmoid(self.masks(fine, signed).float())
        half = F.avg_pool2d(images, 2)
        finest = F.silu(self.finest(torch.cat([fine, half], dim=1)))
        painted = self.paint(finest, signed).float()
        detail = _MAX_DETAIL * torch.tanh(self.detail(finest, signed).float())
        alpha = torch.sigmoid(painted[:, 3:])
        colour_mask, prototype_mask = masks[:, :1], _MAX_PROTOTYPES * masks[:, 1:]
        gain, offset = (enlarge(colours, *half.shape[2:]) * colour_mask).chunk(2, dim=1)
        with torch.autocast(images.device.type, enabled=False):  # smooth: 8 bits would show
            prototypes = torch.einsum("bk,kchw->bchw", change, self.prototypes)
        offset = offset + prototype_mask * prototypes + detail
        moved = enlarge(flow, *half.shape[2:])
        # Colours are relative to the edit so far: at the start paint alters nothing, and its alpha
        # is not driven to zero before the colours are of use.
        below = recolour(warp(half.float(), moved), gain, offset)
        paint = clamp_inward(below + painted[:, :3], -1, 1) * alpha
        layers = EditLayers(moved, gain, offset, paint, alpha)
        return EditorOutput(layers, flow, colours, detail, colour_mask, prototype_mask)

    def _unet(self, images: Tensor, w: Tensor) -> tuple[Tensor, Tensor]:
        """Features on an eighth and on a quarter of the image's side."""
        x = F.pixel_unshuffle(images.contiguous(), _STRIDE)
        x = self.stem(x.contiguous(memory_format=torch.channels_last))
        skips = [x]
        for block in self.down:
            skips.append(block(skips[-1]))
        x = self.up[0](skips.pop(), w)
        for block in (self.up[1], self.up[2]):
            x = block(torch.cat([upsample(x), skips.pop()], dim=1), w)
        return x, self.up[3](torch.cat([upsample(self.narrow(x)), skips.pop()], dim=1), w)


def _smooth(grid: Tensor) -> Tensor:
    """The mean of each place and its eight neighbours, `[B, C, h, w]`."""
    return F.avg_pool2d(F.pad(grid, (1, 1, 1, 1), mode="replicate"), 3, stride=1)
