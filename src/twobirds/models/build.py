"""The only place where configuration becomes constructor arguments."""

import torch

from twobirds.config import ModelConfig
from twobirds.errors import InputError
from twobirds.models.discriminator import Discriminator
from twobirds.models.generator import Generator
from twobirds.models.layers import initialize
from twobirds.runtime import keyed_generator

_CHANNELS = (64, 128, 256, 512)
_GENERATOR, _DISCRIMINATOR = 1, 2  # keys of the two networks' initial weights


def channels(width: float) -> tuple[int, ...]:
    """Channels of D's four convolutions at a width factor, each at least 4."""
    return tuple(max(4, round(c * width)) for c in _CHANNELS)


def build_generator(config: ModelConfig, *, seed: int = 0) -> Generator:
    """Build G with its initial weights, a function of the seed.

    Raises:
        InputError: If the configuration names no attributes.
    """
    _require_attributes(config)
    generator = Generator(
        num_latents=config.num_latents,
        num_attributes=config.num_attributes,
        size=config.size,
        channels=channels(config.width)[::-1],
    )
    initialize(generator, keyed_generator(seed, _GENERATOR))
    return generator.to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]


def build_discriminator(config: ModelConfig, *, seed: int = 0) -> Discriminator:
    """Build D and C with their initial weights, a function of the seed.

    Raises:
        InputError: If the configuration names no attributes.
    """
    _require_attributes(config)
    discriminator = Discriminator(
        num_latents=config.num_latents,
        num_attributes=config.num_attributes,
        size=config.size,
        channels=channels(config.width),
        num_shared=config.num_shared,
        num_hidden=config.num_attribute_hidden,
        has_norm=config.discriminator_norm,
    )
    initialize(discriminator, keyed_generator(seed, _DISCRIMINATOR))
    return discriminator.to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]


def _require_attributes(config: ModelConfig) -> None:
    if not config.attributes:
        raise InputError("the model configuration names no attributes")
