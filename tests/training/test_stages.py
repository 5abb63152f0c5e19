"""Which passes an iteration makes, where gradients go, and where they do not (P14; ADR 5, 9)."""

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from making_runs import CPU, recipe
from twobirds.config import RunConfig
from twobirds.data.loader import Batch, Loader
from twobirds.data.pack import Pack
from twobirds.errors import InputError
from twobirds.models.layers import BatchNorm
from twobirds.training.iterative import IterativeGAN
from twobirds.training.players import Players
from twobirds.training.run import fit_to_pack
from twobirds.training.stage1 import stage1_update
from twobirds.training.stage2 import integrated_loss, stage2_update

NO_LOSS = dict.fromkeys(("adversarial", "label", "perceptual", "pixel", "latent"), 0.0)
STILL = {"learning_rate": 1e-30}  # steps too small to move any weight
Gradients = dict[str, dict[str, Tensor | None]]


def gradients(network: nn.Module) -> dict[str, Tensor | None]:
    return {n: None if p.grad is None else p.grad.clone() for n, p in network.named_parameters()}


def is_absent(values: dict[str, Tensor | None]) -> bool:
    return all(value is None for value in values.values())


def is_zero(values: dict[str, Tensor | None]) -> bool:
    return all(value is None or not value.any() for value in values.values())


def with_gradient(values: dict[str, Tensor | None], prefix: str) -> bool:
    return any(v is not None and bool(v.any()) for n, v in values.items() if n.startswith(prefix))


class WatchedPlayers(Players):
    """Players that note all gradients just before each step."""

    def __init__(self, config: RunConfig) -> None:
        super().__init__(config, CPU)
        self.at_step: dict[str, Gradients] = {}

    def step(self, name: str) -> None:
        self.at_step[name] = {n: gradients(net) for n, net in self.networks.items()}
        super().step(name)


@pytest.fixture
def players(tiny_pack: Pack) -> Callable[..., WatchedPlayers]:
    def build(loss: dict[str, Any] | None = None, **changes: Any) -> WatchedPlayers:
        changes = {"ema_half_life_images": 0} | changes
        return WatchedPlayers(fit_to_pack(recipe(loss=loss, train=changes), tiny_pack))

    return build


@pytest.fixture
def batch(tiny_pack: Pack) -> Batch:
    return Loader(tiny_pack, batch_size=4, seed=0, runtime=CPU, flip=False).batch(0)


@pytest.fixture
def latents() -> Tensor:
    return torch.rand(4, 8, generator=torch.Generator().manual_seed(5)) * 2 - 1


def count_calls(module: nn.Module) -> list[int]:
    calls: list[int] = []
    module.register_forward_pre_hook(lambda *_: calls.append(1))
    return calls


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
    objective = IterativeGAN(fit_to_pack(recipe(train=changes), tiny_pack), CPU)
    objective.balance.num_discriminator, objective.balance.num_generator = num_updates
    loader = Loader(tiny_pack, batch_size=4, seed=0, runtime=CPU, flip=True)
    trunk = count_calls(objective.players.discriminator.trunk)
    generator = count_calls(objective.players.generator)
    objective.update(loader.batch(0), loader, 0)
    assert (len(trunk), len(generator)) == expected


def test_heads_of_the_discriminator_do_not_see_rebuilt_images(
    players: Callable[..., WatchedPlayers], batch: Batch, latents: Tensor
) -> None:
    watched = players()
    heads = count_calls(watched.discriminator.classifier)
    stage2_update(watched, batch, latents)
    assert len(heads) == 3


# Gradients of stage 1


def test_stage1_trains_each_network_by_its_own_loss_alone(
    players: Callable[..., WatchedPlayers], batch: Batch, latents: Tensor
) -> None:
    watched = players()
    metrics = stage1_update(watched, batch, latents)
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
    other = batch._replace(fake_attributes=1 - batch.fake_attributes)
    heads = []
    for label_fakes in (True, False):
        for given in (batch, other):  # G draws the same images of both
            watched = players(loss={"label_fakes": label_fakes, "adversarial": 0.0})
            watched.generate = lambda *_: torch.zeros(4, 3, 32, 32, requires_grad=True)  # type: ignore[method-assign]
            stage1_update(watched, given, latents)
            seen = watched.at_step["discriminator"]["discriminator"]
            heads.append(seen["classifier.attributes.bias"])
    assert not torch.equal(heads[0], heads[1])  # type: ignore[arg-type]
    assert torch.equal(heads[2], heads[3])  # type: ignore[arg-type]


# Gradients of stage 2


def test_integrated_loss_reaches_the_code_and_the_generator_only(
    players: Callable[..., WatchedPlayers], batch: Batch
) -> None:
    watched = players()
    loss, _ = integrated_loss(watched, batch.images, watched.read(batch.images), None)
    loss.backward()
    found = gradients(watched.discriminator)
    assert not with_gradient(found, "score")
    for part in ("hidden", "norm", "attributes"):
        assert not with_gradient(found, f"classifier.{part}")
    for part in ("trunk.downsample.0", "trunk.downsample.3", "shared", "classifier.latents"):
        assert with_gradient(found, part)
    assert with_gradient(gradients(watched.generator), "project")


@pytest.mark.parametrize("part", ["pixel", "perceptual"])
def test_the_pass_over_rebuilt_images_gives_the_discriminator_nothing(
    players: Callable[..., WatchedPlayers], batch: Batch, part: str
) -> None:
    watched = players(loss=NO_LOSS | {part: 1.0})
    real = watched.read(batch.images)
    loss, _ = integrated_loss(
        watched, batch.images, real._replace(latents=real.latents.detach()), None
    )
    loss.backward()
    assert is_absent(gradients(watched.discriminator))
    assert with_gradient(gradients(watched.generator), "project")


def test_adversarial_and_label_losses_of_the_discriminator_give_the_generator_nothing(
    players: Callable[..., WatchedPlayers], batch: Batch, latents: Tensor
) -> None:
    watched = players(loss=NO_LOSS | {"adversarial": 1.0, "label": 1.0, "latent": 1.0})
    stage2_update(watched, batch, latents)
    assert is_zero(watched.at_step["discriminator"]["generator"])
    assert is_absent(watched.at_step["generator"]["discriminator"])
    assert all(is_absent(gradients(network)) for network in watched.networks.values())


def test_score_head_learns_from_the_adversarial_loss_alone(
    players: Callable[..., WatchedPlayers], batch: Batch, latents: Tensor
) -> None:
    heads = []
    for loss in ({}, {"perceptual": 0.0, "pixel": 0.0, "latent": 0.0, "label": 0.0}):
        watched = players(loss=loss)
        stage2_update(watched, batch, latents)
        heads.append(watched.at_step["discriminator"]["discriminator"]["score.weight"])
    torch.testing.assert_close(*heads)
    watched = players(loss={"adversarial": 0.0})
    stage2_update(watched, batch, latents)
    score = {"score": watched.at_step["discriminator"]["discriminator"]["score.weight"]}
    assert is_zero(score)


def test_latent_loss_trains_the_code_head_in_one_step_and_the_generator_in_the_other(
    players: Callable[..., WatchedPlayers], batch: Batch, latents: Tensor
) -> None:
    watched = players(loss=NO_LOSS | {"latent": 1.0})
    stage2_update(watched, batch, latents)
    at_discriminator = watched.at_step["discriminator"]
    assert with_gradient(at_discriminator["discriminator"], "classifier.latents")
    assert with_gradient(at_discriminator["discriminator"], "trunk.downsample.0")
    assert is_zero({"score": at_discriminator["discriminator"]["score.weight"]})
    assert is_zero(at_discriminator["generator"])
    assert with_gradient(watched.at_step["generator"]["generator"], "project")


def test_generator_gathers_the_gradients_of_rebuilt_and_of_generated_images(
    players: Callable[..., WatchedPlayers], batch: Batch, latents: Tensor
) -> None:
    both, generated = players(**STILL), players(loss={"perceptual": 0.0, "pixel": 0.0}, **STILL)
    for watched in (both, generated):
        stage2_update(watched, batch, latents)
    rebuilt = both.at_step["discriminator"]["generator"]
    total, part = (w.at_step["generator"]["generator"] for w in (both, generated))
    assert with_gradient(rebuilt, "project")
    for name, gradient in total.items():
        assert gradient is not None
        expected = rebuilt[name] + part[name]  # type: ignore[operator]
        torch.testing.assert_close(gradient, expected, rtol=1e-4, atol=1e-7)


def test_pixels_do_not_teach_attributes(
    players: Callable[..., WatchedPlayers], batch: Batch
) -> None:
    watched = players(loss=NO_LOSS | {"pixel": 1.0})
    real = watched.read(batch.images)
    seen: list[Tensor] = []
    watched.generator.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[1]))
    integrated_loss(watched, batch.images, real, None)
    assert torch.equal(seen[0], torch.sigmoid(real.attribute_logits))
    assert not seen[0].requires_grad


# Statistics, metrics, choices


@pytest.mark.parametrize("update", [stage1_update, stage2_update])
def test_running_statistics_of_the_discriminator_are_those_of_real_images(
    players: Callable[..., WatchedPlayers], batch: Batch, latents: Tensor, update: Any
) -> None:
    trained, reference = players(**STILL), players(**STILL)
    update(trained, batch, latents)
    reference.read(batch.images)
    norms = [m for m in trained.discriminator.modules() if isinstance(m, BatchNorm)]
    expected = [m for m in reference.discriminator.modules() if isinstance(m, BatchNorm)]
    assert norms
    for norm, other in zip(norms, expected, strict=True):
        assert torch.equal(norm.running_mean, other.running_mean)
        assert torch.equal(norm.running_var, other.running_var)


def test_metrics_of_both_stages(
    players: Callable[..., WatchedPlayers], batch: Batch, latents: Tensor
) -> None:
    first = stage1_update(players(), batch, latents)
    second = stage2_update(players(), batch, latents)
    names = {"d_adversarial", "g_adversarial", "label_real", "label_fake", "g_label"}
    assert set(first) == names
    assert set(second) == names | {"perceptual", "pixel", "latent"}
    assert first["d_adversarial"].item() == second["d_adversarial"].item()
    assert first["d_adversarial"].item() == pytest.approx(2 * math.log(2), rel=0.1)


def test_balance_compares_like_with_like_in_the_minmax_form_too(
    players: Callable[..., WatchedPlayers], batch: Batch, latents: Tensor
) -> None:
    forms = ("non_saturating", "minmax")
    seen = [
        stage1_update(players(loss={"adversarial_form": form}), batch, latents) for form in forms
    ]
    assert seen[0]["g_adversarial"] == seen[1]["g_adversarial"]
    assert seen[0]["g_adversarial"].item() == pytest.approx(math.log(2), rel=0.1)


def test_a_given_network_takes_the_place_of_the_trunk(
    players: Callable[..., WatchedPlayers], batch: Batch, latents: Tensor
) -> None:
    watched = players(loss=NO_LOSS | {"perceptual": 1.0})
    trunk = count_calls(watched.discriminator.trunk)
    network = nn.Conv2d(3, 2, 3)
    seen: list[Tensor] = []

    def features(images: Tensor) -> list[Tensor]:
        seen.append(images)
        return [network(images), images]

    metrics = stage2_update(watched, batch, latents, features)
    assert len(trunk) == 3
    assert torch.equal(seen[0], batch.images)
    rebuilt = seen[1].detach()
    expected = [
        (network(rebuilt) - network(batch.images)).square().mean().item(),
        (rebuilt - batch.images).square().mean().item(),
    ]
    assert metrics["perceptual"].item() == pytest.approx(sum(expected) / 2)
    assert with_gradient(watched.at_step["discriminator"]["generator"], "project")


def test_a_feature_network_must_be_given_exactly_when_it_is_asked_for(tiny_pack: Pack) -> None:
    asked = fit_to_pack(recipe(loss={"feature_source": "network"}), tiny_pack)
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
    assert set(rows) == {"generated", "real", "rebuilt"}
    assert all(row.shape == (4, 3, 32, 32) for row in rows.values())
    assert torch.equal(
        rows["generated"], objective.sample(batch.images, batch.attributes)["generated"]
    )
    for name, network in networks.items():
        assert network.training
        assert all(torch.equal(v, before[name][k]) for k, v in network.state_dict().items())
