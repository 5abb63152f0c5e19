"""How every run is trained, whatever its recipe (P14, P15)."""

import math
from dataclasses import dataclass

from twobirds.config.checks import require

MAX_IMAGES = 10**12
"""Maximum number of images of a run: centuries of training."""


@dataclass(frozen=True)
class TrainConfig:
    """What the one training loop needs. Amounts of training are counted in real images shown."""

    batch_size: int = 64
    """Images per iteration, over all processes."""
    images: int = 9_250_000
    """Real images shown over all stages; the default is the paper's 50 epochs of 185,000."""
    learning_rate: float = 2e-4
    """Step size of Adam, for the generator as for the discriminator."""
    betas: tuple[float, float] = (0.5, 0.999)
    """Decay rates of Adam's two moments."""
    flip: bool = True
    """Mirror half of the real images at random."""
    seed: int = 0
    """Seed of everything random in the run."""
    log_every_images: int = 3_200
    """How often losses are checked and written."""
    sample_every_images: int = 40_000
    """How often a grid of samples is written."""
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
            math.isfinite(self.learning_rate) and self.learning_rate > 0,
            f"learning_rate must be positive, not {self.learning_rate}",
        )
        require(
            all(0 <= beta < 1 for beta in self.betas), f"betas must lie in [0, 1), not {self.betas}"
        )
        require(
            self.checkpoint_every_seconds >= 0,  # not so of NaN, with which no save would be due
            "checkpoint_every_seconds must be 0 or more (inf: only at the end), not "
            f"{self.checkpoint_every_seconds}",
        )
