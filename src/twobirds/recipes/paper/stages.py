"""One iteration of each stage.

Stage 1 is an ACGAN with many labels (P9, P10, P14; Sec. 3.2), stage 2 adds the integrated loss
(P11-P14; Sec. 3.3).
"""

from typing import NamedTuple

from torch import Tensor

from twobirds.data.loader import Batch
from twobirds.losses.adversarial import generator_loss
from twobirds.losses.attributes import label_loss
from twobirds.losses.integrated import latent_distance
from twobirds.models.layers import frozen_weights
from twobirds.models.networks import FeatureNetwork
from twobirds.recipes.paper.losses import Terms, discriminator_terms, reconstruction_terms
from twobirds.recipes.paper.players import Players


class Fakes(NamedTuple):
    """Generated faces and what they were generated from."""

    images: Tensor
    """`[B, 3, H, W]` in [-1, 1], attached to G's graph."""
    latents: Tensor
    """`[B, Z]` in [-1, 1]."""
    attributes: Tensor
    """`[B, K]` 0/1."""


def stage1_update(players: Players, batch: Batch, fakes: Fakes) -> Terms:
    """One update of D and C, then one of G: 3 passes of D, 1 of G.

    Returns:
        Losses to log, detached.
    """
    terms = update_discriminator(players, batch, fakes)
    return terms | update_generator(players, fakes, has_latent_loss=False)


def stage2_update(
    players: Players, batch: Batch, fakes: Fakes, given: FeatureNetwork | None = None
) -> Terms:
    """One update of D and C, then one of G, with shared passes: 4 of D, 2 of G.

    One pass of D over the real images serves the adversarial loss, the label loss, z~, c~ and the
    features. D steps after the integrated loss has been propagated; G gathers its gradients of
    the reconstructed and of the generated images, and steps last (ADR 9).

    Args:
        players: The networks.
        batch: Real faces and their labels.
        fakes: Generated faces.
        given: A network for the perceptual loss, instead of D's trunk.

    Returns:
        Losses to log, detached.
    """
    recipe = players.recipe
    real = players.discriminate(batch.images)
    fake = players.discriminate_fakes(fakes.images.detach())
    terms = discriminator_terms(real, fake, batch.attributes, fakes.attributes)
    stage1_loss = _stage1_loss(terms, players)
    terms |= reconstruction_terms(players, batch.images, real, given)
    terms["latent"] = latent_distance(fake.latents, fakes.latents, recipe.latent_norm)
    loss = (
        stage1_loss
        + (recipe.perceptual_weight * terms["perceptual"] + recipe.pixel_weight * terms["pixel"])
        + recipe.latent_weight * terms["latent"]
    )
    loss.backward()  # D, C and, through the reconstructions, G
    players.step("discriminator")
    return _detached(terms) | update_generator(players, fakes, has_latent_loss=True)


def update_discriminator(players: Players, batch: Batch, fakes: Fakes) -> Terms:
    """One update of D and C by the losses of stage 1.

    Returns:
        Losses to log, detached.
    """
    real = players.discriminate(batch.images)
    fake = players.discriminate_fakes(fakes.images.detach())
    terms = discriminator_terms(real, fake, batch.attributes, fakes.attributes)
    _stage1_loss(terms, players).backward()
    players.step("discriminator")
    return _detached(terms)


def update_generator(players: Players, fakes: Fakes, *, has_latent_loss: bool) -> Terms:
    """One update of G: to pass as real, with the attributes asked for (and in stage 2, with z).

    Gradients that G has already gathered in this iteration take part.

    Args:
        players: The networks; D's weights get no gradient.
        fakes: Generated faces.
        has_latent_loss: Whether the latent code loss takes part (Sec. 3.3.3).

    Returns:
        Losses to log, detached.
    """
    recipe = players.recipe
    with frozen_weights(players.discriminator):
        fake = players.discriminate_fakes(fakes.images)
    adversarial = generator_loss(fake.score_logits, recipe.adversarial_form)
    label = label_loss(fake.attribute_logits, fakes.attributes)
    loss = recipe.adversarial_weight * adversarial + recipe.label_weight * label
    if has_latent_loss:
        latent = latent_distance(fake.latents, fakes.latents, recipe.latent_norm)
        loss = loss + recipe.latent_weight * latent
    loss.backward()
    players.step("generator")
    return _detached({"g_label": label})


def _stage1_loss(terms: Terms, players: Players) -> Tensor:
    """The weighted sum `[]` of what D and C minimize in stage 1."""
    recipe = players.recipe
    labels = terms["label_real"]
    if recipe.label_fakes:
        labels = labels + terms["label_fake"]
    return recipe.adversarial_weight * terms["d_adversarial"] + recipe.label_weight * labels


def _detached(terms: Terms) -> Terms:
    return {name: value.detach() for name, value in terms.items()}
