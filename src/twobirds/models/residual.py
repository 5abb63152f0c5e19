"""Residual blocks without batch norm, of the modern networks."""

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
def keep_scale(layer: nn.Conv2d | nn.Linear, *, gain: float = math.sqrt(2)) -> None:
    """Begin with weights that give outputs the scale of the inputs (He et al., 2015).

    torch's own shrink them layer by layer, and what has no norm begins nearly constant.

    Args:
        layer: To begin anew, without bias.
        gain: 1 behind nothing, the square root of 2 behind a (leaky) ReLU.
    """
    nn.init.normal_(layer.weight, std=gain / math.sqrt(layer.weight[0].numel()))
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)


def upsample(x: Tensor) -> Tensor:
    """Double height and width of `[B, C, H, W]`, smoothly: repeated pixels would show as a grid."""
    return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)


class ModulatedBlock(nn.Module):
    """Two 3x3 convolutions whose normalized input a style scales and shifts, beside a shortcut.

    The last convolution begins at zero, so that the block begins as its shortcut (R3GAN, Huang et
    al., 2024; the modulation is adaptive group norm, Dhariwal and Nichol, 2021).

    Args:
        in_channels: C of what comes in.
        out_channels: C' of what goes out.
        num_style: Length Y of the style.
    """

    def __init__(self, in_channels: int, out_channels: int, num_style: int) -> None:
        super().__init__()
        self.norms = nn.ModuleList(group_norm(c, affine=False) for c in (in_channels, out_channels))
        self.styles = nn.ModuleList(
            nn.Linear(num_style, 2 * c) for c in (in_channels, out_channels)
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

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        """Map `[B, C, H, W]` and a style `[B, Y]` to `[B, C', H, W]`."""
        h = x
        for norm, to_scale, convolution in zip(
            self.norms, self.styles, self.convolutions, strict=True
        ):
            scale, shift = to_scale(style)[:, :, None, None].chunk(2, dim=1)  # [B, C, 1, 1] each
            h = convolution(F.silu(torch.addcmul(shift, norm(h), 1 + scale)))
        return self.shortcut(x) + h  # type: ignore[no-any-return]


class DownBlock(nn.Module):
    """Halves height and width: two 3x3 convolutions with leaky ReLU, beside a shortcut.

    Args:
        in_channels: C of what comes in.
        out_channels: C' of what goes out.
        has_norm: Whether there is group norm before the activations; a discriminator has none.
    """

    def __init__(self, in_channels: int, out_channels: int, *, has_norm: bool) -> None:
        super().__init__()
        self.norms = nn.ModuleList(
            group_norm(in_channels) if has_norm else nn.Identity() for _ in range(2)
        )
        self.first = nn.Conv2d(in_channels, in_channels, 3, padding=1)
        self.second = nn.Conv2d(in_channels, out_channels, 3, padding=1)
        self.shortcut = nn.Conv2d(in_channels, out_channels, 1, bias=False)
        if not has_norm:
            keep_scale(self.first)
            keep_scale(self.second, gain=math.sqrt(0.5))  # beside the shortcut
            keep_scale(self.shortcut, gain=1)

    def forward(self, x: Tensor) -> Tensor:
        """Map `[B, C, H, W]` to `[B, C', H / 2, W / 2]`."""
        h = self.first(F.leaky_relu(self.norms[0](x), 0.2))
        h = F.avg_pool2d(h, 2)  # before the second convolution: a quarter of its cost
        h = self.second(F.leaky_relu(self.norms[1](h), 0.2))
        return self.shortcut(F.avg_pool2d(x, 2)) + h  # type: ignore[no-any-return]
