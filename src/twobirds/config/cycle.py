"""The configuration of CycleGAN (P20)."""

import math
from dataclasses import dataclass

from twobirds.config.checks import require


@dataclass(frozen=True)
class CycleConfig:
    """What only CycleGAN has, by default as its authors have it (Zhu et al., 2017; P20)."""

    attribute: str
    """The one attribute that tells the two domains apart."""
    num_channels: int = 64
    """Channels of the first convolution of generators and discriminators."""
    num_blocks: int = 6
    """Residual blocks of a generator; six is theirs up to 128 px."""
    cycle: float = 10.0
    """Weight of the cycle loss."""
    identity: float = 5.0
    """Weight of the identity loss."""
    buffer_images: int = 50
    """Generated images kept for the discriminators."""

    def __post_init__(self) -> None:
        for name in ("num_channels", "num_blocks", "buffer_images"):
            value = getattr(self, name)
            require(1 <= value <= 1024, f"{name} must lie between 1 and 1,024, not {value}")
        for name in ("cycle", "identity"):
            value = getattr(self, name)
            require(
                math.isfinite(value) and value >= 0,
                f"loss weight {name} must be finite and not negative, not {value}",
            )
