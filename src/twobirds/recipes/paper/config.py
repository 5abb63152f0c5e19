"""The settings of recipe `paper`: networks, losses, stages, balance (P6-P15)."""

import dataclasses
from dataclasses import dataclass
from typing import Literal, Self

from twobirds.config import AdversarialForm, Norm
from twobirds.config.checks import (
    require,
    require_not_negative,
    require_shares,
    require_width_factor,
    require_widths,
    stage1_share_of,
)

FeatureSource = Literal["trunk", "network"]


@dataclass(frozen=True)
class PaperConfig:
    """The iterative GAN; the defaults are the paper's, or what the ADRs say where it is silent."""

    name: Literal["paper"] = "paper"
    """The recipe."""
    width: float = 1.0
    """Factor on the numbers of channels of G and D; 1.0 is the paper's 64 to 512."""
    num_latents: int = 100
    """Length of z."""
    num_shared: int = 1024
    """Width of the layer that C shares with D (the paper's share layer)."""
    num_attribute_hidden: int = 128
    """Width of the hidden layer in front of the attribute logits."""
    discriminator_norm: bool = True
    """Batch norm in D's trunk, as in DCGAN, whose settings the paper follows (ADR 8)."""
    adversarial_weight: float = 1.0
    """Weight of the adversarial loss."""
    label_weight: float = 10.0
    """Weight of the label loss, a mean over the attributes."""
    perceptual_weight: float = 2.0
    """The paper's lambda 1."""
    pixel_weight: float = 0.5
    """The paper's lambda 2."""
    latent_weight: float = 1.0
    """The paper's lambda 3."""
    adversarial_form: AdversarialForm = "non_saturating"
    """What G minimizes: -log D(G(z, c)), or the min-max game's own log(1 - D(G(z, c)))."""
    label_fakes: bool = True
    """Whether C also learns from generated images, with the attributes they were made from; ADR 18
    says what speaks against it."""
    perceptual_norm: Norm = "l2"
    """Norm of the perceptual loss."""
    pixel_norm: Norm = "l1"
    """Norm of the pixel loss."""
    latent_norm: Norm = "l2"
    """Norm of the latent code loss."""
    feature_source: FeatureSource = "trunk"
    """Whose features the perceptual loss compares: D's own trunk, or a given network."""
    stage1_share: float = 0.5
    """Part of the images that stage 1 gets."""
    balance_ratio: float = 8.0
    """An opponent whose loss is this many times the other's gets extra updates (Sec. 4.1).
    Paper: "overwhelmingly higher". Here: 8 times, because 2 or 4 is a healthy game (ADR 17)."""
    max_updates: int = 2
    """Maximum number of updates of G, or of D, in one iteration; 1 switches the balancing off.
    Paper: a parameter without a value. Here: 2, because each further update costs passes (ADR
    17)."""
    edited_share: float = 0.0
    """Share of generated images whose attributes are a real row with one changed (ADR 18)."""
    ema_half_life_images: int = 0
    """Half-life of the moving average of G's weights; 0 keeps none."""

    def __post_init__(self) -> None:
        require_width_factor(self.width)
        require_widths(self, "num_latents", "num_shared", "num_attribute_hidden")
        weights = ("adversarial", "label", "perceptual", "pixel", "latent")
        require_not_negative(self, *(f"{name}_weight" for name in weights))
        require_shares(self, "stage1_share", "edited_share")
        require(self.balance_ratio > 1, f"balance_ratio must exceed 1, not {self.balance_ratio}")
        require(1 <= self.max_updates <= 8, f"max_updates must be 1 to 8, not {self.max_updates}")
        require_not_negative(self, "ema_half_life_images")

    def architecture(self) -> tuple[object, ...]:
        """The settings that shape the networks; see `RecipeConfig`."""
        widths = self.num_latents, self.num_shared, self.num_attribute_hidden
        return self.width, *widths, self.discriminator_norm

    def with_length(self, before: int, after: int) -> Self:
        """The same settings for another number of images; see `RecipeConfig`."""
        share = stage1_share_of(self.stage1_share, before, after)
        return dataclasses.replace(self, stage1_share=share)
