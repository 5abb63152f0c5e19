"""Builds the paper's networks from the settings of a run."""

from twobirds.config import DataConfig
from twobirds.models.initialization import channels_last, require_attributes
from twobirds.models.layers import initialize
from twobirds.randomness import InitialWeights, keyed_generator
from twobirds.recipes.paper.config import PaperConfig
from twobirds.recipes.paper.discriminator import Discriminator
from twobirds.recipes.paper.generator import Generator

_CHANNELS = (64, 128, 256, 512)
_MIN_CHANNELS = 4


def channels(width: float) -> tuple[int, ...]:
    """Channels of D's four convolutions at a width factor, each at least 4."""
    return tuple(max(_MIN_CHANNELS, round(c * width)) for c in _CHANNELS)


def build_generator(recipe: PaperConfig, data: DataConfig, *, seed: int = 0) -> Generator:
    """Build G with its initial weights, a function of the seed.

    Raises:
        InputError: If the configuration names no attributes.
    """
    require_attributes(data)
    generator = Generator(
        num_latents=recipe.num_latents,
        num_attributes=data.num_attributes,
        size=data.size,
        channels=channels(recipe.width)[::-1],
    )
    initialize(generator, keyed_generator(seed, InitialWeights.GENERATOR))
    return channels_last(generator)


def build_discriminator(recipe: PaperConfig, data: DataConfig, *, seed: int = 0) -> Discriminator:
    """Build D and C with their initial weights, a function of the seed.

    Raises:
        InputError: If the configuration names no attributes.
    """
    require_attributes(data)
    discriminator = Discriminator(
        num_latents=recipe.num_latents,
        num_attributes=data.num_attributes,
        size=data.size,
        channels=channels(recipe.width),
        num_shared=recipe.num_shared,
        num_hidden=recipe.num_attribute_hidden,
        has_norm=recipe.discriminator_norm,
    )
    initialize(discriminator, keyed_generator(seed, InitialWeights.DISCRIMINATOR))
    return channels_last(discriminator)
