"""CycleGAN's generators, discriminators and image buffer (Zhu et al., 2017, appendix 7.2)."""

import torch
from torch import Tensor, nn

from twobirds.models.layers import LEAKY_SLOPE
from twobirds.recipes.baselines.config import CycleGANConfig

WITHOUT, WITH = "without", "with"
"""The two domains: faces without the attribute, and faces with it."""
DOMAINS = (WITHOUT, WITH)
"""Both, in the order in which networks are built."""


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions with instance norm and reflected borders beside an identity."""

    def __init__(self, num_channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.ReflectionPad2d(1),
            nn.Conv2d(num_channels, num_channels, 3),
            nn.InstanceNorm2d(num_channels),
            nn.ReLU(),
            nn.ReflectionPad2d(1),
            nn.Conv2d(num_channels, num_channels, 3),
            nn.InstanceNorm2d(num_channels),
        )

    def forward(self, images: Tensor) -> Tensor:
        """Map `[B, C, H, W]` to the same shape."""
        mapped: Tensor = images + self.body(images)
        return mapped


class ResidualGenerator(nn.Module):
    """7x7, two down, residual blocks, two up, 7x7 and tanh (their appendix 7.2).

    Args:
        num_channels: Channels of the first convolution, theirs 64.
        num_blocks: Residual blocks, theirs 6 up to 128 px.
    """

    def __init__(self, *, num_channels: int, num_blocks: int) -> None:
        super().__init__()
        c = num_channels
        layers: list[nn.Module] = [nn.ReflectionPad2d(3), nn.Conv2d(3, c, 7), *_norm_relu(c)]
        for width in (c, 2 * c):
            layers += [nn.Conv2d(width, 2 * width, 3, 2, 1), *_norm_relu(2 * width)]
        layers += [ResidualBlock(4 * c) for _ in range(num_blocks)]
        for width in (4 * c, 2 * c):
            up = nn.ConvTranspose2d(width, width // 2, 3, 2, 1, output_padding=1)
            layers += [up, *_norm_relu(width // 2)]
        layers += [nn.ReflectionPad2d(3), nn.Conv2d(c, 3, 7), nn.Tanh()]
        self.layers = nn.Sequential(*layers)

    def forward(self, images: Tensor) -> Tensor:
        """Translate `[B, 3, H, W]` in [-1, 1] to the other domain; same shape and range."""
        translated: Tensor = self.layers(images.contiguous(memory_format=torch.channels_last))
        return translated


class PatchDiscriminator(nn.Module):
    """A score for every patch of 70 pixels, from 4x4 convolutions (their appendix 7.2)."""

    def __init__(self, num_channels: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        c_in = 3
        for i, stride in enumerate((2, 2, 2, 1)):
            c_out = num_channels * 2**i
            layers.append(nn.Conv2d(c_in, c_out, 4, stride, 1))
            layers += [nn.InstanceNorm2d(c_out)] if i else []
            layers.append(nn.LeakyReLU(LEAKY_SLOPE))
            c_in = c_out
        self.layers = nn.Sequential(*layers, nn.Conv2d(c_in, 1, 4, 1, 1))

    def forward(self, images: Tensor) -> Tensor:
        """Scores `[B, 1, H', W']` of images `[B, 3, H, W]`; real patches aim at 1, fakes at 0."""
        scores: Tensor = self.layers(images.contiguous(memory_format=torch.channels_last))
        return scores


class ImageBuffer(nn.Module):
    """Earlier fakes, half of which are shown to D in place of new ones (their Sec. 4).

    Its images are buffers of a module so that a checkpoint holds them.

    Args:
        num_images: How many it keeps.
        size: Height and width of the images in pixels.
    """

    images: Tensor
    count: Tensor

    def __init__(self, num_images: int, size: int) -> None:
        super().__init__()
        self.register_buffer("images", torch.zeros(num_images, 3, size, size))
        self.register_buffer("count", torch.zeros((), dtype=torch.long))

    @torch.no_grad()
    def swap(self, fakes: Tensor, generator: torch.Generator) -> Tensor:
        """Store new fakes `[B, 3, H, W]`; give back those or, for half of them, stored ones."""
        shown = fakes.detach().clone()
        for i, fake in enumerate(fakes.detach()):
            filled, capacity = int(self.count), len(self.images)
            if filled < capacity:
                self.images[filled] = fake
                self.count += 1
            elif torch.rand((), generator=generator) < 0.5:
                place = int(torch.randint(capacity, (), generator=generator))
                shown[i] = self.images[place]
                self.images[place] = fake
        return shown


def build_networks(recipe: CycleGANConfig) -> dict[str, nn.Module]:
    """Both generators and both discriminators, by name."""
    return {
        **{
            f"to_{domain}": ResidualGenerator(
                num_channels=recipe.num_channels, num_blocks=recipe.num_blocks
            )
            for domain in (WITHOUT, WITH)
        },
        **{f"is_{domain}": PatchDiscriminator(recipe.num_channels) for domain in (WITHOUT, WITH)},
    }


def _norm_relu(num_channels: int) -> list[nn.Module]:
    return [nn.InstanceNorm2d(num_channels), nn.ReLU()]
