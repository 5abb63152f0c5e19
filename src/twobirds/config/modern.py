"""The configuration of what only preset modern has (docs/modern.md)."""

import math
from dataclasses import dataclass

from twobirds.config.checks import require

_NOT_NEGATIVE = (
    "gradient_penalty", "attribute", "consistency", "prior", "keep", "guide_noise",
    "guide_cutout", "identity_edited", "identity_rebuilt", "recognizer_mixup",
)  # fmt: skip


@dataclass(frozen=True)
class ModernConfig:
    """Networks, losses and batches of preset modern; docs/modern.md says what switches off what.

    The weights that both recipes have are those of `LossConfig`.
    """

    has_skips: bool = True
    """Whether edits start from the encoder's features, through gates; else from the code alone."""
    has_mask: bool = True
    """Whether pixels of the source may stand in an edit."""
    has_eigenfaces: bool = False
    """Whether codes begin as principal components of the train split."""
    relativistic: bool = True
    """Whether D scores each face against another; else real and fake by themselves."""
    gradient_penalty: float = 0.05
    """Weight of D's squared gradient, the half gamma of R1 and R2."""
    augment: bool = True
    """Whether everything that D sees is shifted, recoloured and cut out at random."""
    attribute: float = 0.75
    """Weight of the guide's loss on edited faces; on generated ones it is `loss.label`."""
    consistency: float = 0.5
    """Weight of the distance between the code of an edit and that of its source."""
    prior: float = 10.0
    """Weight of the distance between the codes of real faces and U(-1, 1)."""
    keep: float = 1.0
    """Weight of the distance between the pixels of an edit and those of its source."""
    guide_noise: float = 0.5
    """Largest standard deviation of the noise through which the guide reads images in [-1, 1]."""
    guide_cutout: float = 0.0
    """Side of the square that is hidden from the guide, as a part of the face's."""
    identity_edited: float = 1.25
    """Weight of the distance of edits from their sources, as the guide sees them; of no
    effect where the pack knows no persons."""
    identity_rebuilt: float = 0.5
    """The same of faces rebuilt."""
    num_people: int = 0
    """Persons of whom the train split has two faces or more. Taken from the pack."""
    edited_share: float = 0.34375
    """Part of a batch in stage 2 that is edited."""
    copied_share: float = 0.0625
    """Part that is rebuilt by way of the features."""
    coded_share: float = 0.1875
    """Part that is rebuilt from the code alone; what is left is generated from noise."""
    favour: float = 3.0
    """How many times as often as others the attributes of AttGAN's comparison are changed."""
    recognizer_learning_rate: float = 1e-3
    """Step size of recognizer and guide at the start; it falls to zero."""
    recognizer_mixup: float = 0.0
    """Alpha of the Beta distribution of weights with which the recognizer's faces are blended;
    0 blends none."""
    recognizer_images: int = 300_000
    """Real images after which they are left as they are: more are learned by heart."""

    @property
    def tells_people(self) -> bool:
        """Whether the guide learns who the people of the pack are."""
        return self.num_people > 1 and max(self.identity_edited, self.identity_rebuilt) > 0

    def __post_init__(self) -> None:
        for name in _NOT_NEGATIVE:
            value = getattr(self, name)
            require(
                math.isfinite(value) and value >= 0,
                f"{name} must be finite and not negative, not {value}",
            )
        for name in ("favour", "recognizer_learning_rate"):
            value = getattr(self, name)
            require(math.isfinite(value) and value > 0, f"{name} must be positive, not {value}")
        require(self.num_people >= 0, f"num_people must not be negative, not {self.num_people}")
        require(
            self.recognizer_images > 0,
            f"recognizer_images must be positive, not {self.recognizer_images}",
        )
        shares = (self.edited_share, self.copied_share, self.coded_share)
        require(
            all(0 <= share <= 1 for share in shares) and sum(shares) <= 1,
            f"edited_share, copied_share and coded_share must lie in [0, 1] and add up to 1 at "
            f"most, not {shares}",
        )
