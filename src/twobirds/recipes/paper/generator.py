"""The generator (P6; Sec. 4)."""

import torch
from torch import Tensor, nn

from twobirds.models.layers import BatchNorm


class Generator(nn.Module):
    """z and attributes to an image: a fully connected layer and four 5x5 transposed convolutions.

    Args:
        num_latents: Length of z.
        num_attributes: Number of attributes.
        size: Height and width of the images, a multiple of 16.
        channels: Channels of the first four grids, the paper's (512, 256, 128, 64).
    """

    def __init__(
        self, *, num_latents: int, num_attributes: int, size: int, channels: tuple[int, ...]
    ) -> None:
        super().__init__()
        # Paper: "8584" units and [5, 5, 512]. Here: size/16 squared grids (ADR 1).
        self.grid = size // 16
        self.channels, self.num_latents = channels, num_latents
        self.project = nn.Linear(num_latents + num_attributes, channels[0] * self.grid**2)
        self.norms = nn.ModuleList(BatchNorm(c) for c in channels)
        self.upsample = nn.ModuleList(
            # 5x5 with stride 2 that exactly doubles: padding 2, one row and column more.
            nn.ConvTranspose2d(c_in, c_out, 5, stride=2, padding=2, output_padding=1)
            for c_in, c_out in zip(channels, (*channels[1:], 3), strict=True)
        )

    def forward(self, latents: Tensor, attributes: Tensor) -> Tensor:
        """Generate images.

        Args:
            latents: `[B, Z]` float32 in [-1, 1].
            attributes: `[B, K]` float32 in [0, 1].

        Returns:
            `[B, 3, H, W]` in [-1, 1].
        """
        # Attributes enter as -1 and 1, as the paper's Table 3 writes them and as z is spread.
        codes = torch.cat([latents, attributes * 2 - 1], dim=1)  # [B, Z + K]
        x = self.project(codes).view(-1, self.channels[0], self.grid, self.grid)
        x = x.contiguous(memory_format=torch.channels_last)
        for norm, upsample in zip(self.norms, self.upsample, strict=True):
            x = upsample(torch.relu(norm(x)))
        return torch.tanh(x)
