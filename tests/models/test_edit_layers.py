"""Layers of edits: scaled, and two composed into one."""

import pytest
import torch
from torch import Tensor, nn

from twobirds.models.edit_layers import EditLayers, apply_layers, compose, scale_layers

SIZE = 32


def smooth(generator: torch.Generator, channels: int, low: float, high: float) -> Tensor:
    coarse = torch.rand(2, channels, 4, 4, generator=generator) * (high - low) + low
    return nn.functional.interpolate(coarse, size=SIZE, mode="bilinear")


def some_layers(seed: int, flow: float) -> EditLayers:
    generator = torch.Generator().manual_seed(seed)
    alpha = smooth(generator, 1, 0.0, 0.9)
    return EditLayers(
        flow=smooth(generator, 2, -flow, flow),
        gain=smooth(generator, 3, -0.3, 0.3),
        offset=smooth(generator, 3, -0.3, 0.3),
        paint=smooth(generator, 3, -0.8, 0.8) * alpha,
        alpha=alpha,
    )


@pytest.mark.parametrize(("flow", "tolerance"), [(0.0, 1e-5), (0.05, 0.05)])
def test_composed_layers_do_what_two_edits_do(flow: float, tolerance: float) -> None:
    images = smooth(torch.Generator().manual_seed(0), 3, -1.0, 1.0)
    first, second, full = some_layers(1, flow), some_layers(2, flow), torch.ones(2)
    apart = apply_layers(apply_layers(images, first, full), second, full)
    together = apply_layers(images, compose(first, second), full)
    inside = (..., slice(2, -2), slice(2, -2))  # mirrored edges move differently
    torch.testing.assert_close(together[inside], apart[inside], atol=tolerance, rtol=0)
    swapped = apply_layers(images, compose(second, first), full)
    assert (swapped - together).abs().max() > 0.1


def test_flows_are_composed_where_pixels_come_from() -> None:
    """Bilinear sampling is exact for linear images and flows."""
    x = ((torch.arange(SIZE) + 0.5) / (SIZE / 2) - 1).expand(1, 1, SIZE, SIZE)
    y = x.mT
    images, full = torch.cat([x, y, x], 1) / 2, torch.ones(1)
    still = torch.zeros(1, 3, SIZE, SIZE)

    def moving(right: Tensor, down: Tensor) -> EditLayers:
        return EditLayers(torch.cat([right, down], 1), still, still, still, still[:, :1])

    first, second = moving(0.2 * y, 0.2 * x), moving(-0.2 * x, 0.2 * y)
    apart = apply_layers(apply_layers(images, first, full), second, full)
    together = apply_layers(images, compose(first, second), full)
    inside = (..., slice(8, -8), slice(8, -8))
    torch.testing.assert_close(together[inside], apart[inside], atol=1e-5, rtol=0)


def test_scaled_layers_do_at_strength_1_what_the_layers_do_at_theirs() -> None:
    images = smooth(torch.Generator().manual_seed(0), 3, -1.0, 1.0)
    layers, strength, full = some_layers(1, 0.05), torch.tensor([0.4, 1.7]), torch.ones(2)
    scaled = apply_layers(images, scale_layers(layers, strength), full)
    torch.testing.assert_close(scaled, apply_layers(images, layers, strength))


def test_an_edit_composed_with_nothing_stays_as_it_is() -> None:
    images = smooth(torch.Generator().manual_seed(0), 3, -1.0, 1.0)
    layers, full = some_layers(1, 0.05), torch.ones(2)
    nothing = scale_layers(layers, torch.zeros(2))
    for composed in (compose(layers, nothing), compose(nothing, layers)):
        expected = apply_layers(images, layers, full)
        torch.testing.assert_close(apply_layers(images, composed, full), expected)
