"""Photos written: in their format, with their transparency, colours and metadata."""

import dataclasses
import io
import struct
from typing import Any

import numpy as np
from PIL import Image

from twobirds.data.images import PILLOW
from twobirds.data.provenance import PHOTO_FORMATS, Provenance
from twobirds.errors import InputError
from twobirds.photos.patch import Patch
from twobirds.photos.photo import Photo, laid_on_white

_MAX_SIDES = {"JPEG": 65_500, "WEBP": 16_383}  # pixels that the encoders take
_MAX_JPEG_SEGMENT = {"exif": 65_533, "xmp": 65_504}  # bytes
_OPAQUE_FORMATS = ("JPEG", "BMP")
_ENCODER_ERRORS = (OSError, ValueError, OverflowError, SystemError, struct.error)


def encode_photo(
    photo: Photo, pixels: np.ndarray, provenance: Provenance | None, suffix: str = ""
) -> bytes:
    """Write other pixels in a photo's format, with its transparency, colours and metadata.

    Args:
        photo: Where the pixels are from.
        pixels: `[H, W, 3]` uint8 sRGB, of the same size.
        provenance: What to say of them in the file; None says nothing.
        suffix: End of the file's name; one of another format chooses that.

    Raises:
        InputError: If the picture cannot be written in this format.
    """
    return encode_patch(photo, Patch(0, 0, pixels), provenance, suffix)


def encode_patch(
    photo: Photo, patch: Patch, provenance: Provenance | None, suffix: str = ""
) -> bytes:
    """Write a photo, of which a part was edited, with its transparency, colours and metadata.

    A JPEG gets the tables of the one that came, which leaves what was not touched nearly as it was.

    Args:
        photo: As it was.
        patch: What was edited.
        provenance: What to say of them in the file; None says nothing.
        suffix: End of the file's name; one of another format chooses that.

    Raises:
        InputError: If the picture cannot be written in this format.
    """
    file_format = PHOTO_FORMATS.get(suffix.lower(), photo.format)
    image, profile = _image(photo, patch, file_format)
    arguments: dict[str, Any] = {"quality": 95}
    if file_format == photo.format:
        arguments = dict(photo.encoding)
    arguments["icc_profile"] = profile
    arguments |= photo.metadata.encoder_arguments(file_format, provenance)
    _check_limits(image, file_format, arguments)
    buffer = io.BytesIO()
    try:
        with PILLOW:
            image.save(buffer, format=file_format, **arguments)
    except KeyError as error:  # no such encoder
        raise InputError(f"{file_format} needs the package pillow-heif") from error
    except _ENCODER_ERRORS as error:
        raise InputError(f"cannot be written as {file_format}: {error}") from error
    return buffer.getvalue()


def require_encoder(suffix: str) -> None:
    """Refuse a format that cannot be written on this machine, before any work.

    Args:
        suffix: End of a file's name.

    Raises:
        InputError: If it is HEIC without its package.
    """
    if PHOTO_FORMATS.get(suffix.lower()) != "HEIF":
        return
    try:
        import pillow_heif  # noqa: F401
    except ModuleNotFoundError as error:
        raise InputError(
            f"to write {suffix}, install the package pillow-heif, or choose another format"
        ) from error


def require_png(suffix: str, file_format: str = "") -> None:
    """Refuse a format in which protected pixels would change: only PNG is lossless in every case.

    Args:
        suffix: End of a file's name.
        file_format: Pillow's name of the format, where the suffix names none.

    Raises:
        InputError: If it is not PNG.
    """
    if PHOTO_FORMATS.get(suffix.lower(), file_format) != "PNG":
        raise InputError(
            "with protected parts the picture is written as PNG, since encoders such as JPEG's "
            "change every pixel a little: choose a name that ends in .png"
        )


def without_transparency(photo: Photo, area: tuple[slice, slice]) -> Photo:
    """A photo with some rows and columns made opaque."""
    if photo.alpha is None:
        return photo
    alpha = photo.alpha.copy()
    alpha[area] = 255
    return dataclasses.replace(photo, alpha=alpha)


def _image(photo: Photo, patch: Patch, file_format: str) -> tuple[Image.Image, bytes | None]:
    """The picture as its encoder takes it, and its colour profile."""
    alpha = photo.alpha
    colors = photo.colors
    if alpha is not None and file_format in _OPAQUE_FORMATS:
        pixels, alpha, colors = laid_on_white(patch.laid_on(photo.pixels), alpha), None, None
        patch = Patch(0, 0, pixels)
    if colors is not None and _holds(file_format, colors.mode, colors.profile):
        before = photo.pixels[patch.place]
        image, profile = colors.edited(before, patch.pixels, patch.place), colors.profile
    else:
        image = _in_rgb(photo, patch, file_format)
        if photo.is_grey:
            image = image.convert("L")
        keeps = file_format == photo.format or not photo.is_grey  # WebP, for one, has no grey
        profile = photo.encoding.get("icc_profile") if keeps else None
    if alpha is not None:
        image.putalpha(Image.fromarray(alpha))
    return image, profile


def _in_rgb(photo: Photo, patch: Patch, file_format: str) -> Image.Image:
    """The edited photo in sRGB; of mode RGBX if it is a JPEG of which a part was edited."""
    if file_format == "JPEG" and not photo.is_grey and not patch.is_whole(photo.pixels):
        return patch.image_on(photo.pixels)
    return Image.fromarray(patch.laid_on(photo.pixels))


def _holds(file_format: str, mode: str, profile: bytes | None) -> bool:
    """Whether a format can hold samples of a mode with a colour profile."""
    if profile is not None and file_format == "BMP":
        return False
    return mode in {"JPEG": ("RGB", "CMYK", "L"), "PNG": ("RGB", "L")}.get(file_format, ("RGB",))


def _check_limits(image: Image.Image, file_format: str, arguments: dict[str, Any]) -> None:
    """Refuse what an encoder would fail on.

    Raises:
        InputError: If the picture is too large, or its metadata are too long.
    """
    max_side = _MAX_SIDES.get(file_format)
    if max_side is not None and max(image.size) > max_side:
        raise InputError(
            f"{image.width}x{image.height} pixels do not fit into {file_format}, which holds "
            f"{max_side:,} a side: choose a name that ends in .png"
        )
    for name, max_bytes in _MAX_JPEG_SEGMENT.items() if file_format == "JPEG" else ():
        if len(arguments.get(name, b"")) > max_bytes:
            raise InputError(
                f"its {name.upper()} metadata have {len(arguments[name]):,} bytes, and JPEG holds "
                f"{max_bytes:,}: choose a name that ends in .png"
            )
