"""The settings of the baselines (P18, P20). None of them has stages."""

from dataclasses import dataclass
from typing import Literal, Self

from twobirds.config.checks import (
    require,
    require_not_negative,
    require_width_factor,
    require_widths,
)


class _WithoutStages:
    """What a recipe of one stage says of a run's length."""

    def with_length(self, before: int, after: int) -> Self:
        """Nothing depends on the number of images."""
        return self


@dataclass(frozen=True)
class _DCGANSettings(_WithoutStages):
    """What CGAN and DCGAN have in common: the size of G and D."""

    name: str
    """The recipe."""
    width: float = 1.0
    """Factor on the numbers of channels of G and D; 1.0 is 64 to 512."""
    num_latents: int = 100
    """Length of z."""

    def __post_init__(self) -> None:
        require_width_factor(self.width)
        require_widths(self, "num_latents")

    def architecture(self) -> tuple[object, ...]:
        """The settings that shape the networks; see `RecipeConfig`."""
        return self.width, self.num_latents


@dataclass(frozen=True)
class CGANConfig(_DCGANSettings):
    """A DCGAN whose generator and discriminator both see the attributes."""

    name: Literal["cgan"] = "cgan"
    """The recipe."""


@dataclass(frozen=True)
class DCGANConfig(_DCGANSettings):
    """A DCGAN, which sees no attributes; a linear SVM classifies its features."""

    name: Literal["dcgan"] = "dcgan"
    """The recipe."""


@dataclass(frozen=True)
class CycleGANConfig(_WithoutStages):
    """CycleGAN for one attribute, by default as its authors have it (Zhu et al., 2017; P20)."""

    attribute: str
    """The one attribute that tells the two domains apart."""
    name: Literal["cyclegan"] = "cyclegan"
    """The recipe."""
    num_channels: int = 64
    """Channels of the first convolution of generators and discriminators."""
    num_blocks: int = 6
    """Residual blocks of a generator; six is theirs up to 128 px."""
    cycle_weight: float = 10.0
    """Weight of the cycle loss."""
    identity_weight: float = 5.0
    """Weight of the identity loss."""
    buffer_images: int = 50
    """Generated images kept for the discriminators."""

    def __post_init__(self) -> None:
        for name in ("num_channels", "num_blocks", "buffer_images"):
            value = getattr(self, name)
            require(1 <= value <= 1024, f"{name} must lie between 1 and 1,024, not {value}")
        require_not_negative(self, "cycle_weight", "identity_weight")

    def architecture(self) -> tuple[object, ...]:
        """The settings that shape the networks; see `RecipeConfig`."""
        return self.attribute, self.num_channels, self.num_blocks, self.buffer_images


@dataclass(frozen=True)
class CNNConfig(_WithoutStages):
    """A plain convolutional network that classifies attributes."""

    name: Literal["cnn"] = "cnn"
    """The recipe."""
    width: float = 1.0
    """Factor on the numbers of channels; 1.0 is 64 to 512."""
    num_hidden: int = 1024
    """Width of the hidden layer."""

    def __post_init__(self) -> None:
        require_width_factor(self.width)
        require_widths(self, "num_hidden")

    def architecture(self) -> tuple[object, ...]:
        """The settings that shape the networks; see `RecipeConfig`."""
        return self.width, self.num_hidden


@dataclass(frozen=True)
class RecognizerConfig(_WithoutStages):
    """The networks D and C of recipe `paper`, trained on the labels alone."""

    name: Literal["recognizer"] = "recognizer"
    """The recipe."""
    width: float = 1.0
    """Factor on the numbers of channels; 1.0 is 64 to 512."""

    def __post_init__(self) -> None:
        require_width_factor(self.width)

    def architecture(self) -> tuple[object, ...]:
        """The settings that shape the networks; see `RecipeConfig`."""
        return (self.width,)


@dataclass(frozen=True)
class ResNetConfig(_WithoutStages):
    """A small residual network that classifies attributes."""

    name: Literal["resnet"] = "resnet"
    """The recipe."""

    def architecture(self) -> tuple[object, ...]:
        """Nothing shapes the network but the data; see `RecipeConfig`."""
        return ()


ClassifierConfig = CNNConfig | RecognizerConfig | ResNetConfig
"""The baselines that only classify attributes."""
