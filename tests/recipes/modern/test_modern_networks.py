"""Shapes and sizes of the networks of recipe `modern`; sources, and groups of faces for D."""

import dataclasses

import pytest
import torch

from making_runs import ATTRIBUTES, MODERN
from twobirds.config import DataConfig
from twobirds.recipes.modern.build import (
    build_discriminator,
    build_encoder,
    build_generator,
    build_recognizer,
)
from twobirds.recipes.modern.config import ModernConfig
from twobirds.recipes.modern.encoder import Encoder
from twobirds.recipes.modern.generator import EditingGenerator, Source
from twobirds.recipes.modern.networks import ModernNetworks

K = len(ATTRIBUTES)
SMALL = dataclasses.replace(MODERN, width=0.125)
DATA = DataConfig(size=32, attributes=ATTRIBUTES)


def generator_and_encoder(
    recipe: ModernConfig, data: DataConfig = DATA
) -> tuple[EditingGenerator, Encoder]:
    return build_generator(recipe, data).eval(), build_encoder(recipe, data).eval()


def faces_and_codes(size: int, count: int = 3) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    images = torch.rand(count, 3, size, size, generator=generator) * 2 - 1
    codes = torch.rand(count, SMALL.num_latents, generator=generator) * 2 - 1
    return images, codes, (torch.rand(count, K, generator=generator) > 0.5).float()


@pytest.mark.parametrize(("size", "width"), [(32, 0.125), (64, 0.5), (128, 0.25)])
@pytest.mark.parametrize("has_pca", [False, True])
def test_shapes_and_ranges(size: int, width: float, *, has_pca: bool) -> None:
    recipe = dataclasses.replace(SMALL, width=width, has_pca=has_pca)
    data = dataclasses.replace(DATA, size=size)
    generator, encoder = generator_and_encoder(recipe, data)
    images, _, attributes = faces_and_codes(size)
    with torch.no_grad():
        codes, features = encoder(images)
        assert codes.shape == (3, SMALL.num_latents)
        assert codes.abs().max() <= 1
        source = Source(images, features, torch.ones(3, K), torch.ones(3))
        for fake in (generator(codes, attributes), generator(codes, attributes, source)):
            assert fake.shape == images.shape
            assert fake.abs().max() <= 1
        logits, features = build_recognizer(recipe, data).eval()(images)
        assert logits.shape == (3, K)
        assert all(len(feature) == 3 for feature in features)
        assert build_discriminator(recipe, data)(images, attributes).shape == (3,)


@pytest.mark.parametrize("has_pca", [False, True])
@pytest.mark.parametrize("has_mask", [False, True])
def test_a_source_of_weight_0_is_none_and_of_weight_1_changes_the_face(
    *, has_pca: bool, has_mask: bool
) -> None:
    recipe = dataclasses.replace(SMALL, has_pca=has_pca, has_mask=has_mask)
    generator, encoder = generator_and_encoder(recipe)
    images, _, attributes = faces_and_codes(32)
    with torch.no_grad():
        codes, features = encoder(images)
        alone = generator(codes, attributes)
        for weight, is_same in ((torch.zeros(3), True), (torch.ones(3), False)):
            source = Source(images, features, torch.ones(3, K), weight)
            edited = generator(codes, attributes, source)
            assert torch.allclose(edited, alone, atol=1e-6) == is_same


@pytest.mark.parametrize("has_pca", [False, True])
def test_each_face_is_generated_by_itself(*, has_pca: bool) -> None:
    generator, encoder = generator_and_encoder(dataclasses.replace(SMALL, has_pca=has_pca))
    images, _, attributes = faces_and_codes(32)
    with torch.no_grad():
        codes, features = encoder(images)
        weight = torch.tensor([1.0, 0.0, 0.5])
        whole = generator(codes, attributes, Source(images, features, attributes, weight))
        second = Source(images[1:2], [f[1:2] for f in features], attributes[1:2], weight[1:2])
        alone = generator(codes[1:2], attributes[1:2], second)
    torch.testing.assert_close(whole[1:2], alone, rtol=1e-4, atol=1e-5)


def test_a_face_and_its_mirror_image_are_classified_alike() -> None:
    generator, encoder = generator_and_encoder(SMALL)
    recognizer = build_recognizer(SMALL, DATA).eval()
    networks = ModernNetworks(generator, encoder, recognizer)
    images, _, _ = faces_and_codes(32)
    with torch.no_grad():
        logits, mirrored = (networks.encode(x).attribute_logits for x in (images, images.flip(3)))
        torch.testing.assert_close(logits, mirrored, rtol=1e-4, atol=1e-5)
        plain, other = recognizer(images)[0], recognizer(images.flip(3))[0]
        assert not torch.allclose(plain, other)
        assert not torch.allclose(logits, (plain + other) / 2)  # more than these two views
        alone = networks.encode(images[1:2]).attribute_logits
    torch.testing.assert_close(alone, logits[1:2], rtol=1e-4, atol=1e-5)


def test_a_generator_without_skips_edits_as_it_learned_to_generate() -> None:
    """It has inputs for the change, which no training has touched."""
    generator, encoder = generator_and_encoder(dataclasses.replace(SMALL, has_skips=False))
    networks = ModernNetworks(generator, encoder, build_recognizer(SMALL, DATA).eval())
    images, _, attributes = faces_and_codes(32)
    with torch.no_grad():
        encoding = networks.encode(images)
        edited = networks.edit(images, encoding, 1 - attributes, attributes)
        assert torch.equal(edited, networks.generate(encoding.latents, attributes))


def test_d_compares_faces_within_groups_of_four() -> None:
    discriminator = build_discriminator(SMALL, DATA).eval()
    images, _, attributes = faces_and_codes(32, count=16)
    with torch.no_grad():
        whole = discriminator(images, attributes)
        # Faces a quarter of the batch apart make a group, which is scored alike by itself.
        group = discriminator(images[1::4], attributes[1::4])
        torch.testing.assert_close(group, whole[1::4], rtol=1e-4, atol=1e-5)
        images[2::4] = 0
        changed = discriminator(images, attributes)
    torch.testing.assert_close(changed[1::4], whole[1::4], rtol=1e-4, atol=1e-5)
    images[1] = images[5]
    with torch.no_grad():
        assert not torch.allclose(discriminator(images, attributes)[9], whole[9])
    with torch.no_grad():
        assert discriminator(images[:7], attributes[:7]).shape == (7,)


def test_attributes_move_the_score() -> None:
    discriminator = build_discriminator(SMALL, DATA).eval()
    images, _, attributes = faces_and_codes(32, count=4)
    with torch.no_grad():
        scores = [discriminator(images, a) for a in (attributes, 1 - attributes)]
    assert not torch.allclose(*scores)
