"""CGAN: a DCGAN whose generator and discriminator both see the attributes (P20; Sec. 5.3.6).

Mirza & Osindero (2014) with the networks of Radford et al. (2016). Without attributes it is DCGAN
itself, the source of the features that a linear SVM classifies (P18).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import Optimizer

from twobirds.checkpoint import CHECKPOINT_FILE, load_run
from twobirds.config import DataConfig, RunConfig
from twobirds.data.loader import Batch, Loader
from twobirds.errors import InputError
from twobirds.losses.adversarial import discriminator_loss, generator_loss
from twobirds.models.layers import LEAKY_SLOPE, BatchNorm, frozen_statistics, frozen_weights
from twobirds.randomness import RandomPurpose, keyed_generator
from twobirds.recipes.baselines.config import CGANConfig, DCGANConfig
from twobirds.recipes.baselines.players import load_networks, prepare, sample_latents
from twobirds.recipes.paper.build import channels
from twobirds.recipes.paper.generator import Generator
from twobirds.runtime import Runtime
from twobirds.training.optimizers import apply_gradients, make_adam
from twobirds.training.schedule import Unscheduled

_GENERATOR, _DISCRIMINATOR = 1, 2  # numbers of the networks, for their initial weights


class ConditionalDiscriminator(nn.Module):
    """Four 5x5 stride-2 convolutions and a score; the attributes join after the first.

    There they serve best, each as a map of one value (Perarnau et al., 2016, Sec. 4.1).

    Args:
        num_attributes: Number K of attributes; 0 makes it DCGAN's.
        size: Height and width of the images, a multiple of 16.
        channels: Channels of the four convolutions.
    """

    def __init__(self, *, num_attributes: int, size: int, channels: tuple[int, ...]) -> None:
        super().__init__()
        inputs = (3, channels[0] + num_attributes, *channels[1:-1])
        self.downsample = nn.ModuleList(
            nn.Conv2d(c_in, c_out, 5, stride=2, padding=2)
            for c_in, c_out in zip(inputs, channels, strict=True)
        )
        self.norms = nn.ModuleList(
            BatchNorm(c) if i else nn.Identity() for i, c in enumerate(channels)
        )
        self.score = nn.Linear(channels[-1] * (size // 16) ** 2, 1)

    def features(self, images: Tensor, attributes: Tensor) -> tuple[Tensor, ...]:
        """Features `[B, C_l, H / 2^l, W / 2^l]` of images `[B, 3, H, W]` in [-1, 1]."""
        features: list[Tensor] = []
        x = images.contiguous(memory_format=torch.channels_last)
        for downsample, norm in zip(self.downsample, self.norms, strict=True):
            if len(features) == 1 and attributes.shape[1]:
                maps = (attributes * 2 - 1)[:, :, None, None].expand(-1, -1, *x.shape[2:])
                x = torch.cat([x, maps], dim=1)  # [B, C_1 + K, H / 2, W / 2]
            x = F.leaky_relu(norm(downsample(x)), LEAKY_SLOPE)
            features.append(x)
        return tuple(features)

    def forward(self, images: Tensor, attributes: Tensor) -> Tensor:
        """Logits `[B]` of images `[B, 3, H, W]` being real faces with `attributes` `[B, K]`."""
        logits: Tensor = self.score(self.features(images, attributes)[-1].flatten(1))
        return logits.squeeze(1)


def build_networks(
    recipe: CGANConfig | DCGANConfig, data: DataConfig
) -> tuple[Generator, ConditionalDiscriminator]:
    """G and D, with weights yet to be set; those of DCGAN see no attributes."""
    widths, num_attributes = channels(recipe.width), num_conditions(recipe, data)
    generator = Generator(
        num_latents=recipe.num_latents,
        num_attributes=num_attributes,
        size=data.size,
        channels=widths[::-1],
    )
    discriminator = ConditionalDiscriminator(
        num_attributes=num_attributes, size=data.size, channels=widths
    )
    return generator, discriminator


def num_conditions(recipe: CGANConfig | DCGANConfig, data: DataConfig) -> int:
    """The number of attributes that G and D see: all of CGAN's, none of DCGAN's."""
    return data.num_attributes if isinstance(recipe, CGANConfig) else 0


class ConditionalGAN(Unscheduled):
    """The min-max game over pairs of a face and its attributes, G's part non-saturating.

    Args:
        config: The run, of recipe `cgan` or `dcgan`; its attributes must be filled.
        runtime: Device and processes.
    """

    def __init__(self, config: RunConfig, runtime: Runtime) -> None:
        assert isinstance(config.recipe, CGANConfig | DCGANConfig)
        self.config, self.recipe, self.runtime = config, config.recipe, runtime
        self.num_attributes = num_conditions(self.recipe, config.data)
        generator, discriminator = build_networks(self.recipe, config.data)
        seed, device = config.train.seed, runtime.device
        self.generator = prepare(generator, seed, _GENERATOR, device)
        self.discriminator = prepare(discriminator, seed, _DISCRIMINATOR, device)
        self.networks: Mapping[str, nn.Module] = {
            "generator": self.generator,
            "discriminator": self.discriminator,
        }
        self._adams = {name: make_adam(net, config.train) for name, net in self.networks.items()}
        self.optimizers: Mapping[str, Optimizer] = self._adams

    def update(self, batch: Batch, loader: Loader, iteration: int) -> dict[str, Tensor]:
        """One update of D, one of G: 3 passes of D, 1 of G."""
        num_latents, device = self.recipe.num_latents, self.runtime.device
        latents = sample_latents(loader, iteration, num_latents, device)  # [B, Z]
        real_attributes = batch.attributes[:, : self.num_attributes]  # [B, K]; [B, 0] of DCGAN
        fake_attributes = loader.fake_attributes(iteration)[:, : self.num_attributes]
        with self.runtime.autocast():
            fakes = self.generator(latents, fake_attributes).float()  # [B, 3, H, W]
            real_logits = self.discriminator(batch.images, real_attributes).float()  # [B]
            with frozen_statistics(self.discriminator):
                fake_logits = self.discriminator(fakes.detach(), fake_attributes).float()
        d_adversarial = discriminator_loss(real_logits, fake_logits)
        d_adversarial.backward()
        apply_gradients(self.discriminator, self._adams["discriminator"])
        with (
            self.runtime.autocast(),
            frozen_weights(self.discriminator),
            frozen_statistics(self.discriminator),
        ):
            fake_logits = self.discriminator(fakes, fake_attributes).float()
        g_adversarial = generator_loss(fake_logits)
        g_adversarial.backward()
        apply_gradients(self.generator, self._adams["generator"])
        return {"d_adversarial": d_adversarial.detach(), "g_adversarial": g_adversarial.detach()}

    @torch.no_grad()
    def sample(self, real_images: Tensor, attributes: Tensor) -> Mapping[str, Tensor]:
        """Faces from a fixed z with the labels of real ones."""
        generator = keyed_generator(self.config.train.seed, RandomPurpose.SAMPLE_GRID)
        shape = (len(real_images), self.recipe.num_latents)
        latents = (torch.rand(shape, generator=generator) * 2 - 1).to(self.runtime.device)
        self.generator.eval()
        fakes = self.generator(latents, attributes[:, : self.num_attributes])
        self.generator.train()
        return {"generated": fakes, "real": real_images}


@dataclass(frozen=True, eq=False)
class ConditionalGenerator:
    """A trained CGAN, or DCGAN without attributes, for evaluation."""

    config: RunConfig
    """The run."""
    generator: Generator
    """In evaluation mode."""
    discriminator: ConditionalDiscriminator
    """In evaluation mode."""
    device: torch.device
    """Where they are."""

    @property
    def num_latents(self) -> int:
        """Length of z."""
        return self.generator.num_latents

    @torch.no_grad()
    def decode(self, latents: Tensor, attributes: Tensor) -> Tensor:
        """Generate `[B, 3, H, W]` in [-1, 1] from z `[B, Z]` and attributes `[B, K]`."""
        images: Tensor = self.generator(latents, attributes)
        return images


def load_conditional_gan(run: Path, device: torch.device) -> ConditionalGenerator:
    """Load what `ConditionalGAN` trained in a folder.

    Raises:
        InputError: If there is no such run, or its weights do not fit.
    """
    path = run / CHECKPOINT_FILE
    config, state = load_run(path)
    if not isinstance(config.recipe, CGANConfig | DCGANConfig):
        raise InputError(f"{path}: is no run of CGAN or DCGAN")
    generator, discriminator = build_networks(config.recipe, config.data)
    load_networks(path, state, {"generator": generator, "discriminator": discriminator}, device)
    return ConditionalGenerator(config, generator, discriminator, device)
