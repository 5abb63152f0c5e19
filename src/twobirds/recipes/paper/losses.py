"""The terms of the two stages' losses; `stages` weighs them, adds them up and propagates them."""

import torch
from torch import Tensor

from twobirds.losses.adversarial import discriminator_loss, generator_loss
from twobirds.losses.attributes import label_loss
from twobirds.losses.integrated import perceptual_distance, pixel_distance
from twobirds.models.layers import frozen_weights
from twobirds.models.networks import FeatureNetwork
from twobirds.recipes.paper.discriminator import DiscriminatorOutput
from twobirds.recipes.paper.players import Players

Terms = dict[str, Tensor]
"""Losses by name, each a scalar `[]`."""


def discriminator_terms(
    real: DiscriminatorOutput, fake: DiscriminatorOutput, labels: Tensor, fake_attributes: Tensor
) -> Terms:
    """What D and C minimize in stage 1: to tell real from fake, and to classify the attributes.

    Args:
        real: D's pass over real images.
        fake: D's pass over generated images that are detached from G.
        labels: `[B, K]` 0/1: of the real images.
        fake_attributes: `[B, K]` 0/1: what G was asked for.

    Returns:
        `d_adversarial`, `label_real` and `label_fake`; also `g_adversarial`, for the balance: G's
        loss against the same D, in the form that is log 2 where D cannot tell, without gradient.
    """
    return {
        "d_adversarial": discriminator_loss(real.score_logits, fake.score_logits),
        "label_real": label_loss(real.attribute_logits, labels),
        "label_fake": label_loss(fake.attribute_logits, fake_attributes),
        "g_adversarial": generator_loss(fake.score_logits.detach()),
    }


def reconstruction_terms(
    players: Players, images: Tensor, real: DiscriminatorOutput, given: FeatureNetwork | None
) -> Terms:
    """Reconstruct real images from their own codes, and compare (Sec. 3.3.1, 3.3.2).

    G learns from it, and the trunk with C's z head, through the code.

    Paper: D and C maximize it (Eq. 1). Here: they minimize it through the code, and D's weights
    are frozen in the pass over the reconstructions, because D would learn to make its features
    useless (ADR 5).

    Args:
        players: The networks.
        images: `[B, 3, H, W]` float32 in [-1, 1], the real images.
        real: D's pass over them, with its graph.
        given: A network whose features are compared instead of D's own (P12).

    Returns:
        `perceptual` and `pixel`, two parts of the integrated loss.
    """
    recipe = players.recipe
    # Paper: G(z~, c~), silent on what c~ is and teaches. Here: probabilities, without gradient,
    # because pixels shall not teach C attributes (ADR 6).
    attributes = torch.sigmoid(real.attribute_logits.detach())  # [B, K]
    reconstructed = players.generate(real.latents, attributes)  # [B, 3, H, W]
    if given is not None:
        with torch.no_grad():
            features = given(images)  # each [B, C_l, H_l, W_l]
        reconstructed_features = given(reconstructed)
    else:
        features = real.features
        with frozen_weights(players.discriminator):
            reconstructed_features = players.features(reconstructed)
    return {
        "perceptual": perceptual_distance(features, reconstructed_features, recipe.perceptual_norm),
        "pixel": pixel_distance(images, reconstructed, recipe.pixel_norm),
    }
