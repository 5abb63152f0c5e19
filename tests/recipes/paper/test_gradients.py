"""Where gradients go, and where they do not (ADR 5, 6, 9)."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from watched_players import (
    NO_LOSS,
    STILL,
    WatchedPlayers,
    gradients,
    is_absent,
    is_zero,
    with_gradient,
)

from twobirds.data.loader import Batch
from twobirds.recipes.paper.losses import reconstruction_terms
from twobirds.recipes.paper.stages import stage1_update, stage2_update

# Gradients of stage 1


def test_stage1_trains_each_network_by_its_own_loss_alone(
    players: Callable[..., WatchedPlayers], batch: Batch, latents: Tensor
) -> None:
    watched = players()
    metrics = stage1_update(watched, batch, watched.fakes(latents))
    at_discriminator, at_generator = (watched.at_step[n] for n in ("discriminator", "generator"))
    assert is_absent(at_discriminator["generator"])
    assert is_absent(at_generator["discriminator"])
    for part in ("trunk", "score", "shared", "classifier.hidden", "classifier.attributes"):
        assert with_gradient(at_discriminator["discriminator"], part)
    assert not with_gradient(at_discriminator["discriminator"], "classifier.latents")
    assert with_gradient(at_generator["generator"], "project")
    assert all(is_absent(gradients(network)) for network in watched.networks.values())
    assert not any(value.requires_grad for value in metrics.values())


def test_label_loss_of_fakes_can_be_switched_off(
    players: Callable[..., WatchedPlayers], batch: Batch, latents: Tensor
) -> None:
    asked = torch.ones(4, 7)
    heads = []
    for label_fakes in (True, False):
        for attributes in (asked, 1 - asked):  # G generates the same images of both
            watched = players(label_fakes=label_fakes, adversarial_weight=0.0)
            watched.generate = lambda *_: torch.zeros(4, 3, 32, 32, requires_grad=True)  # type: ignore[method-assign]
            stage1_update(watched, batch, watched.fakes(latents, attributes))
            seen = watched.at_step["discriminator"]["discriminator"]
            heads.append(seen["classifier.attributes.bias"])
    assert not torch.equal(heads[0], heads[1])  # type: ignore[arg-type]
    assert torch.equal(heads[2], heads[3])  # type: ignore[arg-type]


# Gradients of stage 2


def test_reconstruction_losses_reach_the_latents_and_the_generator_only(
    players: Callable[..., WatchedPlayers], batch: Batch
) -> None:
    watched = players()
    terms = reconstruction_terms(watched, batch.images, watched.discriminate(batch.images), None)
    (terms["perceptual"] + terms["pixel"]).backward()
    found = gradients(watched.discriminator)
    assert not with_gradient(found, "score")
    for part in ("hidden", "norm", "attributes"):
        assert not with_gradient(found, f"classifier.{part}")
    for part in ("trunk.downsample.0", "trunk.downsample.3", "shared", "classifier.latents"):
        assert with_gradient(found, part)
    assert with_gradient(gradients(watched.generator), "project")


@pytest.mark.parametrize("part", ["pixel", "perceptual"])
def test_the_pass_over_reconstructions_gives_the_discriminator_nothing(
    players: Callable[..., WatchedPlayers], batch: Batch, part: str
) -> None:
    watched = players()
    real = watched.discriminate(batch.images)
    real = real._replace(latents=real.latents.detach())
    reconstruction_terms(watched, batch.images, real, None)[part].backward()
    assert is_absent(gradients(watched.discriminator))
    assert with_gradient(gradients(watched.generator), "project")


def test_adversarial_and_label_losses_of_the_discriminator_give_the_generator_nothing(
    players: Callable[..., WatchedPlayers], batch: Batch, latents: Tensor
) -> None:
    watched = players(
        **NO_LOSS | {"adversarial_weight": 1.0, "label_weight": 1.0, "latent_weight": 1.0}
    )
    stage2_update(watched, batch, watched.fakes(latents))
    assert is_zero(watched.at_step["discriminator"]["generator"])
    assert is_absent(watched.at_step["generator"]["discriminator"])
    assert all(is_absent(gradients(network)) for network in watched.networks.values())


def test_score_head_learns_from_the_adversarial_loss_alone(
    players: Callable[..., WatchedPlayers], batch: Batch, latents: Tensor
) -> None:
    heads = []
    no_other_loss = {name: 0.0 for name in NO_LOSS if name != "adversarial_weight"}
    for settings in ({}, no_other_loss):
        watched = players(**settings)
        stage2_update(watched, batch, watched.fakes(latents))
        heads.append(watched.at_step["discriminator"]["discriminator"]["score.weight"])
    torch.testing.assert_close(*heads)
    watched = players(adversarial_weight=0.0)
    stage2_update(watched, batch, watched.fakes(latents))
    score = {"score": watched.at_step["discriminator"]["discriminator"]["score.weight"]}
    assert is_zero(score)


def test_latent_loss_trains_the_code_head_in_one_step_and_the_generator_in_the_other(
    players: Callable[..., WatchedPlayers], batch: Batch, latents: Tensor
) -> None:
    watched = players(**NO_LOSS | {"latent_weight": 1.0})
    stage2_update(watched, batch, watched.fakes(latents))
    at_discriminator = watched.at_step["discriminator"]
    assert with_gradient(at_discriminator["discriminator"], "classifier.latents")
    assert with_gradient(at_discriminator["discriminator"], "trunk.downsample.0")
    assert is_zero({"score": at_discriminator["discriminator"]["score.weight"]})
    assert is_zero(at_discriminator["generator"])
    assert with_gradient(watched.at_step["generator"]["generator"], "project")


def test_generator_gathers_the_gradients_of_reconstructions_and_of_generated_images(
    players: Callable[..., WatchedPlayers], batch: Batch, latents: Tensor
) -> None:
    both, generated = players(**STILL), players(perceptual_weight=0.0, pixel_weight=0.0, **STILL)
    for watched in (both, generated):
        stage2_update(watched, batch, watched.fakes(latents))
    reconstructed = both.at_step["discriminator"]["generator"]
    total, part = (w.at_step["generator"]["generator"] for w in (both, generated))
    assert with_gradient(reconstructed, "project")
    for name, gradient in total.items():
        assert gradient is not None
        expected = reconstructed[name] + part[name]  # type: ignore[operator]
        torch.testing.assert_close(gradient, expected, rtol=1e-4, atol=1e-7)


def test_pixels_do_not_teach_attributes(
    players: Callable[..., WatchedPlayers], batch: Batch
) -> None:
    watched = players(**NO_LOSS | {"pixel_weight": 1.0})
    real = watched.discriminate(batch.images)
    seen: list[Tensor] = []
    watched.generator.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[1]))
    reconstruction_terms(watched, batch.images, real, None)
    assert torch.equal(seen[0], torch.sigmoid(real.attribute_logits))
    assert not seen[0].requires_grad
