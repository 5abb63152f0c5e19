"""Faces to a model's template, and edits back into the photo."""

import numpy as np
import pytest

from twobirds.data.similarity import apply, invert
from twobirds.photos.align import cut_face, place, uncut
from twobirds.photos.paste import paste
from twobirds.photos.template import CELEBA_TIGHT

SIZE = 64


def turned(scale: float, degrees: float, x: float, y: float) -> np.ndarray:
    """The landmarks `[5, 2]` of a face of so many pixels a side, turned, with its middle there."""
    angle = np.deg2rad(degrees)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return (np.array(CELEBA_TIGHT) - 0.5) * scale @ turn.T + (x, y)


def waves(height: int, width: int) -> np.ndarray:
    """`[H, W, 3]` uint8: slow waves that any resampling keeps."""
    y, x = np.mgrid[:height, :width]
    grey = 127 + 60 * np.sin(x / 31) + 60 * np.cos(y / 27)
    return np.repeat(grey[..., None], 3, axis=2).round().astype(np.uint8)


@pytest.mark.parametrize(("scale", "degrees"), [(50, 0), (64, 20), (300, -35), (700, 170)])
def test_landmarks_go_to_the_template_and_back(scale: float, degrees: float) -> None:
    landmarks = turned(scale, degrees, 200, 220)
    placement = place(landmarks, CELEBA_TIGHT, SIZE)
    mapped = apply(placement.matrix, landmarks)
    assert np.abs(mapped - np.array(CELEBA_TIGHT) * SIZE).max() < 1e-9
    assert np.abs(apply(invert(placement.matrix), mapped) - landmarks).max() < 1e-9
    assert placement.scale == pytest.approx(SIZE / scale)


@pytest.mark.parametrize(("scale", "degrees"), [(60, 0), (64, 30), (300, -35)])
def test_a_cut_face_is_the_photo_at_these_places(scale: float, degrees: float) -> None:
    photo = waves(500, 480)
    placement = place(turned(scale, degrees, 240, 250), CELEBA_TIGHT, SIZE)
    crop = cut_face(photo, placement)
    assert (crop.shape, crop.dtype) == ((SIZE, SIZE, 3), np.uint8)
    y, x = np.mgrid[:SIZE, :SIZE] + 0.5
    places = apply(invert(placement.matrix), np.stack([x, y], axis=-1)) - 0.5  # of pixel centres
    expected = 127 + 60 * np.sin(places[..., 0] / 31) + 60 * np.cos(places[..., 1] / 27)
    assert np.abs(crop[..., 0] - expected).max() < 3


def test_beyond_the_photo_a_face_is_mirrored() -> None:
    photo = waves(200, 200)
    crop = cut_face(photo, place(turned(64, 0, 0, 100), CELEBA_TIGHT, SIZE))
    assert np.abs(crop[:, 31::-1].astype(int) - crop[:, 32:]).mean() < 3


def test_large_faces_are_shrunk_without_aliasing() -> None:
    photo = np.zeros((900, 900, 3), np.uint8)
    photo[:, ::2] = 255  # stripes finer than a pixel of the crop
    crop = cut_face(photo, place(turned(800, 10, 450, 450), CELEBA_TIGHT, SIZE))
    assert np.abs(crop.astype(int) - 127).max() < 12


def test_uncut_is_the_way_back() -> None:
    placement = place(turned(200, 25, 150, 160), CELEBA_TIGHT, SIZE)
    x = np.mgrid[:SIZE, :SIZE][1].astype(np.float32)
    back = uncut(x, placement, (100, 120, 200, 210))
    assert back.shape == (90, 100)
    y, x = np.mgrid[120:210, 100:200] + 0.5
    expected = apply(placement.matrix, np.stack([x, y], axis=-1))[..., 0] - 0.5
    assert np.abs(back - expected).max() < 0.05


def face(level: float) -> np.ndarray:
    return np.full((SIZE, SIZE, 3), level, np.float32)


def test_nothing_changed_leaves_every_pixel() -> None:
    photo = np.random.default_rng(0).integers(0, 256, (300, 320, 3), np.uint8)
    placement = place(turned(150, 15, 160, 150), CELEBA_TIGHT, SIZE)
    assert (paste(photo, placement, face(0.3), face(0.3)).laid_on(photo) == photo).all()


@pytest.mark.parametrize(("x", "y"), [(160, 150), (10, 290), (500, 500)])
def test_outside_the_crop_no_pixel_changes(x: float, y: float) -> None:
    photo = np.random.default_rng(0).integers(0, 256, (300, 320, 3), np.uint8)
    placement = place(turned(150, 15, x, y), CELEBA_TIGHT, SIZE)
    pasted = paste(photo, placement, face(-0.5), face(0.9)).laid_on(photo)
    rows, columns = np.mgrid[:300, :320] + 0.5
    places = apply(placement.matrix, np.stack([columns, rows], axis=-1))
    outside = ((places < -1) | (places > SIZE + 1)).any(axis=-1)
    assert (pasted == photo)[outside].all()
    if x < 320:
        assert (pasted != photo)[~outside].any()


def test_a_small_change_is_added_and_keeps_fine_detail() -> None:
    photo = waves(300, 320)
    photo[::2, ::2] += 6  # finer than the crop's pixels
    placement = place(turned(150, 0, 160, 150), CELEBA_TIGHT, SIZE)
    pasted = paste(photo, placement, face(0.0), face(0.08)).laid_on(photo)
    middle = np.s_[120:180, 130:190]
    change = pasted[middle].astype(int) - photo[middle]
    assert set(np.unique(change)) <= {9, 10, 11}  # 0.08 of 2 is 10.2 levels


def test_a_large_change_takes_the_detail_of_what_went() -> None:
    photo = np.full((300, 320, 3), 128, np.uint8)
    photo[140:143, 130:190] = 0  # the rim of glasses, thinner than a pixel of the crop
    placement = place(turned(600, 0, 160, 150), CELEBA_TIGHT, SIZE)
    before = cut_face(photo, placement).astype(np.float32) / 127.5 - 1
    pasted = paste(photo, placement, before, before + (before < -0.2) * 0.9).laid_on(photo)
    rim = pasted[140:143, 135:185]
    assert rim.mean() > 60  # against 0


def test_strips_of_a_large_photo_join_without_a_seam(monkeypatch: pytest.MonkeyPatch) -> None:
    photo = np.random.default_rng(0).integers(60, 190, (300, 320, 3), np.uint8)
    placement = place(turned(250, 15, 160, 150), CELEBA_TIGHT, SIZE)
    after = face(0.0)
    after[20:40, 20:40] = 0.9  # so much that the photo's detail goes there
    whole = paste(photo, placement, face(0.0), after).laid_on(photo)
    monkeypatch.setattr("twobirds.photos.paste._STRIP_PIXELS", 2_000)  # of about 6 rows
    strips = paste(photo, placement, face(0.0), after).laid_on(photo)
    assert np.abs(strips.astype(int) - whole).max() <= 1  # rounding of OpenCV's fixed point
    assert (whole != photo).any()
