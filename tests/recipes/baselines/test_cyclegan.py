"""CycleGAN: shapes, domains, gradient routing, the buffer, the schedule, and that it learns."""

import dataclasses
from pathlib import Path

import pytest
import torch
from run_log import load_metrics

from making_runs import CPU, TRAIN, changed
from twobirds.config import DataConfig, RunConfig
from twobirds.data.loader import Loader
from twobirds.data.pack import Pack
from twobirds.errors import InputError
from twobirds.recipes.baselines.config import CycleGANConfig
from twobirds.recipes.baselines.cyclegan import (
    CycleGAN,
    domain_rows,
    least_squares,
    load_translator,
)
from twobirds.recipes.baselines.cyclegan_networks import (
    WITH,
    WITHOUT,
    ImageBuffer,
    PatchDiscriminator,
    ResidualGenerator,
)
from twobirds.runtime import Runtime
from twobirds.training.run import fit_to_pack, train_run

CYCLE = CycleGANConfig("Bangs", num_channels=4, num_blocks=1, buffer_images=3)


def cycle_recipe(**train: float) -> RunConfig:
    """CycleGAN's tiny recipe."""
    config = RunConfig("test", CYCLE, DataConfig(size=32), TRAIN)
    return changed(config, **{"batch_size": 2, "images": 12} | train)


def test_the_networks_shapes() -> None:
    images = torch.rand(2, 3, 64, 64)
    translated = ResidualGenerator(num_channels=8, num_blocks=2)(images)
    assert translated.shape == images.shape
    assert translated.abs().max() <= 1
    assert PatchDiscriminator(8)(images).shape == (2, 1, 6, 6)


def test_least_squares() -> None:
    assert least_squares(torch.tensor([1.0, 0.0]), 1.0).item() == pytest.approx(0.5)
    assert least_squares(torch.tensor([3.0]), 0.0).item() == pytest.approx(9.0)


def test_the_domains_are_faces_without_and_with_the_attribute(tiny_pack: Pack) -> None:
    loader = Loader(tiny_pack, batch_size=2, seed=0, runtime=CPU, flip=False)
    column = tiny_pack.attribute_names.index("Bangs")
    rows = domain_rows(loader, column)
    assert tiny_pack.attributes[rows[WITHOUT].numpy(), column].max() == 0
    assert tiny_pack.attributes[rows[WITH].numpy(), column].min() == 1
    assert sorted([*rows[WITHOUT].tolist(), *rows[WITH].tolist()]) == loader.rows.tolist()


def test_each_step_updates_its_own_networks(
    tiny_pack: Pack, monkeypatch: pytest.MonkeyPatch
) -> None:
    cycle = CycleGAN(fit_to_pack(cycle_recipe(), tiny_pack), CPU)
    loader = Loader(tiny_pack, batch_size=2, seed=0, runtime=CPU, flip=False)
    seen: list[list[bool]] = []

    def watch(network: torch.nn.Module, optimizer: torch.optim.Adam) -> None:
        parts = (*cycle.generators.values(), *cycle.discriminators.values())
        seen.append([all(p.grad is not None for p in part.parameters()) for part in parts])
        optimizer.zero_grad(set_to_none=True)

    monkeypatch.setattr("twobirds.recipes.baselines.cyclegan.apply_gradients", watch)
    cycle.update(loader.batch(0), loader, 0)
    assert seen == [[True, True, False, False], [False, False, True, True]]


def test_the_buffer_gives_back_earlier_fakes() -> None:
    buffer = ImageBuffer(3, 1)
    generator = torch.Generator().manual_seed(0)
    fakes = torch.arange(1.0, 41.0).view(40, 1, 1, 1).expand(40, 3, 1, 1)
    shown = torch.cat([buffer.swap(fake[None], generator) for fake in fakes])[:, 0, 0, 0]
    assert shown[:3].tolist() == [1, 2, 3]  # while it fills, what comes in goes out
    later, numbers = shown[3:], torch.arange(4.0, 41.0)
    swapped = later != numbers
    assert 0.25 < swapped.float().mean() < 0.75
    assert (later[swapped] < numbers[swapped]).all()
    assert len(set(shown.tolist()) | set(buffer.images[:, 0, 0, 0].tolist())) == 40  # none lost


def test_the_step_size_falls_to_zero_over_the_second_half(tiny_pack: Pack) -> None:
    cycle = CycleGAN(fit_to_pack(cycle_recipe(images=40), tiny_pack), CPU)
    loader = Loader(tiny_pack, batch_size=2, seed=0, runtime=CPU, flip=False)
    rates = []
    for iteration in (0, 10, 15, 19):
        cycle.update(loader.batch(iteration), loader, iteration)
        rates.append(cycle.optimizers["generators"].param_groups[0]["lr"])
    full = cycle.config.train.learning_rate
    assert rates == pytest.approx([full, full, full / 2, full / 10])


def test_wrong_domains_are_refused(tiny_pack: Pack) -> None:
    unknown = dataclasses.replace(cycle_recipe(), recipe=CycleGANConfig("Hat"))
    with pytest.raises(InputError, match="no attribute Hat"):
        CycleGAN(fit_to_pack(unknown, tiny_pack), CPU)
    with pytest.raises(InputError, match="one process"):
        CycleGAN(fit_to_pack(cycle_recipe(), tiny_pack), Runtime(CPU.device, 0, 2))


def test_resumed_training_is_the_same(tiny_pack: Pack, tmp_path: Path) -> None:
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    config = cycle_recipe()
    assert train_run(config, tiny_pack, whole, CPU)
    while not train_run(config, tiny_pack, parts, CPU, max_seconds=0, resume=True):
        pass
    faces = torch.rand(2, 3, 32, 32) * 2 - 1
    first, second = (load_translator(run, torch.device("cpu")) for run in (whole, parts))
    for target in (0, 1):
        edits = (t.edit(faces, {"Bangs": target}) for t in (first, second))
        assert torch.equal(*edits)


def test_it_learns(drawn_pack: Pack, drawn_recipe: RunConfig, run: Path) -> None:
    """A face comes back from the other domain, and the discriminators do not lose."""
    train = dataclasses.replace(
        drawn_recipe.train, batch_size=4, images=1_200, log_every_images=60, learning_rate=1e-3
    )
    cycle = CycleGANConfig("Eyeglasses", num_channels=8, num_blocks=1)
    config = dataclasses.replace(drawn_recipe, train=train, recipe=cycle)
    assert train_run(config, drawn_pack, run, CPU)
    losses = load_metrics(run)
    assert losses[-1]["cycle"] < 0.75 * losses[0]["cycle"]
    assert losses[-1]["identity"] < 0.75 * losses[0]["identity"]
    assert losses[-1]["d_adversarial"] < 0.75 * losses[0]["d_adversarial"]
