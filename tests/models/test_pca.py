"""Thumbnails, principal components, and latents that are initialized as them."""

import pytest
import torch
from torch import Tensor, nn

from twobirds.models import pca
from twobirds.models.pca import (
    NUM_VALUES,
    Moments,
    decode_linear,
    encode_linear,
    from_thumbnail,
    pca_decoder,
    pca_encoder,
    set_layer,
    to_thumbnail,
)

COUNT, RANK, SIZE = 400, 6, 64


@pytest.mark.parametrize("size", [32, 64, 128])
@pytest.mark.parametrize("colour", [(0.5, 0.5, 0.5), (0.6, -0.2, 0.1), (-0.9, 0.3, 0.8)])
def test_a_thumbnail_keeps_brightness_and_colour(size: int, colour: tuple[float, ...]) -> None:
    images = torch.tensor(colour).view(1, 3, 1, 1).expand(2, 3, size, size).contiguous()
    images[1] *= -1
    values = to_thumbnail(images)
    assert values.shape == (2, NUM_VALUES)
    torch.testing.assert_close(from_thumbnail(values, size), images, atol=1e-2, rtol=0)


def test_smooth_images_come_back() -> None:
    smooth = torch.randn(4, 3, 4, 4, generator=torch.Generator().manual_seed(0)).clamp(-1, 1) * 0.5
    images = nn.functional.interpolate(smooth, size=SIZE, mode="bicubic").clamp(-1, 1)
    back = from_thumbnail(to_thumbnail(images), SIZE)
    error, spread = (back - images).square().mean(), images.var()
    assert error < 0.02 * spread


def test_range_is_kept() -> None:
    values = 50 * torch.randn(2, NUM_VALUES, generator=torch.Generator().manual_seed(0))
    assert from_thumbnail(values, SIZE).abs().max() <= 1


def made_faces() -> tuple[Tensor, Tensor]:
    """Faces of a few smooth components, and two attributes that each add something of its own."""
    generator = torch.Generator().manual_seed(1)
    basis = torch.randn(RANK + 2, 3, 4, 4, generator=generator)
    basis = nn.functional.interpolate(basis, size=SIZE, mode="bilinear")
    scale = torch.tensor([0.1, 0.08, 0.06, 0.05, 0.04, 0.03, 0.12, 0.09])
    numbers = torch.randn(COUNT, RANK + 2, generator=generator)
    attributes = (numbers[:, RANK:] > 0).float()
    numbers[:, RANK:] = attributes * 2 - 1
    return torch.einsum("nr,rchw->nchw", numbers * scale, basis), attributes


def fitted(num_latents: int) -> tuple[nn.Linear, nn.Linear, Tensor, Tensor]:
    images, attributes = made_faces()
    moments = Moments(2)
    moments.add(images[:150], attributes[:150])
    moments.add(images[150:], attributes[150:])
    found = moments.principal_components(num_latents)
    encoder, decoder = pca_encoder(num_latents, 2), pca_decoder(num_latents, 2)
    with torch.no_grad():
        set_layer(encoder, found.encoder, found.encoder_bias)
        set_layer(decoder, found.decoder, found.decoder_bias)
    return encoder, decoder, images, attributes


def test_latents_are_spread_as_noise_is_and_free_of_attributes() -> None:
    encoder, _, images, attributes = fitted(RANK)
    with torch.no_grad():
        latents = torch.tanh(encode_linear(encoder, images, attributes))
    variance = latents.var(0)
    assert latents.mean(0).abs().max() < 0.1
    assert (variance - 1 / 3).abs().max() < 0.06  # that of U(-1, 1)
    correlation = torch.corrcoef(torch.cat([latents, attributes], dim=1).T)
    between = correlation[:RANK, RANK:].abs()
    assert between.max() < 0.05
    own = correlation[:RANK, :RANK] - torch.eye(RANK)
    assert own.abs().max() < 0.1


@pytest.mark.parametrize("num_latents", [RANK, RANK + 20, NUM_VALUES + 8])
def test_latents_and_attributes_reconstruct_the_face(num_latents: int) -> None:
    """Also with more numbers than there are components, and than a thumbnail has."""
    encoder, decoder, images, attributes = fitted(num_latents)
    with torch.no_grad():
        latents = torch.tanh(encode_linear(encoder, images, attributes))
        reconstructed = decode_linear(decoder, latents, attributes, SIZE)
        other = decode_linear(decoder, latents, 1 - attributes, SIZE)
    error = (reconstructed - images.clamp(-1, 1)).square().mean()
    assert error < 0.1 * images.var()
    assert (other - images).square().mean() > 0.5 * images.var()  # attributes count


def test_latents_at_the_edge_give_finite_faces() -> None:
    _, decoder, _, attributes = fitted(RANK)
    edges = torch.ones(2, RANK, requires_grad=True)
    smooth = decode_linear(decoder, edges, attributes[:2], SIZE)
    assert torch.isfinite(smooth).all()
    smooth.sum().backward()
    assert edges.grad is not None
    assert torch.isfinite(edges.grad).all()


def test_bfloat16_passes_do_not_blur_small_components() -> None:
    encoder, decoder, images, attributes = fitted(RANK)
    with torch.no_grad():
        exact = encode_linear(encoder, images, attributes)
        smooth = decode_linear(decoder, torch.tanh(exact), attributes, SIZE)
        with torch.autocast("cpu", torch.bfloat16):
            mixed = encode_linear(encoder, images, attributes)
            mixed_faces = decode_linear(decoder, torch.tanh(exact), attributes, SIZE)
    assert torch.equal(exact, mixed)
    assert torch.equal(smooth, mixed_faces)


def test_training_can_follow_inference() -> None:
    pca._on_device.cache_clear()
    with torch.inference_mode():
        to_thumbnail(torch.zeros(1, 3, 64, 64))
    images = torch.rand(1, 3, 64, 64, requires_grad=True)
    to_thumbnail(images).sum().backward()
    assert images.grad is not None
    assert images.grad.any()
