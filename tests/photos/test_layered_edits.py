"""Flow, colour and paint applied to a photo at its own resolution."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch

from twobirds.models.edit_layers import EditLayers
from twobirds.photos.align import Placement, cut_face, uncut
from twobirds.photos.edits import LayeredEdit
from twobirds.photos.fading import fading
from twobirds.photos.layered import PhotoLayers, paste_layers

SIZE = 32
SCALE = 4  # pixels of the photo for one of the crop
MATRIX = np.array([[1 / SCALE, 0.0, -10.0], [0.0, 1 / SCALE, -5.0]])
PLACEMENT = Placement(MATRIX, SIZE)  # from (40, 20) to (168, 148)
MIDDLE = (slice(60, 108), slice(80, 128))


def photo(seed: int = 0) -> np.ndarray:
    """Fine detail that no model of 32 px could keep."""
    return np.random.default_rng(seed).integers(64, 192, (200, 240, 3), np.uint8)


def edit(strength: float = 1.0, **layers: float) -> LayeredEdit:
    """The same everywhere, on the grid of half the model's size."""
    channels = {"flow": 2, "gain": 3, "offset": 3, "paint": 3, "alpha": 1}
    fields = [torch.full((1, c, 16, 16), layers.get(name, 0.0)) for name, c in channels.items()]
    face = torch.zeros(3, SIZE, SIZE)
    return LayeredEdit(face, EditLayers(*fields), strength)


def test_no_layer_and_no_strength_change_no_pixel() -> None:
    pixels = photo()
    assert np.array_equal(edit().apply(pixels, PLACEMENT).laid_on(pixels), pixels)
    assert np.array_equal(edit(0.0, offset=0.5).apply(pixels, PLACEMENT).laid_on(pixels), pixels)


def test_colour_keeps_every_detail_and_the_photo_outside_the_crop() -> None:
    pixels = photo()
    result = edit(offset=0.2).apply(pixels, PLACEMENT).laid_on(pixels)
    added = result[MIDDLE].astype(int) - pixels[MIDDLE]
    assert np.abs(added - 0.2 * 127.5).max() <= 1
    outside = np.ones(pixels.shape[:2], bool)
    outside[20:148, 40:168] = False
    assert np.array_equal(result[outside], pixels[outside])
    across = np.abs(np.diff(result[80].astype(int) - pixels[80], axis=0)).max()
    assert across <= 3  # it fades out: no straight line


def test_beside_the_face_the_edit_of_long_hair_fades_slowly() -> None:
    pixels = np.full((200, 240, 3), 100, np.uint8)
    added = edit(offset=0.5).apply(pixels, PLACEMENT).laid_on(pixels).astype(int) - pixels
    below_the_chin, beside = added[84:149, 104, 0], added[84:149, 60, 0]
    assert below_the_chin[125 - 84] == 64  # at 0.82 of the crop it is all there
    assert np.abs(np.diff(below_the_chin)).max() > 2 * np.abs(np.diff(beside)).max()
    assert below_the_chin[-1] == beside[-1] == 0


def test_colours_and_paint_are_those_of_the_equation() -> None:
    rng, pixels = np.random.default_rng(1), photo()
    gain, offset, paint = (rng.normal(0, 0.2, (SIZE, SIZE, 3)).astype(np.float32) for _ in range(3))
    cover = rng.uniform(-0.1, 1.1, (SIZE, SIZE, 1)).astype(np.float32)
    for field in (gain, offset, paint, cover):
        field[:16] = 0  # nothing is done to the upper half
    flow = np.zeros((SIZE, SIZE, 2), np.float32)
    layers = PhotoLayers(flow, gain, offset, paint, cover)
    result = paste_layers(pixels, PLACEMENT, layers).laid_on(pixels)
    faded = fading(SIZE)[..., None]
    gain, offset, paint, cover = (field * faded for field in (gain, offset, paint, cover))
    cover = cover.clip(0, 1)
    assert gain.min() < -0.5
    half, erased = (2 * cover).clip(0, 1), ((-gain - 0.4) / 0.2).clip(0, 1)
    detail = np.maximum(1 + gain, 1) + np.minimum(gain, 0) * erased**2 * (3 - 2 * erased)
    detail *= 1 - cover * half**2 * (3 - 2 * half)
    crop = cut_face(pixels, PLACEMENT).astype(np.float32)
    seen = cv2.GaussianBlur(crop, (0, 0), 1 - 1 / SCALE) / np.float32(127.5) - 1
    made = (seen + gain * seen + offset) * (1 - cover) + paint
    box = (40, 20, 168, 148)
    factor, rest = (uncut(field, PLACEMENT, box) for field in (detail, made - detail * seen))
    colours = pixels[20:148, 40:168] / np.float32(127.5) - 1
    expected = ((factor * colours + rest + 1) * np.float32(127.5)).round().clip(0, 255)
    difference = np.abs(result[20:148, 40:168] - expected)
    assert difference.max() <= 1  # floating-point sums in another order
    assert difference.mean() < 1e-3
    assert np.array_equal(result[:76], pixels[:76])
    assert 0.2 < (result[20:148, 40:168] != pixels[20:148, 40:168]).any(axis=2).mean() < 0.8


def fine_energy(pixels: np.ndarray) -> float:
    """Mean square, in the middle of the crop, of what is finer than a pixel of the model."""
    grey = pixels.astype(np.float32).mean(axis=2)
    return float(np.square(grey - cv2.GaussianBlur(grey, (0, 0), SCALE))[MIDDLE].mean())


@pytest.mark.parametrize(
    "layers", [{"gain": -0.4}, {"gain": -0.2}, {"alpha": 0.1}, {"flow": 0.1 / SIZE, "gain": -0.4}]
)
def test_detail_finer_than_the_model_keeps_its_contrast(layers: dict[str, float]) -> None:
    pixels = np.random.default_rng(0).integers(150, 250, (200, 240, 3), np.uint8)
    result = edit(**layers).apply(pixels, PLACEMENT).laid_on(pixels)
    assert 0.95 < fine_energy(result) / fine_energy(pixels) < 1.05
    kept = 1 + layers.get("gain", 0) - layers.get("alpha", 0)
    assert abs(result[MIDDLE].mean() - (127.5 + kept * (pixels[MIDDLE].mean() - 127.5))) < 1


def test_what_erases_the_face_erases_its_detail() -> None:
    pixels = photo()
    erased = edit(gain=-0.6).apply(pixels, PLACEMENT).laid_on(pixels)
    assert abs(fine_energy(erased) / fine_energy(pixels) - 0.4**2) < 0.01


def test_a_gain_above_0_raises_detail_with_the_rest() -> None:
    pixels = photo()
    raised = edit(gain=0.2).apply(pixels, PLACEMENT).laid_on(pixels)
    assert abs(fine_energy(raised) / fine_energy(pixels) - 1.44) < 0.02


@pytest.mark.parametrize("gain", [-0.4, 0.4])
def test_at_the_models_own_size_a_photo_is_what_the_model_makes_of_it(gain: float) -> None:
    pixels = photo()
    own_size = Placement(np.array([[1.0, 0, -40], [0, 1.0, -20]]), SIZE)
    face = torch.from_numpy(pixels[20:52, 40:72].copy()).permute(2, 0, 1) / 127.5 - 1
    made = replace(edit(gain=gain, offset=0.1, alpha=0.2, paint=0.1), before=face)
    middle = np.s_[10:16, 13:19]  # where nothing fades
    result = made.apply(pixels, own_size).laid_on(pixels)[20:52, 40:72]
    assert np.abs(result[middle].astype(int) - made.face[middle]).max() <= 1
    assert np.abs(result[middle].astype(int) - pixels[20:52, 40:72][middle]).max() > 8


def test_moves_too_short_for_the_model_do_not_blur_a_large_photo() -> None:
    pixels, short = photo(), 0.1 / SIZE  # a twentieth of a pixel of the crop
    assert np.array_equal(edit(flow=short).apply(pixels, PLACEMENT).laid_on(pixels), pixels)
    own_size = Placement(np.array([[1.0, 0, -40], [0, 1.0, -20]]), SIZE)
    assert not np.array_equal(edit(flow=short).apply(pixels, own_size).laid_on(pixels), pixels)


def test_a_flow_moves_the_photos_own_pixels() -> None:
    pixels = photo()
    right = 2 / SIZE  # one pixel of the crop, four of the photo, to the right and down
    result = edit(flow=right).apply(pixels, PLACEMENT).laid_on(pixels)
    expected = pixels[64:112, 84:132]
    assert np.abs(result[MIDDLE].astype(int) - expected).max() <= 1
    twice = edit(2.0, flow=right).apply(pixels, PLACEMENT).laid_on(pixels)
    assert np.abs(twice[60:100, 80:120].astype(int) - pixels[68:108, 88:128]).max() <= 1


def test_paint_covers_and_never_more_than_all() -> None:
    pixels = photo()
    half = edit(alpha=0.5, paint=0.5 * -1.0).apply(pixels, PLACEMENT).laid_on(pixels)  # black
    assert np.abs(half[MIDDLE].astype(int) - pixels[MIDDLE] / 2).max() <= 1
    all_of_it = edit(3.0, alpha=0.5, paint=0.5 * -1.0).apply(pixels, PLACEMENT).laid_on(pixels)
    assert all_of_it[MIDDLE].max() == 0


def test_a_large_photo_is_edited_as_a_small_one() -> None:
    """The photo is worked on in strips."""
    rows, columns = np.indices((2400, 2400))
    pixels = np.stack([rows % 251, columns % 241, (rows + columns) % 239], axis=2).astype(np.uint8)
    placement = Placement(np.array([[SIZE / 2400, 0, 0], [0, SIZE / 2400, 0.0]]), SIZE)
    result = edit(offset=-0.1).apply(pixels, placement).laid_on(pixels)
    change = result[1200].astype(int) - pixels[1200]
    assert np.abs(change[800:1600].clip(-13, 0) + 12.75).max() <= 13
    assert (result[900:1500:7, 1200] <= pixels[900:1500:7, 1200]).all()
    assert not np.array_equal(result, pixels)


def test_the_stages_of_an_edit_can_be_looked_at() -> None:
    made = edit(offset=0.4, alpha=0.25, paint=0.25 * 1.0)
    stages = made.stages()
    assert list(stages) == ["source", "flow", "colour", "edited", "paint"]
    assert (stages["source"] == 128).all()
    assert (stages["flow"] == 128).all()
    assert (stages["edited"] == made.face).all()
    assert (stages["edited"] != stages["colour"]).all()
    assert (stages["colour"] == round(1.4 * 127.5)).all()
    assert stages["paint"].shape == (SIZE, SIZE, 4)
    assert (stages["paint"][..., :3] == 255).all()
    assert (stages["paint"][..., 3] == 64).all()
    assert (edit(offset=0.4, paint=0.001).stages()["paint"] == 0).all()


def test_the_face_by_itself_is_edited_with_the_same_layers() -> None:
    assert (edit(0.5, offset=0.4).face == round(1.2 * 127.5)).all()


@pytest.mark.parametrize(("x", "y"), [(-500, -5), (500, -5), (-10, 500), (-10, -500), (500, 500)])
def test_a_crop_beside_the_photo_changes_nothing(x: float, y: float) -> None:
    pixels = photo()
    beside = Placement(np.array([[1 / SCALE, 0.0, x], [0.0, 1 / SCALE, y]]), SIZE)
    result = edit(offset=0.5, flow=0.1).apply(pixels, beside).laid_on(pixels)
    assert np.array_equal(result, pixels)
