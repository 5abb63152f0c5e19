"""Builds the networks of recipe `modern` from the settings of a run."""

from collections.abc import Iterable

from twobirds.config import DataConfig
from twobirds.models.initialization import channels_last, require_attributes, seeded
from twobirds.randomness import InitialWeights
from twobirds.recipes.modern.config import ModernConfig
from twobirds.recipes.modern.discriminator import ProjectedDiscriminator
from twobirds.recipes.modern.editor import Editor
from twobirds.recipes.modern.encoder import Encoder
from twobirds.recipes.modern.feature_means import FeatureMeans
from twobirds.recipes.modern.generator import Generator
from twobirds.recipes.modern.prototypes import Prototypes
from twobirds.recipes.modern.recognizer import LiteRecognizer

FEATURE_CHANNELS = (24, 40, 112, 320)
"""Of EfficientNet-lite0 at strides 4, 8, 16 and 32."""
_EDITOR_CHANNELS = (48, 64, 128, 192)
_GENERATOR_CHANNELS = {4: 192, 8: 192, 16: 128, 32: 64, 64: 32}
_ENCODER_CHANNELS = {4: 96, 8: 96, 16: 64, 32: 32, 64: 16}
_CHANNEL_MULTIPLE = 16


def build_editor(recipe: ModernConfig, data: DataConfig, *, seed: int = 0) -> Editor:
    """Build the editor with its initial weights, a function of the seed.

    Raises:
        InputError: If the configuration names no attributes.
    """
    require_attributes(data)
    one, two, three, four = _scaled(recipe.width, _EDITOR_CHANNELS)
    with seeded(seed, InitialWeights.EDITOR):
        return channels_last(
            Editor(
                num_attributes=data.num_attributes,
                size=data.size,
                channels=(one, two, three, four),
            )
        )


def build_generator(recipe: ModernConfig, data: DataConfig, *, seed: int = 0) -> Generator:
    """Build G with its initial weights, a function of the seed."""
    require_attributes(data)
    channels = _scaled(recipe.width, (_GENERATOR_CHANNELS[g] for g in _grids(data.size // 2)))
    with seeded(seed, InitialWeights.GENERATOR):
        return channels_last(
            Generator(
                num_latents=recipe.num_latents,
                num_attributes=data.num_attributes,
                size=data.size,
                channels=channels,
            )
        )


def build_encoder(recipe: ModernConfig, data: DataConfig, *, seed: int = 0) -> Encoder:
    """Build the encoder with its initial weights, a function of the seed."""
    require_attributes(data)
    channels = _scaled(recipe.width, (_ENCODER_CHANNELS[g] for g in _grids(data.size // 2)))
    with seeded(seed, InitialWeights.ENCODER):
        return channels_last(
            Encoder(
                num_latents=recipe.num_latents,
                num_attributes=data.num_attributes,
                channels=channels[::-1],
            )
        )


def build_recognizer(recipe: ModernConfig, data: DataConfig, *, seed: int = 0) -> LiteRecognizer:
    """Build the recognizer; its classifier is a function of the seed, the rest is not set yet."""
    require_attributes(data)
    with seeded(seed, InitialWeights.RECOGNIZER):
        return channels_last(
            LiteRecognizer(
                num_attributes=data.num_attributes, enlargement=recipe.recognizer_enlargement
            )
        )


def build_discriminator(
    data: DataConfig, *, seed: int = 0, key: InitialWeights = InitialWeights.DISCRIMINATOR
) -> ProjectedDiscriminator:
    """Build D of edits, or D of generated faces; only their initial weights differ."""
    with seeded(seed, key):
        return channels_last(
            ProjectedDiscriminator(
                feature_channels=FEATURE_CHANNELS, num_attributes=data.num_attributes
            )
        )


def build_prototypes(data: DataConfig) -> Prototypes:
    """Build the prototypes, to be fitted to the train split."""
    return Prototypes(feature_channels=FEATURE_CHANNELS, num_attributes=data.num_attributes)


def build_feature_means(data: DataConfig) -> FeatureMeans:
    """Build the running means, to be set from the train split."""
    return FeatureMeans(feature_channels=FEATURE_CHANNELS, num_attributes=data.num_attributes)


def _grids(size: int) -> list[int]:
    """Heights of the grids from 4x4 to an image's."""
    return [4 << i for i in range(size.bit_length() - 2)]


def _scaled(width: float, channels: Iterable[int]) -> tuple[int, ...]:
    """Channels at a width factor, multiples of 16."""
    step = _CHANNEL_MULTIPLE
    return tuple(max(1, round(c * width / step)) * step for c in channels)
