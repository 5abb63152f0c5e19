"""Photos in and out: of any usual format upright, and written back as they came."""

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from PIL import Image, ImageOps, JpegImagePlugin

from twobirds.data.images import PILLOW, opened_image, rgb_of_grey16
from twobirds.data.provenance import PHOTO_FORMATS, Provenance
from twobirds.errors import InputError

MAX_PHOTO_PIXELS = 50_000_000
"""Larger photos are refused before they are decoded."""
MIN_PHOTO_SIDE = 16
"""Pixels; nothing smaller shows a face."""
_FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "HEIF")
_HEIC_HEADS = {b"ftyp" + brand for brand in (b"heic", b"heix", b"hevc", b"mif1", b"msf1")}
_ORIENTATION, _THUMBNAIL = 0x0112, 1  # the EXIF tag, and the directory of the thumbnail


@dataclass(frozen=True, eq=False)
class Photo:
    """A decoded photo of H x W pixels, and what it takes to write it as it came."""

    pixels: np.ndarray
    """`[H, W, 3]` uint8 RGB, upright."""
    alpha: np.ndarray | None
    """`[H, W]` uint8; None where all is opaque."""
    format: str
    """Pillow's name of the file format, such as JPEG."""
    is_grey: bool
    """Whether the file has no colours."""
    exif: bytes | None
    """Without the thumbnail, which would show the photo as it was."""
    encoding: Mapping[str, Any] = field(default_factory=dict)
    """Further arguments to Pillow's encoder: colour profile, JPEG's tables."""

    @property
    def opaque(self) -> np.ndarray:
        """`[H, W, 3]` uint8, laid on white."""
        return laid_on_white(self.pixels, self.alpha)


def read_photo(data: bytes) -> Photo:
    """Decode a JPEG, PNG, WebP, BMP or, with the package pillow-heif, HEIC file.

    16 bits a channel become 8; of an animation the first picture is taken.

    Args:
        data: The whole file.

    Raises:
        InputError: If the bytes are not a whole image of these formats, or it is too large or too
            small.
    """
    _register_heif()
    if data[4:12] in _HEIC_HEADS and "HEIF" not in _known_formats():
        raise InputError("to read HEIC, install the package pillow-heif")
    with opened_image(data, _known_formats()) as image:
        _check_size(*image.size)
        image.load()
        return _photo(image, data)


def encode_photo(
    photo: Photo, pixels: np.ndarray, provenance: Provenance | None, suffix: str = ""
) -> bytes:
    """Write other pixels in a photo's format, with its transparency and its EXIF.

    A JPEG gets the tables of the one that came, which leaves what was not touched nearly as it was.

    Args:
        photo: Where the pixels are from.
        pixels: `[H, W, 3]` uint8 RGB, of the same size.
        provenance: What to say of them in the file; None says nothing.
        suffix: End of the file's name; one of another format chooses that.

    Raises:
        InputError: If the picture cannot be written in this format.
    """
    file_format = PHOTO_FORMATS.get(suffix.lower(), photo.format)
    marks: dict[str, Any] = dict(photo.encoding)
    if file_format != photo.format:
        profile = marks.get("icc_profile")
        marks = {"quality": 95} | ({"icc_profile": profile} if profile else {})
    if photo.exif and file_format != "BMP":
        marks["exif"] = photo.exif
    if provenance is not None:
        marks |= provenance.encoder_arguments(file_format)
    layers = file_format not in ("JPEG", "BMP")  # which have no transparency
    cover = photo.alpha if layers else None
    image = Image.fromarray(pixels if layers else laid_on_white(pixels, photo.alpha))
    if photo.is_grey:
        image = image.convert("L")
    if cover is not None:
        image.putalpha(Image.fromarray(cover))
    buffer = io.BytesIO()
    try:
        with PILLOW:
            image.save(buffer, format=file_format, **marks)
    except KeyError as error:  # no such encoder
        raise InputError(f"{file_format} needs the package pillow-heif") from error
    except OSError as error:
        raise InputError(f"cannot be written as {file_format}: {error}") from error
    return buffer.getvalue()


def laid_on_white(pixels: np.ndarray, alpha: np.ndarray | None) -> np.ndarray:
    """`[H, W, 3]` uint8 with transparency `[H, W]` uint8 or None, as seen on white."""
    if alpha is None:
        return pixels
    cover = alpha[..., None].astype(np.uint16)  # [H, W, 1]
    laid: np.ndarray = (pixels * cover + 255 * (255 - cover) + 127) // 255
    return laid.astype(np.uint8)


def _photo(image: Image.Image, data: bytes) -> Photo:
    """What is kept of a decoded file."""
    # A phone's JPEG may hold further pictures, such as a depth map; it is a JPEG all the same.
    file_format = "JPEG" if image.format == "MPO" else image.format or "PNG"
    encoding = _encoding(image, file_format, data)
    is_grey = image.mode in ("1", "L", "LA") or image.mode.startswith("I")
    image = ImageOps.exif_transpose(image)
    exif = _exif_without_thumbnail(image)
    alpha = None
    if image.mode.startswith("I"):
        pixels = np.asarray(rgb_of_grey16(image))
    elif image.has_transparency_data and file_format != "BMP":
        layers = np.asarray(image.convert("RGBA"))  # [H, W, 4]
        pixels, alpha = np.ascontiguousarray(layers[..., :3]), layers[..., 3].copy()
    else:
        pixels = np.asarray(image.convert("RGB"))
    return Photo(pixels, alpha, file_format, is_grey, exif, encoding)


def _encoding(image: Image.Image, file_format: str, data: bytes) -> dict[str, Any]:
    """Arguments that let Pillow's encoder write about what its decoder read."""
    encoding: dict[str, Any] = {}
    if image.info.get("icc_profile") and image.mode != "CMYK":
        encoding["icc_profile"] = image.info["icc_profile"]
    if isinstance(image, JpegImagePlugin.JpegImageFile) and image.mode in ("L", "RGB"):
        sampling = JpegImagePlugin.get_sampling(image)
        encoding["qtables"] = image.quantization
        if sampling >= 0:
            encoding["subsampling"] = sampling
    elif file_format == "JPEG":
        encoding["quality"] = 95
    elif file_format == "WEBP":
        lossless = _is_lossless_webp(data)
        encoding |= {"lossless": True, "exact": True} if lossless else {"quality": 95}
    elif file_format == "HEIF":
        encoding["quality"] = 95
    return encoding


def _is_lossless_webp(data: bytes) -> bool:
    """Whether the first picture of a WebP file is in its lossless chunk."""
    place = 12  # behind RIFF, length, WEBP
    while place + 8 <= len(data):
        kind, length = (
            data[place : place + 4],
            int.from_bytes(data[place + 4 : place + 8], "little"),
        )
        if kind in (b"VP8 ", b"VP8L"):
            return kind == b"VP8L"
        place += 16 if kind == b"ANMF" else 0  # a frame's header, with chunks behind it
        place += 8 if kind == b"ANMF" else 8 + length + length % 2
    return False


def _exif_without_thumbnail(image: Image.Image) -> bytes | None:
    """EXIF of the upright photo; None where there is none or it is damaged."""
    try:
        exif = image.getexif()
        if not len(exif):
            return None
        exif.pop(_ORIENTATION, None)
        exif._ifds.pop(_THUMBNAIL, None)
        return exif.tobytes()
    except Exception:  # damaged in ways as many as there are cameras
        return None


def _check_size(width: int, height: int) -> None:
    if width * height > MAX_PHOTO_PIXELS:
        most = MAX_PHOTO_PIXELS // 1_000_000
        raise InputError(f"{width}x{height} pixels are too many: at most {most} megapixels")
    if min(width, height) < MIN_PHOTO_SIDE:
        raise InputError(f"{width}x{height} pixels are too few: at least {MIN_PHOTO_SIDE} a side")


def _register_heif() -> None:
    """Let Pillow read HEIC, where the package is there."""
    try:
        import pillow_heif
    except ModuleNotFoundError:
        return
    pillow_heif.register_heif_opener()


def _known_formats() -> tuple[str, ...]:
    return tuple(name for name in _FORMATS if name in Image.OPEN or name != "HEIF")
