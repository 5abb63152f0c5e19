"""Shapes and sizes of the three networks of recipe `paper`."""

import dataclasses

import pytest
import torch
from torch import nn

from making_runs import ATTRIBUTES, RECIPE
from twobirds.config import DataConfig
from twobirds.data.attributes import CELEBA_ATTRIBUTES
from twobirds.errors import InputError
from twobirds.recipes.paper.build import build_discriminator, build_generator, channels
from twobirds.recipes.paper.config import PaperConfig

DATA = DataConfig(size=32, attributes=ATTRIBUTES)


def num_weights(network: nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


@pytest.mark.parametrize("size", [32, 64, 128])
@pytest.mark.parametrize("width", [1 / 16, 0.25])
@pytest.mark.parametrize("has_norm", [False, True])
def test_shapes_and_ranges(size: int, width: float, has_norm: bool) -> None:
    settings = dataclasses.replace(RECIPE, width=width, discriminator_norm=has_norm)
    data = dataclasses.replace(DATA, size=size)
    generator, discriminator = build_generator(settings, data), build_discriminator(settings, data)
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
    settings = PaperConfig(discriminator_norm=has_norm)
    data = DataConfig(attributes=CELEBA_ATTRIBUTES)
    convolutions = [(3, 64), (64, 128), (128, 256), (256, 512)]
    expected = (
        (140 + 1) * 8 * 8 * 512  # the fully connected layer
        + sum(25 * a * b for a, b in convolutions) + (256 + 128 + 64 + 3)
        + 2 * (512 + 256 + 128 + 64)  # batch norm
    )  # fmt: skip
    assert num_weights(build_generator(settings, data)) == expected == 8_928_259
    expected = (
        sum((25 * a + 1) * b for a, b in convolutions)
        + (32_768 + 1) * (1 + 1024)  # the score, and the layer shared with C
        + (1024 + 1) * (100 + 128) + 2 * 128 + (128 + 1) * 40
        + has_norm * 2 * (128 + 256 + 512)
    )  # fmt: skip
    assert num_weights(build_discriminator(settings, data)) == expected
    assert round(expected / 1e6, 1) == 38.1


def test_attributes_enter_the_generator_as_signs() -> None:
    generator = build_generator(RECIPE, DATA).eval()
    seen: list[torch.Tensor] = []
    generator.project.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    generator(torch.full((1, 8), 0.5), torch.tensor([[0.0, 1, 0.5, 0, 1, 1, 0]]))
    assert seen[0].tolist() == [[0.5] * 8 + [-1, 1, 0, -1, 1, 1, -1]]


def test_images_reach_both_ends_of_their_range() -> None:
    generator = build_generator(RECIPE, DATA)
    with torch.no_grad():
        generator.upsample[-1].weight.mul_(1e4)
    images = generator(torch.rand(4, 8) * 2 - 1, torch.ones(4, len(ATTRIBUTES)))
    assert (images.min(), images.max()) == (-1, 1)


def test_weights_are_a_function_of_the_seed() -> None:
    first, again, other = (build_generator(RECIPE, DATA, seed=s).state_dict() for s in (1, 1, 2))
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["project.weight"], other["project.weight"])


def test_networks_need_attributes() -> None:
    for build in (build_generator, build_discriminator):
        with pytest.raises(InputError, match="names no attributes"):
            build(RECIPE, DataConfig(size=32))
