"""The numbers of recipe `modern` that change from iteration to iteration."""

import math
from typing import NamedTuple, Self

from torch import Tensor

from twobirds.config import RunConfig
from twobirds.models.ema import ema_decay
from twobirds.recipes.modern.config import ModernConfig

_MIN_RATE = 0.25  # of the step sizes at the end, but for the recognizer's


class Rates(NamedTuple):
    """Step sizes of the optimizers, decays of the moving averages, and the ramp.

    Numbers, or scalars `[]` on the device, where iterations are replayed as a graph.
    """

    generator: float | Tensor
    """Step size of editor, G and encoder."""
    discriminator: float | Tensor
    recognizer: float | Tensor
    decay: float | Tensor
    """Of the averages of editor, G and encoder."""
    recognizer_decay: float | Tensor
    ramp: float | Tensor
    """Factor on the adversarial weights: from 0 to 1 after the editor has begun."""

    @classmethod
    def of(cls, config: RunConfig, recipe: ModernConfig, images_seen: int) -> Self:
        """The rates of an iteration that begins at so many images.

        Half a cosine: to a quarter over the run; to zero over the recognizer's images.
        """
        train = config.train
        falling = _MIN_RATE + (1 - _MIN_RATE) * _half_cosine(images_seen / train.images)
        last = min(recipe.recognizer_images, train.images)
        after = images_seen + train.batch_size
        since = images_seen - recipe.discriminator_lead_images

        def decay(averaged: int) -> float:
            return ema_decay(train.batch_size, recipe.ema_half_life_images, averaged)

        return cls(
            generator=train.learning_rate * falling,
            discriminator=recipe.discriminator_learning_rate * falling,
            recognizer=recipe.recognizer_learning_rate * _half_cosine(images_seen / last),
            decay=decay(max(0, after - recipe.discriminator_lead_images)),
            recognizer_decay=decay(after),
            ramp=min(1.0, max(0.0, since / max(1, recipe.ramp_images))),
        )


def _half_cosine(share: float) -> float:
    """From 1 at a share of 0 to 0 at 1 and beyond."""
    return 0.5 * (1 + math.cos(math.pi * min(1.0, share)))
