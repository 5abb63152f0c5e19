"""Changes of images: what each does, that nothing is done for nothing, and that gradients pass."""

import pytest
import torch
from torch import Tensor

from twobirds.models.augmentation import (
    RECOGNIZER,
    Augmentation,
    mix,
)


@pytest.fixture
def images() -> Tensor:
    images = torch.rand(6, 3, 32, 32, generator=torch.Generator().manual_seed(0)) * 2 - 1
    return images.contiguous(memory_format=torch.channels_last)


def seeded() -> torch.Generator:
    return torch.Generator().manual_seed(3)


def test_nothing_is_changed_by_nothing(images: Tensor) -> None:
    assert torch.allclose(Augmentation()(images, seeded()), images, atol=1e-6)


def test_shift_moves_whole_pixels_and_greys_what_moves_in(images: Tensor) -> None:
    shifted = Augmentation(shift=1 / 8)(images, seeded())
    moved = 0
    for before, after in zip(images, shifted, strict=True):
        inside = after.abs().sum(0) > 0  # [H, W]
        rows, columns = torch.where(inside.any(1))[0], torch.where(inside.any(0))[0]
        part = after[:, rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        height, width = part.shape[1:]
        assert min(height, width) >= 28  # at most an eighth of 32
        corners = [(y, x) for y in range(33 - height) for x in range(33 - width)]
        found = [torch.allclose(before[:, y : y + height, x : x + width], part, atol=1e-6)
                 for y, x in corners]  # fmt: skip
        assert any(found)
        moved += min(height, width) < 32
    assert moved >= 4


def test_cutout_greys_a_square(images: Tensor) -> None:
    cut = Augmentation(cutout=0.5)(images, seeded())
    greyed = (cut == 0).all(1)  # [B, H, W]
    assert torch.equal(cut[:, 0][~greyed], images[:, 0][~greyed])
    sizes = greyed.sum((1, 2))
    assert (sizes > 0).all()
    assert sizes.max() <= 17 * 17


def test_colours(images: Tensor) -> None:
    brighter = Augmentation(brightness=0.5)(images, seeded()) - images
    assert (brighter.amax((1, 2, 3)) - brighter.amin((1, 2, 3)) < 1e-5).all()
    assert brighter.abs().max() <= 0.5
    grey = images.mean(1, keepdim=True).expand_as(images)
    assert torch.allclose(Augmentation(saturation=1.0)(grey, seeded()), grey, atol=1e-6)
    contrast = Augmentation(contrast=0.5)(images, seeded())
    means = images.mean((1, 2, 3)), contrast.mean((1, 2, 3))
    assert torch.allclose(*means, atol=1e-5)
    spread = contrast.std((1, 2, 3)) / images.std((1, 2, 3))
    assert ((spread > 0.5) & (spread < 1.5)).all()


def test_the_same_numbers_give_the_same_and_gradients_pass(images: Tensor) -> None:
    images.requires_grad_(True)
    first, second = (RECOGNIZER(images, seeded()) for _ in range(2))
    assert torch.equal(first, second)
    first.sum().backward()
    assert images.grad is not None
    assert images.grad.abs().sum() > 0


def test_turning_keeps_the_middle_and_moves_the_edge() -> None:
    places = torch.linspace(-1, 1, 33)
    rows, columns = torch.meshgrid(places, places, indexing="ij")
    faces = torch.stack([columns, rows, columns], 0).expand(20, 3, 33, 33).contiguous()
    turned = Augmentation(rotation=0.2)(faces, seeded())
    assert turned[:, :, 16, 16].abs().max() < 1e-5
    # A pixel above the middle now shows what stood beside it: the sine of the angle.
    angle = torch.asin(turned[:, 0, 8, 16] / 0.5)
    assert angle.abs().max() <= 0.2
    assert angle.max() > 0.1
    assert angle.min() < -0.1
    torch.testing.assert_close(turned[:, 1, 8, 16], -0.5 * torch.cos(angle), atol=1e-3, rtol=0)


def test_zoom_changes_the_size() -> None:
    places = torch.linspace(-1, 1, 33).expand(20, 3, 33, 33).contiguous()
    zoomed = Augmentation(zoom=0.25)(places, seeded())
    factors = zoomed[:, 0, 16, 24] / 0.5
    assert factors.min() >= 0.75
    assert factors.max() <= 1.25
    assert factors.max() - factors.min() > 0.2
    assert torch.equal(Augmentation(zoom=0.25)(places, seeded()), zoomed)


def test_mixing_blends_faces_as_labels(images: Tensor) -> None:
    labels = images[:, :, 0, 0]  # [6, 3]: blended as pixels are
    shares = []
    for seed in range(40):
        generator = torch.Generator().manual_seed(seed)
        faces, mixed_labels = mix(images, labels, 0.2, generator)
        torch.testing.assert_close(faces[:, :, 0, 0], mixed_labels)
        shares.append(float((faces - images).abs().amax((1, 2, 3)).gt(1e-6).float().mean()))
    assert max(shares) > 0.5
    assert mix(images, labels, 0.0, seeded())[0] is images
