"""Shapes, sizes and layers of the three networks, and how weights and statistics are held."""

import dataclasses

import pytest
import torch
from torch import nn

from making_runs import ATTRIBUTES, MODEL
from twobirds.config import ModelConfig
from twobirds.data.attributes import CELEBA_ATTRIBUTES
from twobirds.errors import InputError
from twobirds.models.build import build_discriminator, build_generator, channels
from twobirds.models.ema import ema_decay, update_ema
from twobirds.models.layers import BatchNorm, frozen_statistics, frozen_weights, initialize
from twobirds.randomness import keyed_generator

SMALL = dataclasses.replace(MODEL, attributes=ATTRIBUTES)


def num_weights(network: nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


@pytest.mark.parametrize("size", [32, 64, 128])
@pytest.mark.parametrize("width", [1 / 16, 0.25])
@pytest.mark.parametrize("has_norm", [False, True])
def test_shapes_and_ranges(size: int, width: float, has_norm: bool) -> None:
    config = dataclasses.replace(SMALL, size=size, width=width, discriminator_norm=has_norm)
    generator, discriminator = build_generator(config), build_discriminator(config)
    images = generator(torch.rand(3, 8) * 2 - 1, torch.ones(3, len(ATTRIBUTES)))
    assert images.shape == (3, 3, size, size)
    assert images.abs().max() <= 1
    output = discriminator(images)
    assert output.score_logits.shape == (3,)
    assert output.latents.shape == (3, 8)
    assert output.latents.abs().max() <= 1
    assert output.attribute_logits.shape == (3, len(ATTRIBUTES))
    assert [tuple(f.shape) for f in output.features] == [
        (3, c, size // 2**i, size // 2**i) for i, c in enumerate(channels(width), start=1)
    ]


def test_channels() -> None:
    assert channels(1.0) == (64, 128, 256, 512)
    assert channels(0.5) == (32, 64, 128, 256)
    assert channels(1 / 32) == (4, 4, 8, 16)


@pytest.mark.parametrize("has_norm", [False, True])
def test_numbers_of_weights_are_the_papers(has_norm: bool) -> None:
    config = ModelConfig(attributes=CELEBA_ATTRIBUTES, discriminator_norm=has_norm)
    convolutions = [(3, 64), (64, 128), (128, 256), (256, 512)]
    expected = (
        (140 + 1) * 8 * 8 * 512  # the fully connected layer
        + sum(25 * a * b for a, b in convolutions) + (256 + 128 + 64 + 3)
        + 2 * (512 + 256 + 128 + 64)  # batch norm
    )  # fmt: skip
    assert num_weights(build_generator(config)) == expected == 8_928_259
    expected = (
        sum((25 * a + 1) * b for a, b in convolutions)
        + (32_768 + 1) * (1 + 1024)  # the score, and the layer shared with C
        + (1024 + 1) * (100 + 128) + 2 * 128 + (128 + 1) * 40
        + has_norm * 2 * (128 + 256 + 512)
    )  # fmt: skip
    assert num_weights(build_discriminator(config)) == expected
    assert round(expected / 1e6, 1) == 38.1


def test_attributes_enter_the_generator_as_signs() -> None:
    generator = build_generator(SMALL).eval()
    seen: list[torch.Tensor] = []
    generator.project.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    generator(torch.full((1, 8), 0.5), torch.tensor([[0.0, 1, 0.5, 0, 1, 1, 0]]))
    assert seen[0].tolist() == [[0.5] * 8 + [-1, 1, 0, -1, 1, 1, -1]]


def test_images_reach_both_ends_of_their_range() -> None:
    generator = build_generator(SMALL)
    with torch.no_grad():
        generator.upsample[-1].weight.mul_(1e4)
    images = generator(torch.rand(4, 8) * 2 - 1, torch.ones(4, len(ATTRIBUTES)))
    assert (images.min(), images.max()) == (-1, 1)


def test_weights_are_a_function_of_the_seed() -> None:
    first, again, other = (build_generator(SMALL, seed=s).state_dict() for s in (1, 1, 2))
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["project.weight"], other["project.weight"])


def test_initial_weights_are_spread_like_dcgans() -> None:
    layers = nn.Sequential(nn.Linear(200, 300), nn.Conv2d(30, 40, 5), BatchNorm(5_000))
    initialize(layers, keyed_generator(0))
    linear, convolution, norm = layers
    for layer, mean in ((linear, 0.0), (convolution, 0.0), (norm, 1.0)):
        assert layer.weight.mean().item() == pytest.approx(mean, abs=1e-3)
        assert layer.weight.std().item() == pytest.approx(0.02, rel=0.05)
        assert layer.bias.abs().max() == 0


def test_networks_need_attributes() -> None:
    for build in (build_generator, build_discriminator):
        with pytest.raises(InputError, match="names no attributes"):
            build(MODEL)


@pytest.mark.parametrize("shape", [(6, 5), (4, 5, 3, 2)])
def test_batch_norm_is_torchs(shape: tuple[int, ...]) -> None:
    mine = BatchNorm(5)
    torchs: nn.Module = nn.BatchNorm2d(5) if len(shape) == 4 else nn.BatchNorm1d(5)
    initialize(mine, keyed_generator(3))
    torchs.load_state_dict(mine.state_dict(), strict=False)
    results = []
    for layer in (mine, torchs):
        generator = torch.Generator().manual_seed(1)
        outputs = []
        for step in range(3):
            layer.train(step < 2)  # twice with the batch's statistics, then with the running ones
            x = torch.randn(shape, generator=generator).requires_grad_()
            outputs.append(layer(x))
            outputs[-1].square().mul(torch.linspace(0, 1, x.numel()).view(shape)).sum().backward()
            assert x.grad is not None
            outputs.append(x.grad)
        results.append([*outputs, layer.weight.grad, layer.bias.grad])
    assert all(torch.equal(a, b) for a, b in zip(*results, strict=True))
    assert torch.equal(mine.running_mean, torchs.running_mean)
    assert torch.equal(mine.running_var, torchs.running_var)
    assert mine.running_mean.abs().max() > 0


def test_frozen_statistics_leave_the_running_ones_but_normalize_by_the_batch() -> None:
    norm = BatchNorm(3)
    x = torch.randn(8, 3) + 5
    with frozen_statistics(norm):
        frozen = norm(x)
    assert norm.running_mean.tolist() == [0, 0, 0]
    assert norm.running_var.tolist() == [1, 1, 1]
    assert torch.equal(frozen, norm(x))
    assert norm.running_mean.min() > 0.3  # a tenth of the way to 5


def test_frozen_statistics_are_released_after_an_error_and_nest() -> None:
    network = nn.Sequential(BatchNorm(3), nn.Sequential(BatchNorm(3)))
    norms = [m for m in network.modules() if isinstance(m, BatchNorm)]
    with pytest.raises(KeyError), frozen_statistics(network):
        raise KeyError
    assert all(norm.updates_statistics for norm in norms)
    with frozen_statistics(network):
        with frozen_statistics(norms[0]):
            pass
        assert not any(norm.updates_statistics for norm in norms)
    assert all(norm.updates_statistics for norm in norms)


def test_frozen_weights_pass_gradients_on_and_take_none() -> None:
    layer = nn.Linear(2, 1)
    x = torch.ones(1, 2, requires_grad=True)
    with frozen_weights(layer):
        y = layer(x)
    y.sum().backward()
    assert x.grad is not None
    assert torch.equal(x.grad, layer.weight.detach())
    assert layer.weight.grad is None
    assert layer.bias.grad is None


def test_frozen_weights_are_released_after_an_error_and_stay_frozen_if_they_were() -> None:
    layer = nn.Linear(2, 1)
    layer.bias.requires_grad_(False)
    with frozen_weights(layer):
        assert not layer.weight.requires_grad
    with pytest.raises(KeyError), frozen_weights(layer):
        raise KeyError
    assert layer.weight.requires_grad
    assert not layer.bias.requires_grad


def test_update_ema_by_hand() -> None:
    average, network = BatchNorm(2), BatchNorm(2)
    with torch.no_grad():
        network.weight.copy_(torch.tensor([2.0, 3.0]))
        network.running_mean.copy_(torch.tensor([4.0, -4.0]))
    update_ema(average, network, 0.75)
    assert average.weight.tolist() == [1.25, 1.5]
    assert average.running_mean.tolist() == [1.0, -1.0]
    update_ema(average, network, 0.0)
    assert average.weight.tolist() == [2.0, 3.0]


def test_ema_decay_by_hand() -> None:
    assert ema_decay(64, 6_400, 10**9) == pytest.approx(0.5**0.01)
    assert ema_decay(64, 6_400, 1_280) == 0.5  # half-life a twentieth of what was seen
    assert ema_decay(64, 6_400, 0) == 0.0
