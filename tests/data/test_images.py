import struct
import zlib

import numpy as np
import pytest
from making_sources import image_bytes, mutate
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from photos.making_photos import encoded
from photos.test_colors import WIDE
from twobirds.data.images import MAX_PIXELS, crop_square, decode_image, face_from_bytes
from twobirds.errors import InputError
from twobirds.photos.photo import read_photo


def png_that_claims(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = chunk(b"IDAT", zlib.compress(bytes(1000)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + data + chunk(b"IEND", b"")


@pytest.mark.parametrize("kind", ["PNG", "BMP", "WEBP"])
def test_lossless_formats_keep_every_pixel(kind: str) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (9, 7, 3), np.uint8)
    image = decode_image(encoded(pixels, kind, lossless=True))
    np.testing.assert_array_equal(np.asarray(image), pixels)


@pytest.mark.parametrize(
    ("image", "kind", "expected"),
    [
        (Image.new("L", (4, 4), 77), "PNG", (77, 77, 77)),
        (Image.new("L", (8, 8), 77), "JPEG", (77, 77, 77)),
        (Image.new("1", (4, 4), 1), "PNG", (255, 255, 255)),
        (Image.new("RGB", (4, 4), (10, 200, 30)).convert("P"), "PNG", None),
        (Image.new("RGBA", (4, 4), (10, 20, 30, 0)), "PNG", (255, 255, 255)),
        (Image.new("RGBA", (4, 4), (10, 20, 30, 255)), "PNG", (10, 20, 30)),
        (Image.new("LA", (4, 4), (9, 0)), "PNG", (255, 255, 255)),
        # 51 / 255 = 0.2: 0.2 * 100 + 0.8 * 255 = 224
        (Image.new("RGBA", (4, 4), (100, 100, 100, 51)), "PNG", (224, 224, 224)),
        (Image.fromarray(np.full((4, 4), 65535, np.uint16)), "PNG", (255, 255, 255)),
        (Image.fromarray(np.full((4, 4), 257 * 99, np.uint16)), "PNG", (99, 99, 99)),
        (Image.new("CMYK", (8, 8), (0, 0, 0, 0)), "JPEG", (255, 255, 255)),
        (Image.new("CMYK", (8, 8), (0, 0, 0, 255)), "JPEG", (0, 0, 0)),
    ],
)
def test_every_mode_becomes_rgb(image: Image.Image, kind: str, expected: object) -> None:
    rgb = decode_image(encoded(image, kind))
    assert rgb.mode == "RGB"
    assert rgb.getpixel((1, 1)) == (expected or image.convert("RGB").getpixel((1, 1)))


def test_transparent_palette_is_laid_on_white() -> None:
    image = Image.new("P", (4, 4), 1)
    image.putpalette([0, 0, 0, 200, 0, 0])
    assert decode_image(encoded(image, "PNG", transparency=1)).getpixel((0, 0)) == (255, 255, 255)
    assert decode_image(encoded(image, "PNG", transparency=0)).getpixel((0, 0)) == (200, 0, 0)


def test_exif_orientation_is_applied() -> None:
    image = Image.new("RGB", (16, 8), "black")
    image.paste("white", (0, 0, 8, 8))  # left half white
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise: left becomes top
    upright = decode_image(encoded(image, "JPEG", exif=exif, quality=95))
    assert upright.size == (8, 16)
    assert upright.getpixel((4, 2))[0] > 250
    assert upright.getpixel((4, 13))[0] < 5


def test_celeba_size_gets_the_papers_crop() -> None:
    rows = np.repeat(np.arange(218, dtype=np.uint8), 178).reshape(218, 178)
    face, crop, _ = face_from_bytes(encoded(rows, "PNG"), 178)
    assert crop == "center_178"
    np.testing.assert_array_equal(face[:, 0, 0], np.arange(20, 198))


def test_other_sizes_lose_their_ends_and_squares_nothing() -> None:
    columns = np.tile(np.arange(10, dtype=np.uint8), (4, 1))
    square, crop = crop_square(Image.fromarray(columns))
    assert crop == "center_square"
    np.testing.assert_array_equal(np.asarray(square)[0], [3, 4, 5, 6])
    assert crop_square(Image.new("L", (5, 5)))[1] == "none"


def test_resize_antialiases() -> None:
    checkers = np.indices((64, 64)).sum(axis=0).astype(np.uint8) % 2 * 255
    face = face_from_bytes(encoded(checkers, "PNG"), 16).pixels
    inner = face[2:-2, 2:-2].astype(int)
    assert np.abs(inner - 127.5).max() <= 1  # any point sampling would give 0 or 255


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty file"),
        (b"GIF89a" + bytes(100), "not a JPEG, PNG, WebP or BMP"),
        (b"hello", "not a JPEG"),
        (image_bytes(0)[:-40], "cannot be decoded"),
        (image_bytes(0, kind="webp")[:-40], "."),
        (encoded(Image.new("RGB", (64, 64)), "JPEG")[:-30], "cannot be decoded"),
        (png_that_claims(MAX_PIXELS // 1000 + 1, 1000), "pixels are too many"),
        (png_that_claims(100_000, 100_000), "too many"),
    ],
)
def test_what_is_no_whole_image_is_named(data: bytes, reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        decode_image(data)


@pytest.mark.parametrize("kind", ["png", "jpg", "webp", "bmp"])
def test_damaged_images_never_raise_anything_else(kind: str) -> None:
    generator = np.random.default_rng(0)
    data = image_bytes(3, (24, 20), kind)
    outcomes = set()
    for _ in range(400):
        try:
            face = face_from_bytes(mutate(data, generator), 8).pixels
        except InputError:
            outcomes.add("refused")
        else:
            assert face.shape == (8, 8, 3)
            outcomes.add("decoded")
    assert "refused" in outcomes


def test_colors_are_converted_to_srgb_by_profile_or_gamma() -> None:
    pixels = np.full((32, 32, 3), 128, np.uint8)
    data = encoded(pixels, "PNG", icc_profile=WIDE)
    converted = np.asarray(decode_image(data))
    np.testing.assert_array_equal(converted, read_photo(data).pixels)
    assert converted[0, 0].tolist() == pytest.approx([144] * 3, abs=2)  # 128 / 255 to 1.8, encoded
    linear, usual = PngInfo(), PngInfo()
    linear.add(b"gAMA", struct.pack(">I", 100_000))
    usual.add(b"gAMA", struct.pack(">I", 45_455))
    for decode in (decode_image, lambda data: read_photo(data).pixels):
        light = np.asarray(decode(encoded(pixels, "PNG", pnginfo=linear)))
        assert light[0, 0].tolist() == [188] * 3  # 1.055 * 0.502 ** (1 / 2.4) - 0.055
        same = np.asarray(decode(encoded(pixels, "PNG", pnginfo=usual)))
        assert same[0, 0].tolist() == [128] * 3
    linear.add(b"sRGB", b"\0")
    said = decode_image(encoded(pixels, "PNG", pnginfo=linear))
    assert said.getpixel((0, 0)) == (128, 128, 128)  # which comes before a gamma
