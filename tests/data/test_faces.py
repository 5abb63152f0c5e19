"""Faces as users hold them: every kind gives the same images, or a sentence."""

import io
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from twobirds.data.faces import Faces, from_pixels, to_images, to_pixels
from twobirds.data.images import crop_square, face_from_bytes
from twobirds.errors import InputError

PIXELS = np.random.default_rng(0).integers(0, 256, (3, 40, 40, 3), np.uint8)


def kinds(pixels: np.ndarray) -> dict[str, Faces]:
    tensor = torch.from_numpy(pixels)
    return {
        "array": pixels,
        "uint8": tensor,
        "float": tensor.permute(0, 3, 1, 2).float() / 127.5 - 1,
        "double": tensor.permute(0, 3, 1, 2).double() / 127.5 - 1,
        "pictures": [Image.fromarray(p) for p in pixels],
    }


@pytest.mark.parametrize("size", [40, 32, 64])
def test_all_kinds_of_faces_agree(size: int) -> None:
    images = {kind: to_images(faces, size) for kind, faces in kinds(PIXELS).items()}
    for image in images.values():
        assert image.shape == (3, 3, size, size)
        assert image.dtype == torch.float32
        assert image.abs().max() <= 1
        torch.testing.assert_close(image, images["array"], rtol=0, atol=1e-6)
    assert torch.equal(images["array"], images["uint8"])
    assert torch.equal(images["array"], images["pictures"])


def test_the_ends_of_the_range_are_black_and_white() -> None:
    images = to_images(np.array([0, 255], np.uint8).reshape(2, 1, 1, 1).repeat(3, 3), 1)
    assert images.flatten().tolist() == [-1, -1, -1, 1, 1, 1]


def test_pixels_survive_the_way_there_and_back() -> None:
    assert np.array_equal(to_pixels(to_images(PIXELS, 40)), PIXELS)
    assert to_pixels(torch.full((1, 3, 1, 1), 7.0)).tolist() == [[[[255] * 3]]]


def test_pixels_and_images_may_have_any_number_of_axes_before_theirs() -> None:
    pixels = torch.tensor([0, 51, 255], dtype=torch.uint8).reshape(1, 1, 3)  # [H, W, 3]
    image = from_pixels(pixels)
    assert image.shape == (3, 1, 1)
    # 51 / 127.5 - 1 = -0.6
    torch.testing.assert_close(image.flatten(), torch.tensor([-1.0, -0.6, 1.0]))
    rows = from_pixels(torch.from_numpy(PIXELS).unsqueeze(0))  # [1, 3, 3, 40, 40]
    assert np.array_equal(to_pixels(rows), PIXELS[None])
    batch = from_pixels(torch.from_numpy(PIXELS))
    assert batch.is_contiguous(memory_format=torch.channels_last)


def test_one_picture_is_a_batch_of_one_and_other_modes_become_rgb() -> None:
    grey = Image.fromarray(PIXELS[0, :, :, 0])
    images = to_images(grey, 40)
    assert images.shape == (1, 3, 40, 40)
    assert torch.equal(images[0, 0], images[0, 2])


@pytest.mark.parametrize("shape", [(40, 33), (33, 40), (40, 41)])
@pytest.mark.parametrize("size", [33, 24, 64])
def test_the_middle_of_others_than_squares_is_taken(shape: tuple[int, int], size: int) -> None:
    height, width = shape
    pixels = np.random.default_rng(1).integers(0, 256, (2, height, width, 3), np.uint8)
    squares = np.stack([np.asarray(crop_square(Image.fromarray(p))[0]) for p in pixels])
    expected = to_images(squares, size)
    for faces in kinds(pixels).values():
        torch.testing.assert_close(to_images(faces, size), expected, rtol=0, atol=1e-6)


def test_pictures_are_converted_as_the_packer_converts_files() -> None:
    photo = Image.fromarray(PIXELS[0][:, :30])
    photo.getexif()[0x0112] = 6  # to be turned clockwise
    clear = Image.fromarray(np.dstack([PIXELS[1], np.zeros((40, 40), np.uint8)]))
    for picture, size in ((photo, 30), (clear, 40)):
        file = io.BytesIO()
        picture.save(file, "PNG", exif=picture.getexif())
        expected = face_from_bytes(file.getvalue(), size).pixels
        assert np.array_equal(to_pixels(to_images(picture, size))[0], expected)


def test_arrays_may_be_read_only_or_views() -> None:
    frozen = PIXELS.copy()
    frozen.flags.writeable = False
    assert torch.equal(to_images(frozen, 40), to_images(PIXELS, 40))
    assert torch.equal(to_images(PIXELS[:, :, ::-1], 40), to_images(PIXELS, 40).flip(3))


def test_a_tensor_is_not_changed_and_takes_no_gradient() -> None:
    faces = torch.full((1, 3, 8, 8), 1.0005, requires_grad=True)  # rounding beyond 1 is tolerated
    images = to_images(faces, 8)
    assert not images.requires_grad
    assert images.max() <= 1.0006
    assert faces[0, 0, 0, 0].item() == pytest.approx(1.0005)


@pytest.mark.parametrize("side", [40, 32])
def test_no_faces_give_no_images(side: int) -> None:
    empty = np.zeros((0, side, side, 3), np.uint8)
    for faces in kinds(empty).values():
        assert to_images(faces, 32).shape == (0, 3, 32, 32)


@pytest.mark.parametrize(
    ("faces", "message"),
    [
        (
            PIXELS[0],
            r"array must be uint8 of shape \[B, H, W, 3\], not uint8 of shape \[40, 40, 3\]",
        ),
        (PIXELS.astype(np.float32), "must be uint8 .* not float32"),
        (PIXELS.astype(object), "must be uint8 .* not object"),
        (np.zeros((2, 8, 8, 4), np.uint8), r"not uint8 of shape \[2, 8, 8, 4\]"),
        (np.zeros((2, 0, 8, 3), np.uint8), r"must have pixels, but have shape \[2, 3, 0, 8\]"),
        (torch.zeros(2, 3, 8, 8, dtype=torch.uint8), "tensor must be uint8 of shape"),
        (torch.zeros(2, 3, 8, 8, dtype=torch.int64), "must be floating point .* not torch.int64"),
        (torch.zeros(3, 8, 8), r"not torch.float32 of shape \[3, 8, 8\]"),
        (torch.zeros(2, 8, 8, 3), "must be floating point of shape"),
        (
            torch.full((1, 3, 8, 8), 255.0),
            r"must lie in \[-1, 1\], but its values go from 255 to 255",
        ),
        (torch.full((1, 3, 8, 8), torch.nan), r"must lie in \[-1, 1\]"),
        (["face.png"], "must be a tensor, a uint8 array, a PIL image or a list of them"),
        (5, "must be a tensor, a uint8 array, a PIL image or a list of them"),
        (None, "must be a tensor, a uint8 array, a PIL image or a list of them"),
    ],
)
def test_wrong_faces_are_named(faces: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        to_images(faces, 32)
