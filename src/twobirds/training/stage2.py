"""Stage 2: stage 1 with the integrated loss (P11-P14; Sec. 3.3)."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from twobirds.data.loader import Batch
from twobirds.losses.integrated import latent_distance, perceptual_distance, pixel_distance
from twobirds.models.discriminator import DiscriminatorOutput
from twobirds.models.layers import frozen_weights
from twobirds.training.players import Players
from twobirds.training.stage1 import (
    Metrics,
    discriminate_fakes,
    discriminator_classifier_loss,
    update_generator,
)

FeatureNetwork = Callable[[Tensor], Sequence[Tensor]]
"""Images `[B, 3, H, W]` in [-1, 1] to features, each `[B, C_l, H_l, W_l]`."""


def integrated_loss(
    players: Players, images: Tensor, real: DiscriminatorOutput, given: FeatureNetwork | None
) -> tuple[Tensor, Metrics]:
    """Rebuild real images through their own codes; weigh what was lost (Sec. 3.3.1, 3.3.2).

    G learns from it, and the trunk with C's z head, through the code.

    Paper: D and C maximise it (Eq. 1). Here: they minimise it through the code, and D's weights
    are frozen in the pass over the rebuilt images, because D would learn to make its features
    useless (ADR 5).

    Args:
        players: The networks.
        images: `[B, 3, H, W]` float32 in [-1, 1], the real images.
        real: D's pass over them, with its graph.
        given: A network whose features are compared instead of D's own (P12).

    Returns:
        Scalar `[]`, and its parts to log.
    """
    config = players.config.loss
    # Paper: G(z~, c~), silent on what c~ is and teaches. Here: probabilities, without gradient,
    # because pixels shall not teach C attributes (ADR 6).
    attributes = torch.sigmoid(real.attribute_logits.detach())
    rebuilt = players.generate(real.latents, attributes)
    if given is not None:
        with torch.no_grad():
            features = given(images)
        perceptual = perceptual_distance(features, given(rebuilt), config.perceptual_norm)
    else:
        with frozen_weights(players.discriminator):
            rebuilt_features = players.features(rebuilt)
        perceptual = perceptual_distance(real.features, rebuilt_features, config.perceptual_norm)
    pixel = pixel_distance(images, rebuilt, config.pixel_norm)
    total = config.perceptual * perceptual + config.pixel * pixel
    return total, {"perceptual": perceptual, "pixel": pixel}


def stage2_update(
    players: Players, batch: Batch, latents: Tensor, given: FeatureNetwork | None = None
) -> Metrics:
    """One update of D and C, one of G, with shared passes: 4 of D, 2 of G.

    One pass of D over the real images serves the adversarial loss, the label loss, z~, c~ and the
    features. D steps after the integrated loss has been propagated; G gathers its gradients of
    the rebuilt and of the generated images, and steps last (ADR 9).

    Args:
        players: The networks.
        batch: Real faces, their labels, and attributes for the generated ones.
        latents: `[B, Z]` in [-1, 1], for the generated ones.
        given: A network for the perceptual loss, instead of D's trunk.

    Returns:
        Losses to log.
    """
    config = players.config.loss
    fakes = players.generate(latents, batch.fake_attributes)
    real = players.discriminate(batch.images)
    fake = discriminate_fakes(players, fakes.detach())
    scored, metrics = discriminator_classifier_loss(real, fake, batch, config)
    integrated, parts = integrated_loss(players, batch.images, real, given)
    latent = latent_distance(fake.latents, latents, config.latent_norm)
    (scored + integrated + config.latent * latent).backward()
    players.step("discriminator")
    metrics |= parts | {"latent": latent}
    metrics = {name: value.detach() for name, value in metrics.items()}
    return metrics | update_generator(players, fakes, latents, batch.fake_attributes, latent=True)
