"""Which passes an iteration makes, and what comes of it (P14; ADR 8, 9)."""

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from watched_players import NO_LOSS, STILL, WatchedPlayers, count_calls, with_gradient

from making_runs import CPU, recipe
from twobirds.data.loader import Batch, Loader
from twobirds.data.pack import Pack
from twobirds.errors import InputError
from twobirds.models.layers import BatchNorm
from twobirds.recipes.paper.objective import IterativeGAN
from twobirds.recipes.paper.stages import stage1_update, stage2_update
from twobirds.training.run import fit_to_pack

# Passes


@pytest.mark.parametrize(
    ("stage", "num_updates", "expected"),
    [
        (1, (1, 1), (3, 1)),
        (1, (2, 1), (5, 2)),  # an update of D more: two passes of D, one of G
        (1, (1, 2), (4, 2)),  # an update of G more: one pass of each
        (1, (1, 4), (6, 4)),
        (2, (1, 1), (4, 2)),
        (2, (2, 1), (6, 3)),
        (2, (1, 2), (5, 3)),
    ],
)
def test_numbers_of_passes(
    tiny_pack: Pack, stage: int, num_updates: tuple[int, int], expected: tuple[int, int]
) -> None:
    changes = {"stage1_share": float(2 - stage), "ema_half_life_images": 0}
    objective = IterativeGAN(fit_to_pack(recipe(**changes), tiny_pack), CPU)
    objective.balance.num_discriminator, objective.balance.num_generator = num_updates
    loader = Loader(tiny_pack, batch_size=4, seed=0, runtime=CPU, flip=True)
    trunk = count_calls(objective.players.discriminator.trunk)
    generator = count_calls(objective.players.generator)
    objective.update(loader.batch(0), loader, 0)
    assert (len(trunk), len(generator)) == expected


def test_heads_of_the_discriminator_do_not_see_reconstructions(
    players: Callable[..., WatchedPlayers], batch: Batch, latents: Tensor
) -> None:
    watched = players()
    heads = count_calls(watched.discriminator.classifier)
    stage2_update(watched, batch, watched.fakes(latents))
    assert len(heads) == 3


# Statistics, metrics, choices


@pytest.mark.parametrize("update", [stage1_update, stage2_update])
def test_running_statistics_of_the_discriminator_are_those_of_real_images(
    players: Callable[..., WatchedPlayers], batch: Batch, latents: Tensor, update: Any
) -> None:
    trained, reference = players(**STILL), players(**STILL)
    update(trained, batch, trained.fakes(latents))
    reference.discriminate(batch.images)
    norms = [m for m in trained.discriminator.modules() if isinstance(m, BatchNorm)]
    expected = [m for m in reference.discriminator.modules() if isinstance(m, BatchNorm)]
    assert norms
    for norm, other in zip(norms, expected, strict=True):
        assert torch.equal(norm.running_mean, other.running_mean)
        assert torch.equal(norm.running_var, other.running_var)


def test_metrics_of_both_stages(
    players: Callable[..., WatchedPlayers], batch: Batch, latents: Tensor
) -> None:
    one, other = players(), players()
    first = stage1_update(one, batch, one.fakes(latents))
    second = stage2_update(other, batch, other.fakes(latents))
    names = {"d_adversarial", "g_adversarial", "label_real", "label_fake", "g_label"}
    assert set(first) == names
    assert set(second) == names | {"perceptual", "pixel", "latent"}
    assert first["d_adversarial"].item() == second["d_adversarial"].item()
    assert first["d_adversarial"].item() == pytest.approx(2 * math.log(2), rel=0.1)


def test_balance_compares_like_with_like_in_the_minmax_form_too(
    players: Callable[..., WatchedPlayers], batch: Batch, latents: Tensor
) -> None:
    forms = ("non_saturating", "minmax")
    seen = []
    for form in forms:
        watched = players(adversarial_form=form)
        seen.append(stage1_update(watched, batch, watched.fakes(latents)))
    assert seen[0]["g_adversarial"] == seen[1]["g_adversarial"]
    assert seen[0]["g_adversarial"].item() == pytest.approx(math.log(2), rel=0.1)


def test_a_given_network_takes_the_place_of_the_trunk(
    players: Callable[..., WatchedPlayers], batch: Batch, latents: Tensor
) -> None:
    watched = players(**NO_LOSS | {"perceptual_weight": 1.0})
    trunk = count_calls(watched.discriminator.trunk)
    network = nn.Conv2d(3, 2, 3)
    seen: list[Tensor] = []

    def features(images: Tensor) -> list[Tensor]:
        seen.append(images)
        return [network(images), images]

    metrics = stage2_update(watched, batch, watched.fakes(latents), features)
    assert len(trunk) == 3
    assert torch.equal(seen[0], batch.images)
    reconstructed = seen[1].detach()
    expected = [
        (network(reconstructed) - network(batch.images)).square().mean().item(),
        (reconstructed - batch.images).square().mean().item(),
    ]
    assert metrics["perceptual"].item() == pytest.approx(sum(expected) / 2)
    assert with_gradient(watched.at_step["discriminator"]["generator"], "project")


def test_a_feature_network_must_be_given_exactly_when_it_is_asked_for(tiny_pack: Pack) -> None:
    asked = fit_to_pack(recipe(feature_source="network"), tiny_pack)
    with pytest.raises(InputError, match="feature_source is network exactly when"):
        IterativeGAN(asked, CPU)
    with pytest.raises(InputError, match="feature_source is network exactly when"):
        IterativeGAN(fit_to_pack(recipe(), tiny_pack), CPU, lambda images: [images])


def test_stage_changes_with_the_images_seen(tiny_pack: Pack) -> None:
    objective = IterativeGAN(fit_to_pack(recipe(), tiny_pack), CPU)
    assert [objective.stage(images) for images in (0, 17, 18, 36)] == [1, 1, 2, 2]


def test_sampling_changes_nothing(tiny_pack: Pack, batch: Batch) -> None:
    objective = IterativeGAN(fit_to_pack(recipe(), tiny_pack), CPU)
    networks = objective.networks
    before = {n: {k: v.clone() for k, v in m.state_dict().items()} for n, m in networks.items()}
    rows = objective.sample(batch.images, batch.attributes)
    assert set(rows) == {"generated", "real", "reconstructed"}
    assert all(row.shape == (4, 3, 32, 32) for row in rows.values())
    assert torch.equal(
        rows["generated"], objective.sample(batch.images, batch.attributes)["generated"]
    )
    for name, network in networks.items():
        assert network.training
        assert all(torch.equal(v, before[name][k]) for k, v in network.state_dict().items())
