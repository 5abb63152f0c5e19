"""Image files to square uint8 faces: decode, turn upright, crop, resize."""

import contextlib
import io
import threading
import warnings
from collections.abc import Iterator
from typing import Literal, NamedTuple

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from twobirds.data.colors import srgb_of
from twobirds.errors import InputError

Crop = Literal["none", "center_178", "center_square"]

IMAGE_EXTENSIONS: tuple[str, ...] = (
    ".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".bmp",
)  # fmt: skip
"""Extensions, in lower case, that are taken for images."""
MAX_PIXELS = 89_478_485
"""Larger images are refused before they are decoded: a few kilobytes can claim gigabytes."""
MIN_SIDE = 8
"""Height and width in pixels below which no face can be seen: such images are not packed."""
CELEBA_SIZE = (178, 218)
"""Width and height of CelebA's aligned images in pixels."""

PILLOW = threading.Lock()
"""Held while Pillow decodes or encodes: its warnings can be silenced for all threads only."""
_FORMATS = ("JPEG", "PNG", "WEBP", "BMP")
_NAMES = {"WEBP": "WebP", "HEIF": "HEIC"}
_MAX_SHRINKING = 4  # larger images than this many times the model's size are photos, probably
_MAX_ASPECT = 1.3  # CelebA's aligned images have 1.22, a camera's 1.33 or more


def is_image_data(data: bytes) -> bool:
    """Whether bytes begin as one of the image formats does."""
    return data.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n", b"BM")) or (
        data[:4] == b"RIFF" and data[8:12] == b"WEBP"
    )


def decode_image(data: bytes) -> Image.Image:
    """Decode a JPEG, PNG, WebP or BMP file of any mode into an upright RGB image.

    Args:
        data: The whole file.

    Returns:
        An 8-bit image of mode RGB.

    Raises:
        InputError: If the bytes are not a whole image of these formats, or it is too large.
    """
    with opened_image(data, _FORMATS) as image:
        if image.width * image.height > MAX_PIXELS:
            raise InputError(f"{image.width}x{image.height} pixels are too many")
        image.load()
        return upright_rgb(image)


@contextlib.contextmanager
def opened_image(data: bytes, formats: tuple[str, ...]) -> Iterator[Image.Image]:
    """Open an image file without decoding its pixels yet; one thread at a time.

    Args:
        data: The whole file.
        formats: Pillow's names of those that are taken.

    Raises:
        InputError: If the bytes are none of these, or, within the context, Pillow fails on them.
    """
    if not data:
        raise InputError("empty file")
    with PILLOW, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            with Image.open(io.BytesIO(data), formats=formats) as image:
                yield image
        except InputError:
            raise
        except UnidentifiedImageError as error:
            names = [_NAMES.get(name, name) for name in formats]
            raise InputError(f"not a {', '.join(names[:-1])} or {names[-1]} image") from error
        except Image.DecompressionBombError as error:
            raise InputError("too many pixels") from error
        except Exception as error:  # Pillow's decoders raise anything on damaged files.
            raise InputError(f"cannot be decoded ({error or type(error).__name__})") from error


def rgb_of_grey16(image: Image.Image) -> Image.Image:
    """16-bit grey as 8-bit RGB."""
    grey = np.asarray(image).astype(np.int64).clip(0, 65535)
    levels = ((grey + 128) // 257).astype(np.uint8)  # 65535 / 257 = 255
    return Image.fromarray(levels).convert("RGB")


def upright_rgb(image: Image.Image) -> Image.Image:
    """Turn an image as its EXIF orientation says, and convert any mode to 8-bit sRGB.

    Colours are converted by the image's profile or gamma; transparency is laid on white, 16-bit
    grey is scaled to 8 bit.
    """
    profile = image.info.get("icc_profile")
    image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I"):
        return rgb_of_grey16(image)
    if image.mode in ("LA", "La", "PA", "RGBA", "RGBa") or "transparency" in image.info:
        layer = Image.fromarray(srgb_of(image, profile)[0])
        layer.putalpha(image.convert("RGBA").getchannel("A"))
        white = Image.new("RGBA", layer.size, "white")
        return Image.alpha_composite(white, layer).convert("RGB")
    return Image.fromarray(srgb_of(image, profile)[0])


def crop_square(image: Image.Image) -> tuple[Image.Image, Crop]:
    """Cut a square out of the middle; CelebA's 178x218 gives the paper's 178 (Sec. 5.1).

    Args:
        image: Any image.

    Returns:
        The square, and which crop it was.
    """
    width, height = image.size
    if width == height:
        return image, "none"
    side = min(width, height)
    left, top = (width - side) // 2, (height - side) // 2
    square = image.crop((left, top, left + side, top + side))
    return square, "center_178" if image.size == CELEBA_SIZE else "center_square"


class Face(NamedTuple):
    """An image file as a square."""

    pixels: np.ndarray
    """`[size, size, 3]` uint8 RGB."""
    crop: Crop
    """Which crop was made."""
    side: int
    """Height and width of the square in the file, in pixels."""


def face_from_bytes(data: bytes, size: int) -> Face:
    """Decode, crop and resize one file with an antialiasing (Lanczos) filter.

    Args:
        data: The whole file.
        size: Height and width of the result in pixels.

    Raises:
        InputError: As `decode_image`.
    """
    square, crop = crop_square(decode_image(data))
    side = square.width
    if side != size:
        square = square.resize((size, size), Image.Resampling.LANCZOS)
    return Face(np.asarray(square), crop, side)


def is_like_a_photo(height: int, width: int, size: int) -> bool:
    """Whether an image is larger or longer than aligned faces are for a model of some size."""
    long, short = max(height, width), min(height, width)
    return short > _MAX_SHRINKING * size or long > _MAX_ASPECT * short
