"""Stage 1: an ACGAN with many labels (P9, P10, P14; Sec. 3.2)."""

from torch import Tensor

from twobirds.config import LossConfig
from twobirds.data.loader import Batch
from twobirds.losses.adversarial import discriminator_loss, generator_loss
from twobirds.losses.attributes import label_loss
from twobirds.losses.integrated import latent_distance
from twobirds.models.discriminator import DiscriminatorOutput
from twobirds.models.layers import frozen_statistics, frozen_weights
from twobirds.training.players import Players

Metrics = dict[str, Tensor]


def discriminate_fakes(players: Players, fakes: Tensor) -> DiscriminatorOutput:
    """One pass of D and C over generated images `[B, 3, H, W]`.

    C's running statistics stay those of real images, which inference is about (ADR 8).
    """
    with frozen_statistics(players.discriminator):
        return players.discriminate(fakes)


def discriminator_classifier_loss(
    real: DiscriminatorOutput, fake: DiscriminatorOutput, batch: Batch, config: LossConfig
) -> tuple[Tensor, Metrics]:
    """What D and C minimise in stage 1: to tell real from generated, and to know the attributes.

    Args:
        real: D's pass over real images.
        fake: D's pass over generated images that are detached from G.
        batch: The batch, for the labels.
        config: Weights.

    Returns:
        Scalar `[]`, and its parts to log.
    """
    adversarial = discriminator_loss(real.score_logits, fake.score_logits)
    label_real = label_loss(real.attribute_logits, batch.attributes)
    label_fake = label_loss(fake.attribute_logits, batch.fake_attributes)
    labels = label_real + label_fake if config.label_fakes else label_real
    total = config.adversarial * adversarial + config.label * labels
    # For the balance: G's loss against the same D, in the form that is log 2 where D cannot tell.
    opponent = generator_loss(fake.score_logits.detach())
    metrics = {"d_adversarial": adversarial, "g_adversarial": opponent}
    return total, metrics | {"label_real": label_real, "label_fake": label_fake}


def update_generator(
    players: Players, fakes: Tensor, latents: Tensor, attributes: Tensor, *, latent: bool
) -> Metrics:
    """One update of G: to pass as real, with the attributes asked for (and in stage 2, with z).

    Gradients that G has already gathered in this iteration take part.

    Args:
        players: The networks.
        fakes: `[B, 3, H, W]` G's images, attached to its graph.
        latents: `[B, Z]` what they were made from.
        attributes: `[B, K]` likewise.
        latent: Whether the latent code loss takes part (Sec. 3.3.3).

    Returns:
        Losses to log.
    """
    config = players.config.loss
    with frozen_weights(players.discriminator):
        fake = discriminate_fakes(players, fakes)
    adversarial = generator_loss(fake.score_logits, config.adversarial_form)
    label = label_loss(fake.attribute_logits, attributes)
    total = config.adversarial * adversarial + config.label * label
    if latent:
        total = total + config.latent * latent_distance(fake.latents, latents, config.latent_norm)
    total.backward()
    players.step("generator")
    return {"g_label": label.detach()}


def stage1_update(players: Players, batch: Batch, latents: Tensor) -> Metrics:
    """One update of D and C, one of G: 3 passes of D, 1 of G.

    Args:
        players: The networks; D's gradients are applied before G's are computed.
        batch: Real faces, their labels, and attributes for the generated ones.
        latents: `[B, Z]` in [-1, 1], for the generated ones.

    Returns:
        Losses to log.
    """
    fakes = players.generate(latents, batch.fake_attributes)
    metrics = update_discriminator(players, batch, fakes)
    metrics |= update_generator(players, fakes, latents, batch.fake_attributes, latent=False)
    return metrics


def update_discriminator(players: Players, batch: Batch, fakes: Tensor) -> Metrics:
    """One update of D and C on a batch and on generated images `[B, 3, H, W]`."""
    real = players.discriminate(batch.images)
    fake = discriminate_fakes(players, fakes.detach())
    total, metrics = discriminator_classifier_loss(real, fake, batch, players.config.loss)
    total.backward()
    players.step("discriminator")
    return {name: value.detach() for name, value in metrics.items()}
