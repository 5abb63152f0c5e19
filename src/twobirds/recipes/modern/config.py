"""The settings of recipe `modern` (docs/recipes/modern.md)."""

import dataclasses
from dataclasses import dataclass
from typing import Literal, Self

from twobirds.config.checks import (
    require,
    require_not_negative,
    require_positive,
    require_shares,
    require_width_factor,
    require_widths,
)

_MIN_ENLARGEMENT, _MAX_ENLARGEMENT = 0.5, 4.0


@dataclass(frozen=True)
class ModernConfig:
    """Networks, losses and batches."""

    name: Literal["modern"] = "modern"
    """The recipe."""
    width: float = 1.0
    """Factor on the numbers of channels of editor, generator and encoder."""
    num_latents: int = 512
    """Length of z."""
    recognizer_enlargement: float = 1.25
    """Side of the faces that the recognizer sees, as a multiple of the images'."""
    edited_share: float = 0.65
    """Part of a batch that is edited, one face or more; the rest, two or more, is generated."""
    reconstructed_share: float = 0.5
    """Part of what is generated that is reconstructed from the latents of real faces."""
    adversarial_weight: float = 0.5
    """Weight of D's scores of edits: of those conditioned on attributes, and of the others."""
    label_weight: float = 0.8
    """Weight of the classifier's loss on the attributes that an edit changes."""
    kept_label_weight: float = 0.5
    """Weight of the KL divergence of the classifier on the attributes that it keeps."""
    prototype_weight: float = 1.0
    """Weight of the loss of edits that do not reach their prototype in frozen features."""
    mean_weight: float = 2.0
    """Weight of the distance of the edits' mean features from those of real faces."""
    colour_cast_weight: float = 4.0
    """Weight of colour casts: changes of colour that are not changes of brightness."""
    regularization_weight: float = 1.0
    """Factor on the penalties on flow, colour, paint and masks that are large or not smooth."""
    face_adversarial_weight: float = 0.3
    """Weight of D's scores of generated faces."""
    face_label_weight: float = 0.1
    """Weight of the classifier's loss on generated faces."""
    perceptual_weight: float = 5.0
    """Weight of the distance between reconstructions and real faces in frozen features."""
    pixel_weight: float = 12.0
    """Weight of the pixel distance between reconstructions and real faces."""
    latent_weight: float = 1.0
    """Weight of the distance between z and the latents of the face generated from it."""
    prior_weight: float = 1.0
    """Weight of the distance between the latents of real faces and U(-1, 1)."""
    discriminator_learning_rate: float = 8e-4
    """Step size of Adam for D and its classifier."""
    discriminator_lead_images: int = 6_400
    """Images before editor and generator begin to learn; D and the recognizer learn at once."""
    ramp_images: int = 10_240
    """Images over which the adversarial weights then grow to their values."""
    change_preference: float = 10.0
    """How many times as often as others the attributes of AttGAN's comparison are changed."""
    recognizer_learning_rate: float = 5e-4
    """Step size of the recognizer at the start; it falls to zero."""
    recognizer_images: int = 250_000
    """Real images after which the recognizer is left as it is."""
    ema_half_life_images: int = 40_000
    """Half-life of the moving averages of the weights; 0 keeps the last weights."""

    def __post_init__(self) -> None:
        require_width_factor(self.width)
        require_widths(self, "num_latents")
        fields = [field.name for field in dataclasses.fields(self)]
        require_not_negative(self, *(name for name in fields if name.endswith("_weight")))
        factor = self.recognizer_enlargement
        require(
            _MIN_ENLARGEMENT <= factor <= _MAX_ENLARGEMENT,
            f"recognizer_enlargement must lie between {_MIN_ENLARGEMENT} and {_MAX_ENLARGEMENT}, "
            f"not {factor}",
        )
        require_not_negative(
            self, "ema_half_life_images", "discriminator_lead_images", "ramp_images"
        )
        require_positive(
            self,
            "change_preference",
            "recognizer_learning_rate",
            "recognizer_images",
            "discriminator_learning_rate",
        )
        require_shares(self, "reconstructed_share")
        share = self.edited_share
        require(0 < share < 1, f"edited_share must lie above 0 and below 1, not {share}")

    def architecture(self) -> tuple[object, ...]:
        """The settings that shape the networks; see `RecipeConfig`."""
        return self.width, self.num_latents, self.recognizer_enlargement

    def with_length(self, before: int, after: int) -> Self:  # noqa: ARG002 -- nothing depends on it
        """The same settings for another number of images; see `RecipeConfig`."""
        return self
