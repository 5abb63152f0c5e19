"""The settings of recipe `modern` (docs/recipes/modern.md)."""

import dataclasses
from dataclasses import dataclass
from typing import Literal, Self

from twobirds.config import Norm
from twobirds.config.checks import (
    require,
    require_not_negative,
    require_positive,
    require_shares,
    require_width_factor,
    require_widths,
    stage1_share_of,
)


@dataclass(frozen=True)
class ModernConfig:
    """Networks, losses and batches; docs/recipes/modern.md says what switches off what."""

    name: Literal["modern"] = "modern"
    """The recipe."""
    width: float = 0.5
    """Factor on the numbers of channels of all networks."""
    num_latents: int = 320
    """Length of z."""
    has_skips: bool = True
    """Whether edits start from the encoder's features, through gates; else from latents alone."""
    has_mask: bool = True
    """Whether pixels of the source may stand in an edit."""
    has_pca: bool = True
    """Whether latents are initialized as principal components of the train split."""
    game: Literal["relativistic", "non_saturating", "minmax"] = "relativistic"
    """Whether D scores each face against another; else real and fake by themselves."""
    augment: bool = True
    """Whether everything that D sees is shifted, recoloured and cut out at random."""
    adversarial_weight: float = 3.0
    """Weight of the adversarial loss."""
    gradient_penalty_weight: float = 0.05
    """Weight of D's squared gradient, the half gamma of R1 and R2."""
    label_weight: float = 0.5
    """Weight of the noise-robust classifier's loss on generated faces."""
    edit_label_weight: float = 0.75
    """Weight of the noise-robust classifier's loss on edited faces."""
    perceptual_weight: float = 2.0
    """Weight of the distance between reconstructions and real faces in classifier features."""
    pixel_weight: float = 40.0
    """Weight of the pixel distance between reconstructions and real faces."""
    latent_weight: float = 1.0
    """Weight of the distance between z and the latents of the face generated from it."""
    consistency_weight: float = 0.5
    """Weight of the distance between the latents of an edit and those of its source."""
    prior_weight: float = 10.0
    """Weight of the distance between the latents of real faces and U(-1, 1)."""
    edit_pixel_weight: float = 1.0
    """Weight of the pixel distance between an edit and its source."""
    edit_identity_weight: float = 1.25
    """Weight of the identity distance between an edit and its source, in the noise-robust
    classifier's embedding; of no effect where the pack knows no people."""
    identity_weight: float = 0.5
    """The same of reconstructions."""
    perceptual_norm: Norm = "l2"
    """Norm of the perceptual loss."""
    pixel_norm: Norm = "l1"
    """Norm of the pixel losses."""
    latent_norm: Norm = "l2"
    """Norm of the losses on latents."""
    classifier_noise: float = 0.5
    """Largest standard deviation of the noise that the noise-robust classifier sees images in
    [-1, 1] through."""
    classifier_cutout: float = 0.5
    """Side of the square that is hidden from that classifier, as a part of the face's."""
    stage1_share: float = 0.05
    """Part of the images that stage 1 gets, in which all faces are generated."""
    edited_share: float = 0.34375
    """Part of a batch in stage 2 that is edited."""
    copied_share: float = 0.0625
    """Part that is reconstructed from latents and features."""
    coded_share: float = 0.1875
    """Part that is reconstructed from latents alone; what is left is generated from noise."""
    change_preference: float = 3.0
    """How many times as often as others the attributes of AttGAN's comparison are changed."""
    recognizer_learning_rate: float = 1e-3
    """Step size of recognizer and noise-robust classifier at the start; it falls to zero."""
    recognizer_mixup: float = 0.2
    """Alpha of the Beta distribution of weights with which the recognizer's faces are blended;
    0 blends none."""
    recognizer_images: int = 300_000
    """Real images after which both are left as they are: they would overfit to more."""
    ema_half_life_images: int = 20_000
    """Half-life of the moving averages of the weights; 0 keeps the last weights."""

    @property
    def uses_identity(self) -> bool:
        """Whether an identity loss takes part."""
        return max(self.edit_identity_weight, self.identity_weight) > 0

    def __post_init__(self) -> None:
        require_width_factor(self.width)
        require_widths(self, "num_latents")
        fields = [field.name for field in dataclasses.fields(self)]
        require_not_negative(self, *(name for name in fields if name.endswith("_weight")))
        require_not_negative(
            self,
            "classifier_noise",
            "classifier_cutout",
            "recognizer_mixup",
            "ema_half_life_images",
        )
        require_positive(self, "change_preference", "recognizer_learning_rate", "recognizer_images")
        require_shares(self, "stage1_share", "edited_share", "copied_share", "coded_share")
        shares = (self.edited_share, self.copied_share, self.coded_share)
        require(
            sum(shares) <= 1,
            f"edited_share, copied_share and coded_share must add up to 1 at most, not {shares}",
        )

    def architecture(self) -> tuple[object, ...]:
        """The settings that shape the networks; see `RecipeConfig`."""
        parts = self.has_skips, self.has_mask, self.has_pca, self.uses_identity
        return self.width, self.num_latents, *parts

    def with_length(self, before: int, after: int) -> Self:
        """The same settings for another number of images; see `RecipeConfig`."""
        share = stage1_share_of(self.stage1_share, before, after)
        return dataclasses.replace(self, stage1_share=share)
