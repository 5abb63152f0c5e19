"""A photo of 12 megapixels: an edit keeps its detail, has no border, and leaves the rest."""

import cv2
import numpy as np
import pytest
import torch

from photos.making_photos import PlacedFaces, decoded, encoded
from twobirds.api import FaceModel
from twobirds.data.similarity import apply
from twobirds.models.edit_layers import EditLayers
from twobirds.photos import Marks, PhotoSession
from twobirds.photos.edits import FaceEdit, ImageDifference, LayeredEdit
from twobirds.photos.session import OpenPhoto

HEIGHT, WIDTH = 3000, 4000
PLACE = (1100, 500, 1800)
"""Left, top and side of the crop."""
SIZE = 32  # of the model
GRID = 32  # of the layers
HAIR = np.s_[4:12, 6:26]
"""Where the hair is, on that grid."""


def strands() -> np.ndarray:
    """`[H, W, 3]` uint8: brown, with detail of a few pixels, as hair and skin have."""
    rng = np.random.default_rng(0)
    fine = cv2.GaussianBlur(rng.normal(size=(HEIGHT, WIDTH)).astype(np.float32), (0, 0), 1.2)
    slow = cv2.resize(rng.normal(size=(6, 8)).astype(np.float32), (WIDTH, HEIGHT))
    grey = 110 + 60 * fine + 12 * slow
    return (grey[..., None] * (1.0, 0.8, 0.65)).round().clip(0, 255).astype(np.uint8)


def blond() -> LayeredEdit:
    """Hair lighter and warmer, inside a soft mask; a chin that moves a little."""
    mask = torch.zeros(1, 1, GRID, GRID)
    mask[:, :, HAIR[0], HAIR[1]] = 1
    kernel = torch.full((1, 1, 3, 3), 1 / 9)
    mask = torch.nn.functional.conv2d(mask, kernel, padding=1)
    flow = torch.zeros(1, 2, GRID, GRID)
    flow[:, 1, 24:27, 12:20] = 0.01
    colour = torch.tensor([0.35, 0.25, 0.05]).view(1, 3, 1, 1)
    zeros = torch.zeros(1, 3, GRID, GRID)
    layers = EditLayers(flow, zeros + 0.1 * mask, colour * mask, zeros, zeros[:, :1])
    return LayeredEdit(torch.zeros(3, SIZE, SIZE), layers, 1.0)


def lighter() -> ImageDifference:
    """The same of a model that generates pixels: a soft change of moderate size."""
    change = blond()
    offset = torch.nn.functional.interpolate(change.layers.offset, (SIZE, SIZE), mode="bilinear")[0]
    return ImageDifference(torch.zeros(3, SIZE, SIZE), 0.3 * offset)


@pytest.fixture(scope="module")
def pixels() -> np.ndarray:
    return strands()


def opened(pixels: np.ndarray, model: FaceModel) -> OpenPhoto:
    session = PhotoSession(model, PlacedFaces(PLACE))
    return session.open(encoded(pixels, "JPEG", quality=95, subsampling="4:4:4"))


def fine_energy(pixels: np.ndarray, where: np.ndarray) -> float:
    """Mean square of what is finer than a pixel of the model."""
    grey = pixels.astype(np.float32).mean(axis=2)
    return float(np.square(grey - cv2.GaussianBlur(grey, (0, 0), PLACE[2] / SIZE))[where].mean())


@pytest.mark.parametrize("edit", [blond(), lighter()])
def test_detail_stays_and_the_border_is_not_seen(
    pixels: np.ndarray, tiny_model: FaceModel, edit: FaceEdit
) -> None:
    photo = opened(pixels, tiny_model)
    before = photo.photo.pixels
    after = photo.composite({0: edit})
    change = after.astype(np.int16) - before
    changed = np.abs(change).max(axis=2) > 8
    assert changed.mean() > 0.01
    assert fine_energy(after, changed) >= 0.95 * fine_energy(before, changed)
    # Nothing outside of the crop, and no step at its border: seen on every fifth row, where
    # neighbouring pixels of a smooth change differ by rounding alone.
    some = change[::5]
    rows, columns = np.mgrid[:HEIGHT:5, :WIDTH] + 0.5
    places = apply(photo.found[0].placement.matrix, np.stack([columns, rows], axis=-1))
    depth = np.minimum(places, photo.model.size - places).min(axis=-1)  # in pixels of the crop
    assert not some[depth < 0].any()
    steps = np.abs(np.diff(some, axis=1)).max(axis=2)
    assert steps[np.abs(depth[:, 1:]) < 0.5].max() <= 1


def test_from_file_to_file_the_detail_stays(pixels: np.ndarray, tiny_model: FaceModel) -> None:
    photo = opened(pixels, tiny_model)
    result = photo.encode({0: blond()}, Marks("edited"))
    assert result.is_changed
    after, before = np.asarray(decoded(result.content)), photo.photo.pixels
    changed = np.abs(after.astype(np.int16) - before).max(axis=2) > 20
    assert fine_energy(after, changed) >= 0.95 * fine_energy(before, changed)
    assert np.abs(after[2600:].astype(np.int16) - before[2600:]).mean() < 2
