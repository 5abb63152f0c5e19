"""The configuration of the paper's networks, losses and training (P6-P15)."""

import dataclasses
import math
from dataclasses import dataclass
from typing import Literal

from twobirds.config.checks import require

Norm = Literal["l1", "l2"]
FeatureSource = Literal["trunk", "network"]
AdversarialForm = Literal["non_saturating", "minmax"]
MAX_LAYER_WIDTH = 65_536
"""Most units of one layer: far beyond any use, and still a size that memory may hold."""
MAX_IMAGES = 10**12
"""Most images of a run: centuries."""


@dataclass(frozen=True)
class ModelConfig:
    """Shapes of the three networks (P6-P8), and what the images they work on look like."""

    size: int = 128
    """Height and width of the images in pixels: 32, 64 or 128."""
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
    attributes: tuple[str, ...] = ()
    """Names of the attributes, in order. Empty: taken from the pack at the start of training."""
    landmarks: tuple[tuple[float, float], ...] | None = None
    """Where aligned faces have their eyes, nose tip and mouth corners: five (x, y) as fractions of
    the image. Taken from the pack; None where unknown."""

    def __post_init__(self) -> None:
        require(self.size in (32, 64, 128), f"size must be 32, 64 or 128, not {self.size}")
        require(0 < self.width <= 4, f"width must lie in (0, 4], not {self.width}")
        for name in ("num_latents", "num_shared", "num_attribute_hidden"):
            value = getattr(self, name)
            require(
                1 <= value <= MAX_LAYER_WIDTH,
                f"{name} must lie between 1 and {MAX_LAYER_WIDTH:,}, not {value}",
            )
        require(
            len(set(self.attributes)) == len(self.attributes), "attribute names must be distinct"
        )
        require(
            self.landmarks is None or [len(p) for p in self.landmarks] == [2] * 5,
            "landmarks must be five (x, y) pairs",
        )

    @property
    def num_attributes(self) -> int:
        """Number of attributes, the paper's d."""
        return len(self.attributes)


@dataclass(frozen=True)
class LossConfig:
    """Weights and forms of the losses (P9-P13)."""

    adversarial: float = 1.0
    """Weight of the adversarial loss."""
    label: float = 10.0
    """Weight of the label loss, a mean over the attributes."""
    perceptual: float = 2.0
    """The paper's lambda 1."""
    pixel: float = 0.5
    """The paper's lambda 2."""
    latent: float = 1.0
    """The paper's lambda 3."""
    adversarial_form: AdversarialForm = "non_saturating"
    """What G minimises: -log D(G(z, c)), or the min-max game's own log(1 - D(G(z, c)))."""
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

    def __post_init__(self) -> None:
        for name in ("adversarial", "label", "perceptual", "pixel", "latent"):
            value = getattr(self, name)
            require(
                math.isfinite(value) and value >= 0,
                f"loss weight {name} must be finite and not negative, not {value}",
            )


@dataclass(frozen=True)
class TrainConfig:
    """How a model is trained (P14, P15). Amounts of training are counted in real images shown."""

    batch_size: int = 64
    """Images per iteration, over all processes."""
    images: int = 9_250_000
    """Real images shown over both stages; the default is the paper's 50 epochs of 185,000."""
    stage1_share: float = 0.5
    """Part of the images that stage 1 gets."""
    learning_rate: float = 2e-4
    """Step size of Adam, for G as for D and C."""
    betas: tuple[float, float] = (0.5, 0.999)
    """Decay rates of Adam's two moments."""
    balance_ratio: float = 8.0
    """An opponent whose loss is this many times the other's gets extra updates (Sec. 4.1).
    Paper: "overwhelmingly higher". Here: 8 times, because 2 or 4 is a healthy game (ADR 17)."""
    max_updates: int = 2
    """Most updates of G, or of D, in one iteration; 1 switches the balancing off. Paper: a
    parameter without a value. Here: 2, because each update more costs its passes (ADR 17)."""
    flip: bool = True
    """Mirror half of the real images at random."""
    edited_share: float = 0.0
    """Share of generated images whose attributes are a real row with one changed (ADR 18)."""
    ema_half_life_images: int = 0
    """Half-life of the moving average of G's weights; 0 keeps none."""
    seed: int = 0
    """Seed of everything random in the run."""
    log_every_images: int = 3_200
    """How often losses are checked and written."""
    sample_every_images: int = 40_000
    """How often a grid of samples is drawn."""
    checkpoint_every_seconds: float = 120.0
    """How often the run is saved; inf saves only when a leg ends."""

    def __post_init__(self) -> None:
        for name in ("batch_size", "images", "log_every_images", "sample_every_images"):
            require(getattr(self, name) > 0, f"{name} must be positive, not {getattr(self, name)}")
        require(self.batch_size >= 2, "batch_size must be at least 2: batch norm needs it")
        require(
            self.images <= MAX_IMAGES, f"images must be at most {MAX_IMAGES:,}, not {self.images}"
        )
        require(
            0 <= self.stage1_share <= 1, f"stage1_share must lie in [0, 1], not {self.stage1_share}"
        )
        require(
            math.isfinite(self.learning_rate) and self.learning_rate > 0,
            f"learning_rate must be positive, not {self.learning_rate}",
        )
        require(
            all(0 <= beta < 1 for beta in self.betas), f"betas must lie in [0, 1), not {self.betas}"
        )
        require(self.balance_ratio > 1, f"balance_ratio must exceed 1, not {self.balance_ratio}")
        require(1 <= self.max_updates <= 8, f"max_updates must be 1 to 8, not {self.max_updates}")
        require(
            0 <= self.edited_share <= 1, f"edited_share must lie in [0, 1], not {self.edited_share}"
        )
        require(self.ema_half_life_images >= 0, "ema_half_life_images must not be negative")
        require(
            self.checkpoint_every_seconds >= 0,  # not so of NaN, with which no save would be due
            "checkpoint_every_seconds must be 0 or more (inf: only at the end), not "
            f"{self.checkpoint_every_seconds}",
        )

    @property
    def stage1_images(self) -> int:
        """Real images shown before stage 2 begins."""
        return round(self.images * self.stage1_share)

    def with_images(self, images: int) -> "TrainConfig":
        """The same training over another number of images; stage 1 keeps its length."""
        share = min(1.0, self.stage1_images / images)
        return dataclasses.replace(self, images=images, stage1_share=share)
