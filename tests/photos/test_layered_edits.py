"""Flow, colour and paint applied to a photo at its own resolution."""

import numpy as np
import torch

from twobirds.models.edit_layers import EditLayers
from twobirds.photos.align import Placement, uncut
from twobirds.photos.edits import LayeredEdit
from twobirds.photos.paste import PhotoLayers, _fading, paste_layers

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
    assert np.array_equal(edit().apply(pixels, PLACEMENT), pixels)
    assert np.array_equal(edit(0.0, offset=0.5).apply(pixels, PLACEMENT), pixels)


def test_colour_keeps_every_detail_and_the_photo_outside_the_crop() -> None:
    pixels = photo()
    result = edit(offset=0.2).apply(pixels, PLACEMENT)
    added = result[MIDDLE].astype(int) - pixels[MIDDLE]
    assert np.abs(added - 0.2 * 127.5).max() <= 1
    outside = np.ones(pixels.shape[:2], bool)
    outside[20:148, 40:168] = False
    assert np.array_equal(result[outside], pixels[outside])
    across = np.abs(np.diff(result[80].astype(int) - pixels[80], axis=0)).max()
    assert across <= 3  # it fades out: no straight line


def test_beside_the_face_the_edit_of_long_hair_fades_slowly() -> None:
    pixels = np.full((200, 240, 3), 100, np.uint8)
    added = edit(offset=0.5).apply(pixels, PLACEMENT).astype(int) - pixels
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
    result = paste_layers(pixels, PLACEMENT, PhotoLayers(flow, gain, offset, paint, cover))
    box = (40, 20, 168, 148)
    fading = _fading(SIZE)[..., None]
    gain, offset, paint, cover = (
        uncut(field * fading, PLACEMENT, box) for field in (gain, offset, paint, cover)
    )
    colours = pixels[20:148, 40:168] / np.float32(127.5) - 1
    colours = (colours + gain * colours + offset) * (1 - cover[..., None].clip(0, 1)) + paint
    levels = ((colours + 1) * np.float32(127.5)).round().clip(0, 255).astype(np.uint8)
    fields = np.dstack([gain, offset, paint, cover])
    is_touched = np.abs(fields).max(axis=2) > 1e-4
    assert 0.2 < is_touched.mean() < 0.8
    expected = pixels.copy()
    expected[20:148, 40:168][is_touched] = levels[is_touched]
    assert np.array_equal(result, expected)


def test_a_flow_moves_the_photos_own_pixels() -> None:
    pixels = photo()
    right = 2 / SIZE  # one pixel of the crop, four of the photo, to the right and down
    result = edit(flow=right).apply(pixels, PLACEMENT)
    expected = pixels[64:112, 84:132]
    assert np.abs(result[MIDDLE].astype(int) - expected).max() <= 1
    twice = edit(2.0, flow=right).apply(pixels, PLACEMENT)
    assert np.abs(twice[60:100, 80:120].astype(int) - pixels[68:108, 88:128]).max() <= 1


def test_paint_covers_and_never_more_than_all() -> None:
    pixels = photo()
    half = edit(alpha=0.5, paint=0.5 * -1.0).apply(pixels, PLACEMENT)  # black
    assert np.abs(half[MIDDLE].astype(int) - pixels[MIDDLE] / 2).max() <= 1
    all_of_it = edit(3.0, alpha=0.5, paint=0.5 * -1.0).apply(pixels, PLACEMENT)
    assert all_of_it[MIDDLE].max() == 0


def test_a_large_photo_is_edited_as_a_small_one() -> None:
    """The photo is worked on in strips."""
    rows, columns = np.indices((2400, 2400))
    pixels = np.stack([rows % 251, columns % 241, (rows + columns) % 239], axis=2).astype(np.uint8)
    placement = Placement(np.array([[SIZE / 2400, 0, 0], [0, SIZE / 2400, 0.0]]), SIZE)
    result = edit(offset=-0.1).apply(pixels, placement)
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
