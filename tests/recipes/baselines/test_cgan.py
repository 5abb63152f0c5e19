"""CGAN and DCGAN: shapes, who learns from what, and that faces appear."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch

from making_runs import CPU, TRAIN, changed
from twobirds.config import DataConfig, RunConfig
from twobirds.data.faces import from_pixels
from twobirds.data.loader import Loader
from twobirds.data.pack import Pack
from twobirds.errors import InputError
from twobirds.recipes.baselines.cgan import (
    ConditionalDiscriminator,
    ConditionalGAN,
    load_conditional_gan,
)
from twobirds.recipes.baselines.config import CGANConfig, CNNConfig, DCGANConfig
from twobirds.training.run import fit_to_pack, train_run


def small(recipe: CGANConfig | DCGANConfig, **changes: float) -> RunConfig:
    """Nine iterations of four faces."""
    recipe = dataclasses.replace(recipe, width=1 / 16, num_latents=8)
    return changed(RunConfig("test", recipe, DataConfig(size=32), TRAIN), **changes)


@pytest.mark.parametrize("num_attributes", [0, 7])
def test_the_discriminator_scores_pairs(num_attributes: int) -> None:
    network = ConditionalDiscriminator(
        num_attributes=num_attributes, size=32, channels=(4, 8, 16, 32)
    )
    images, attributes = torch.rand(3, 3, 32, 32), torch.zeros(3, num_attributes)
    assert network(images, attributes).shape == (3,)
    shapes = [tuple(f.shape) for f in network.features(images, attributes)]
    assert shapes == [(3, 4, 16, 16), (3, 8, 8, 8), (3, 16, 4, 4), (3, 32, 2, 2)]


def test_the_score_depends_on_the_attributes() -> None:
    network = ConditionalDiscriminator(num_attributes=7, size=32, channels=(4, 8, 16, 32)).eval()
    images = torch.rand(2, 3, 32, 32)
    without, with_all = (network(images, torch.full((2, 7), value)) for value in (0.0, 1.0))
    assert (without != with_all).all()


@pytest.mark.parametrize("recipe", [CGANConfig(), DCGANConfig()])
def test_one_iteration_changes_both_networks_and_leaves_no_gradient(
    tiny_pack: Pack, recipe: CGANConfig | DCGANConfig
) -> None:
    gan = ConditionalGAN(fit_to_pack(small(recipe), tiny_pack), CPU)
    loader = Loader(tiny_pack, batch_size=4, seed=0, runtime=CPU, flip=False)
    before = {n: [p.clone() for p in net.parameters()] for n, net in gan.networks.items()}
    metrics = gan.update(loader.batch(0), loader, 0)
    assert set(metrics) == {"d_adversarial", "g_adversarial"}
    for name, network in gan.networks.items():
        for old, new in zip(before[name], network.parameters(), strict=True):
            assert not torch.equal(old, new)
            assert new.grad is None


def test_the_generators_step_leaves_the_discriminator_alone(
    tiny_pack: Pack, monkeypatch: pytest.MonkeyPatch
) -> None:
    gan = ConditionalGAN(fit_to_pack(small(CGANConfig()), tiny_pack), CPU)
    loader = Loader(tiny_pack, batch_size=4, seed=0, runtime=CPU, flip=False)
    seen: list[list[bool]] = []

    def watch(network: torch.nn.Module, optimizer: torch.optim.Adam) -> None:
        has = [
            any(p.grad is not None for p in net.parameters())
            for net in (gan.generator, gan.discriminator)
        ]
        seen.append(has)
        optimizer.zero_grad(set_to_none=True)

    monkeypatch.setattr("twobirds.recipes.baselines.cgan.apply_gradients", watch)
    gan.update(loader.batch(0), loader, 0)
    assert seen == [[False, True], [True, False]]


def test_faces_appear(drawn_pack: Pack, drawn_recipe: RunConfig, run: Path) -> None:
    """The mean of the generated faces has the shape of the mean of the drawn ones."""
    train = dataclasses.replace(drawn_recipe.train, images=9_600, learning_rate=5e-4)
    config = dataclasses.replace(drawn_recipe, train=train)
    assert train_run(config, drawn_pack, run, CPU)
    model = load_conditional_gan(run, torch.device("cpu"))
    rows = torch.from_numpy(np.array(drawn_pack.attributes)).float()
    fakes = model.decode(torch.rand(len(rows), model.num_latents) * 2 - 1, rows)
    real = from_pixels(torch.from_numpy(np.array(drawn_pack.images)))
    assert fakes.shape == real.shape
    means = torch.stack([fakes.mean(0).flatten(), real.mean(0).flatten()])  # [2, 3 H W]
    assert torch.corrcoef(means)[0, 1] > 0.5  # noise or a flat grey has about 0


def test_resumed_training_is_the_same(tiny_pack: Pack, tmp_path: Path) -> None:
    config = small(CGANConfig())
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    assert train_run(config, tiny_pack, whole, CPU)
    assert not train_run(config, tiny_pack, parts, CPU, max_seconds=0)
    assert train_run(config, tiny_pack, parts, CPU, resume=True)
    first, second = (load_conditional_gan(run, torch.device("cpu")) for run in (whole, parts))
    for a, b in zip(first.generator.parameters(), second.generator.parameters(), strict=True):
        assert torch.equal(a, b)


def test_what_is_no_cgan_is_refused(tiny_pack: Pack, run: Path) -> None:
    config = RunConfig("cnn", CNNConfig(width=1 / 16, num_hidden=8), DataConfig(size=32), TRAIN)
    train_run(config, tiny_pack, run, CPU, max_seconds=0.0)
    with pytest.raises(InputError, match="is no run of CGAN or DCGAN"):
        load_conditional_gan(run, torch.device("cpu"))
