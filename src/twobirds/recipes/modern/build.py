"""Builds the networks of recipe `modern` from the settings of a run."""

from collections.abc import Iterable

from twobirds.config import DataConfig
from twobirds.models.initialization import channels_last, require_attributes, seeded
from twobirds.randomness import InitialWeights
from twobirds.recipes.modern.config import ModernConfig
from twobirds.recipes.modern.discriminator import ProjectionDiscriminator
from twobirds.recipes.modern.encoder import Encoder
from twobirds.recipes.modern.generator import EditingGenerator
from twobirds.recipes.modern.recognizer import AttributeRecognizer, PersonHead

_CHANNELS = {4: 384, 8: 384, 16: 256, 32: 128, 64: 64}
"""Of G and D by grid."""
_ENCODER_CHANNELS = {4: 256, 8: 256, 16: 128, 32: 64, 64: 32}
_RECOGNIZER_CHANNELS = (96, 240, 400, 640)
_CHANNEL_MULTIPLE = 8


def build_generator(recipe: ModernConfig, data: DataConfig, *, seed: int = 0) -> EditingGenerator:
    """Build G with its initial weights, a function of the seed.

    Raises:
        InputError: If the configuration names no attributes.
    """
    require_attributes(data)
    grids = _grids(data.size // 2)
    skip = data.size // 4  # finer features would copy the source before an edit is learned
    skips = [(skip, _scaled(recipe.width, [_ENCODER_CHANNELS[skip]])[0])]
    with seeded(seed, InitialWeights.GENERATOR):
        return channels_last(
            EditingGenerator(
                num_latents=recipe.num_latents,
                num_attributes=data.num_attributes,
                size=data.size,
                channels=_scaled(recipe.width, (_CHANNELS[grid] for grid in grids)),
                skips=skips if recipe.has_skips else [],
                has_mask=recipe.has_skips and recipe.has_mask,
                has_pca=recipe.has_pca,
            )
        )


def build_discriminator(
    recipe: ModernConfig, data: DataConfig, *, seed: int = 0
) -> ProjectionDiscriminator:
    """Build D with its initial weights, a function of the seed.

    Raises:
        InputError: If the configuration names no attributes.
    """
    require_attributes(data)
    channels = _scaled(recipe.width, (_CHANNELS[grid] for grid in _grids(data.size // 2)))
    with seeded(seed, InitialWeights.DISCRIMINATOR):
        return channels_last(
            ProjectionDiscriminator(num_attributes=data.num_attributes, channels=channels[::-1])
        )


def build_encoder(recipe: ModernConfig, data: DataConfig, *, seed: int = 0) -> Encoder:
    """Build the encoder with its initial weights, a function of the seed."""
    grids = _grids(data.size // 2)
    channels = _scaled(recipe.width, (_ENCODER_CHANNELS[grid] for grid in grids))
    with seeded(seed, InitialWeights.ENCODER):
        return channels_last(
            Encoder(num_latents=recipe.num_latents, channels=channels[::-1], has_pca=recipe.has_pca)
        )


def build_recognizer(
    recipe: ModernConfig,
    data: DataConfig,
    *,
    seed: int = 0,
    key: InitialWeights = InitialWeights.RECOGNIZER,
) -> AttributeRecognizer:
    """Build the recognizer or the noise-robust classifier; only their initial weights differ.

    Raises:
        InputError: If the configuration names no attributes.
    """
    require_attributes(data)
    with seeded(seed, key):
        return channels_last(
            AttributeRecognizer(
                num_attributes=data.num_attributes,
                size=data.size,
                channels=_scaled(recipe.width, _RECOGNIZER_CHANNELS),
            )
        )


def build_person_head(recipe: ModernConfig, data: DataConfig, *, seed: int = 0) -> PersonHead:
    """Build the head that tells the people of the data apart, a function of the seed."""
    with seeded(seed, InitialWeights.PERSON_HEAD):
        return PersonHead(_scaled(recipe.width, _RECOGNIZER_CHANNELS)[-1], data.num_people)


def _grids(size: int) -> list[int]:
    """Heights of the grids from 4x4 to an image's."""
    return [4 << i for i in range(size.bit_length() - 2)]


def _scaled(width: float, channels: Iterable[int]) -> tuple[int, ...]:
    """Channels at a width factor, multiples of 8."""
    step = _CHANNEL_MULTIPLE
    return tuple(max(1, round(c * width / step)) * step for c in channels)
