"""The only place where configuration becomes constructor arguments."""

import contextlib
from collections.abc import Iterable, Iterator
from typing import TypeVar

import torch
from torch import nn

from twobirds.config import ModelConfig, ModernConfig, RunConfig
from twobirds.errors import InputError
from twobirds.models.discriminator import Discriminator
from twobirds.models.editing_generator import EditingGenerator
from twobirds.models.encoder import Encoder
from twobirds.models.generator import Generator
from twobirds.models.layers import initialize
from twobirds.models.networks import ModernNetworks, PaperNetworks
from twobirds.models.projection_discriminator import ProjectionDiscriminator
from twobirds.models.recognizer import AttributeRecognizer, PersonHead
from twobirds.randomness import InitialWeights, keyed_generator

T = TypeVar("T", bound=nn.Module)
_CHANNELS = (64, 128, 256, 512)
_MODERN_CHANNELS = {4: 384, 8: 384, 16: 256, 32: 128, 64: 64}
"""Of the modern G and D by grid."""
_ENCODER_CHANNELS = {4: 256, 8: 256, 16: 128, 32: 64, 64: 32}
_RECOGNIZER_CHANNELS = (96, 240, 400, 640)
_LEAST_CHANNELS = 8


def channels(width: float) -> tuple[int, ...]:
    """Channels of D's four convolutions at a width factor, each at least 4."""
    return tuple(max(4, round(c * width)) for c in _CHANNELS)


def build_networks(config: RunConfig) -> PaperNetworks | ModernNetworks:
    """Build what inference needs of a run's networks.

    Raises:
        InputError: If the configuration names no attributes.
    """
    model = config.model
    if config.modern is None:
        return PaperNetworks(build_generator(model), build_discriminator(model))
    return ModernNetworks(
        build_editing_generator(model, config.modern),
        build_encoder(model, config.modern),
        build_recognizer(model),
    )


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
    initialize(generator, keyed_generator(seed, InitialWeights.GENERATOR))
    return _channels_last(generator)


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
    initialize(discriminator, keyed_generator(seed, InitialWeights.DISCRIMINATOR))
    return _channels_last(discriminator)


def build_editing_generator(
    config: ModelConfig, modern: ModernConfig, *, seed: int = 0
) -> EditingGenerator:
    """Build the modern G with its initial weights, a function of the seed.

    Raises:
        InputError: If the configuration names no attributes.
    """
    _require_attributes(config)
    grids = _grids(config.size // 2)
    skip = config.size // 4  # finer features would copy the source before an edit is learned
    with _seeded(seed, InitialWeights.GENERATOR):
        return _channels_last(
            EditingGenerator(
                num_latents=config.num_latents,
                num_attributes=config.num_attributes,
                size=config.size,
                channels=_scaled(config.width, (_MODERN_CHANNELS[grid] for grid in grids)),
                skips=[(skip, _scaled(config.width, [_ENCODER_CHANNELS[skip]])[0])]
                if modern.has_skips
                else [],
                has_mask=modern.has_skips and modern.has_mask,
                has_eigenfaces=modern.has_eigenfaces,
            )
        )


def build_projection_discriminator(
    config: ModelConfig, *, seed: int = 0
) -> ProjectionDiscriminator:
    """Build the modern D with its initial weights, a function of the seed.

    Raises:
        InputError: If the configuration names no attributes.
    """
    _require_attributes(config)
    channels = _scaled(config.width, (_MODERN_CHANNELS[grid] for grid in _grids(config.size // 2)))
    with _seeded(seed, InitialWeights.DISCRIMINATOR):
        return _channels_last(
            ProjectionDiscriminator(num_attributes=config.num_attributes, channels=channels[::-1])
        )


def build_encoder(config: ModelConfig, modern: ModernConfig, *, seed: int = 0) -> Encoder:
    """Build the modern encoder with its initial weights, a function of the seed."""
    grids = _grids(config.size // 2)
    channels = _scaled(config.width, (_ENCODER_CHANNELS[grid] for grid in grids))
    with _seeded(seed, InitialWeights.ENCODER):
        return _channels_last(
            Encoder(
                num_latents=config.num_latents,
                channels=channels[::-1],
                has_eigenfaces=modern.has_eigenfaces,
            )
        )


def build_recognizer(
    config: ModelConfig, *, seed: int = 0, is_guide: bool = False
) -> AttributeRecognizer:
    """Build the modern recognizer, or the guide of training, alike but for its initial weights.

    Raises:
        InputError: If the configuration names no attributes.
    """
    _require_attributes(config)
    with _seeded(seed, InitialWeights.ROBUST_CLASSIFIER if is_guide else InitialWeights.RECOGNIZER):
        return _channels_last(
            AttributeRecognizer(
                num_attributes=config.num_attributes,
                size=config.size,
                channels=_scaled(config.width, _RECOGNIZER_CHANNELS),
            )
        )


def build_person_head(config: ModelConfig, num_people: int, *, seed: int = 0) -> PersonHead:
    """Build what tells people apart on the recognizer's features, a function of the seed."""
    with _seeded(seed, InitialWeights.PERSON_HEAD):
        return PersonHead(_scaled(config.width, _RECOGNIZER_CHANNELS)[-1], num_people)


def _grids(size: int) -> list[int]:
    """Heights of the grids from 4x4 to an image's."""
    return [4 << i for i in range(size.bit_length() - 2)]


def _scaled(width: float, channels: Iterable[int]) -> tuple[int, ...]:
    """Channels at a width factor, multiples of 8."""
    return tuple(max(1, round(c * width / _LEAST_CHANNELS)) * _LEAST_CHANNELS for c in channels)


@contextlib.contextmanager
def _seeded(seed: int, network: int) -> Iterator[None]:
    """Draw torch's own initial weights from a seed, and leave its random numbers as they were."""
    with torch.random.fork_rng(devices=[]):
        # Not torch.manual_seed, which would seed CUDA too.
        torch.default_generator.manual_seed(keyed_generator(seed, network).initial_seed() % 2**63)
        yield


def _channels_last(network: T) -> T:
    return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]


def _require_attributes(config: ModelConfig) -> None:
    if not config.attributes:
        raise InputError("the model configuration names no attributes")
