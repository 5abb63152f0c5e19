"""Residual blocks with group norm."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

_GROUP_CHANNELS = 16  # channels that are normalized together, at least


def group_norm(channels: int, *, affine: bool = True) -> nn.GroupNorm:
    """Group norm with groups of 16 channels or more (Wu and He, 2018)."""
    groups = max(1, channels // _GROUP_CHANNELS)
    while channels % groups:
        groups -= 1
    return nn.GroupNorm(groups, channels, affine=affine)


@torch.no_grad()
def he_init(layer: nn.Conv2d | nn.Linear) -> None:
    """He init: weights that keep the scale of the inputs (He et al., 2015).

    torch's own shrink it layer by layer: a network without norm starts nearly constant.

    Args:
        layer: The layer, after a (leaky) ReLU; its bias is set to zero.
    """
    nn.init.normal_(layer.weight, std=math.sqrt(2) / math.sqrt(layer.weight[0].numel()))
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)


def upsample(x: Tensor) -> Tensor:
    """Double height and width of `[B, C, H, W]`; bilinear, for nearest leaves a visible grid."""
    return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)


class ModulatedBlock(nn.Module):
    """Two 3x3 convolutions with adaptive group norm, beside a shortcut.

    Scale and shift come from the mapping network's w (Dhariwal and Nichol, 2021). The last
    convolution is initialized to zero: the block starts as its shortcut (R3GAN, Huang et al.,
    2024).

    Args:
        in_channels: C of what comes in.
        out_channels: C' of what goes out.
        num_mapped: Length W of the mapping network's output w.
    """

    def __init__(self, in_channels: int, out_channels: int, num_mapped: int) -> None:
        super().__init__()
        self.norms = nn.ModuleList(group_norm(c, affine=False) for c in (in_channels, out_channels))
        self.modulations = nn.ModuleList(
            nn.Linear(num_mapped, 2 * c) for c in (in_channels, out_channels)
        )
        self.convolutions = nn.ModuleList(
            nn.Conv2d(c, out_channels, 3, padding=1) for c in (in_channels, out_channels)
        )
        self.shortcut: nn.Module = nn.Identity()
        if in_channels != out_channels:
            self.shortcut = nn.Conv2d(in_channels, out_channels, 1, bias=False)
        last = self.convolutions[1]
        assert isinstance(last, nn.Conv2d)
        assert last.bias is not None
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        """Map `[B, C, H, W]` and w `[B, W]` to `[B, C', H, W]`."""
        h = x
        for norm, modulate, convolution in zip(
            self.norms, self.modulations, self.convolutions, strict=True
        ):
            scale, shift = modulate(w)[:, :, None, None].chunk(2, dim=1)  # [B, C, 1, 1] each
            h = convolution(F.silu(torch.addcmul(shift, norm(h), 1 + scale)))
        return self.shortcut(x) + h  # type: ignore[no-any-return]


class DownBlock(nn.Module):
    """Halves height and width: two 3x3 convolutions with leaky ReLU, beside a shortcut.

    Group norm comes before the activations.

    Args:
        in_channels: C of what comes in.
        out_channels: C' of what goes out.
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.norms = nn.ModuleList(group_norm(in_channels) for _ in range(2))
        self.first = nn.Conv2d(in_channels, in_channels, 3, padding=1)
        self.second = nn.Conv2d(in_channels, out_channels, 3, padding=1)
        self.shortcut = nn.Conv2d(in_channels, out_channels, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Map `[B, C, H, W]` to `[B, C', H / 2, W / 2]`."""
        h = self.first(F.leaky_relu(self.norms[0](x), 0.2))
        h = F.avg_pool2d(h, 2)  # before the second convolution: a quarter of its cost
        h = self.second(F.leaky_relu(self.norms[1](h), 0.2))
        return self.shortcut(F.avg_pool2d(x, 2)) + h  # type: ignore[no-any-return]
