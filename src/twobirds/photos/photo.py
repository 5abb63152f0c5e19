"""Photos decoded: upright and in sRGB, with what it takes to write them as they came."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps, JpegImagePlugin

from twobirds.data.colors import SourceColors, gamma_of, srgb_of
from twobirds.data.images import crop_square, opened_image, rgb_of_grey16
from twobirds.data.provenance import PHOTO_FORMATS
from twobirds.errors import InputError
from twobirds.photos.metadata import Metadata, metadata_of

MAX_PHOTO_PIXELS = 50_000_000
"""Larger photos are refused before they are decoded."""
MIN_PHOTO_SIDE = 16
"""Pixels; nothing smaller shows a face."""
_FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "HEIF")
_HEIC_HEADS = {b"ftyp" + brand for brand in (b"heic", b"heix", b"hevc", b"mif1", b"msf1")}
_PNG_DEPTH = 24  # offset of the bits a channel in a PNG file
_SUFFIXES = {"JPEG": ".jpg", "PNG": ".png", "WEBP": ".webp", "BMP": ".bmp", "HEIF": ".heic"}


@dataclass(frozen=True, eq=False)
class Photo:
    """A decoded photo of H x W pixels, and what it takes to write it as it came."""

    pixels: np.ndarray
    """`[H, W, 3]` uint8 sRGB, upright."""
    alpha: np.ndarray | None
    """`[H, W]` uint8; None where all is opaque."""
    format: str
    """Pillow's name of the file format, such as JPEG."""
    is_grey: bool
    """Whether the file has no colours."""
    metadata: Metadata = field(default_factory=Metadata)
    colors: SourceColors | None = None
    """The samples of the file, where they are not sRGB."""
    left_out: str | None = None
    """What of the file this photo is not, in words, such as the further frames of an animation."""
    encoding: Mapping[str, Any] = field(default_factory=dict)
    """Further arguments to Pillow's encoder: JPEG's tables, a profile that says sRGB."""
    num_bits: int = 8
    """Of a channel in the file; of more than 8, `pixels` have the upper 8."""
    has_gamma: bool = False
    """Whether the file has a gamma by which `pixels` were converted to sRGB."""
    cut_from: tuple[int, int] | None = None
    """Height and width of the image of which an aligned face is the middle."""

    @property
    def opaque(self) -> np.ndarray:
        """`[H, W, 3]` uint8, laid on white."""
        return laid_on_white(self.pixels, self.alpha)

    def part(self, left: int, top: int, right: int, bottom: int) -> Image.Image:
        """A part of the photo, laid on white."""
        box = np.s_[top:bottom, left:right]
        alpha = None if self.alpha is None else self.alpha[box]
        return Image.fromarray(laid_on_white(self.pixels[box], alpha))

    @property
    def lost(self) -> tuple[str, ...]:
        """What is lost in an edit, in words: more than 8 bits a channel, new colours."""
        deep = f"has {self.num_bits} bits a channel: an edit keeps 8"
        grey = "has no colours: those of an edit become grey"
        return (*[deep] * (self.num_bits != 8), *[grey] * self.is_grey)

    @property
    def num_bytes(self) -> int:
        """Memory that the pixels take."""
        samples = None if self.colors is None else self.colors.samples
        return sum(a.nbytes for a in (self.pixels, self.alpha, samples) if a is not None)

    def suffix(self, name_suffix: str) -> str:
        """The end of a file name for this photo's format.

        Args:
            name_suffix: End of the name that it came with; kept where it names the format.
        """
        return suffix_for(self.format, name_suffix)


def read_photo(data: bytes, *, min_side: int = MIN_PHOTO_SIDE) -> Photo:
    """Decode a JPEG, PNG, WebP, BMP or, with the package pillow-heif, HEIC file.

    Colours are converted from the file's colour profile or gamma to sRGB, more bits a channel to
    8; of an animation the first frame is taken.

    Args:
        data: The whole file; what format it is, its content says.
        min_side: Height and width below which it is refused.

    Raises:
        InputError: If the bytes are not a whole image of these formats, or it is too large or too
            small.
    """
    _register_heif()
    if data[4:12] in _HEIC_HEADS and "HEIF" not in _known_formats():
        raise InputError("to read HEIC, install the package pillow-heif")
    with opened_image(data, _known_formats()) as image:
        _check_size(*image.size, min_side)
        image.load()
        return _photo(image, data)


def read_aligned_face(data: bytes, size: int) -> Photo:
    """Decode a face that is cut already like the packer does: the middle square, antialiased.

    Args:
        data: The whole file.
        size: Height and width of the result in pixels.

    Returns:
        A photo of `[size, size, 3]`, to be written as PNG.

    Raises:
        InputError: If the bytes are not a whole image.
    """
    source = read_photo(data, min_side=1)
    height, width = source.pixels.shape[:2]
    square, _ = crop_square(Image.fromarray(source.opaque))
    if square.size != (size, size):
        square = square.resize((size, size), Image.Resampling.LANCZOS)
    return Photo(
        np.asarray(square),
        None,
        "PNG",
        is_grey=False,
        left_out=source.left_out,
        cut_from=(height, width),
    )


def suffix_for(file_format: str, name_suffix: str) -> str:
    """The end of a file name that names a format: the one given, where it does."""
    fits = PHOTO_FORMATS.get(name_suffix.lower()) == file_format
    return name_suffix.lower() if fits else _SUFFIXES[file_format]


def format_of(head: bytes) -> str | None:
    """Pillow's name of a file's format by its first 16 bytes; None where it is no photo's."""
    for file_format, start in (("JPEG", b"\xff\xd8\xff"), ("PNG", b"\x89PNG"), ("BMP", b"BM")):
        if head.startswith(start):
            return file_format
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WEBP"
    return "HEIF" if head[4:12] in _HEIC_HEADS else None


def suffix_of_file(path: Path) -> str:
    """The end of a name for the format of a photo, which its content says, not its name."""
    try:
        with path.open("rb") as file:
            head = file.read(16)
    except OSError:
        head = b""  # reported when it is opened
    file_format = format_of(head)
    return suffix_for(file_format, path.suffix) if file_format else path.suffix.lower() or ".png"


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
    num_bits = _num_bits(image, file_format, data)
    metadata, left_out = metadata_of(image), _left_out(image)
    profile = image.info.get("icc_profile")
    ImageOps.exif_transpose(image, in_place=True)
    alpha, colors = None, None
    if image.mode.startswith("I"):
        pixels = np.asarray(rgb_of_grey16(image))
    else:
        if image.has_transparency_data and file_format != "BMP":
            alpha = np.asarray(image.convert("RGBA"))[..., 3].copy()
        pixels, colors = srgb_of(image, profile)
    if profile and colors is None and image.mode != "CMYK":
        encoding["icc_profile"] = profile
    return Photo(
        pixels,
        alpha,
        file_format,
        is_grey,
        metadata,
        colors,
        left_out,
        encoding,
        num_bits,
        has_gamma=gamma_of(image, profile) is not None,
    )


def _num_bits(image: Image.Image, file_format: str, data: bytes) -> int:
    """Bits of a channel in a file, where they are more than 8; else 8."""
    if image.mode.startswith("I") or (file_format == "PNG" and data[_PNG_DEPTH] == 16):
        return 16
    return max(8, image.info.get("bit_depth", 8)) if file_format == "HEIF" else 8


def _left_out(image: Image.Image) -> str | None:
    """What of a file is not in its first picture."""
    count = getattr(image, "n_frames", 1)
    if count == 1:
        return None
    if image.format == "MPO":
        return f"holds {count} pictures: only the first is used"
    return f"is an animation of {count} frames: only the first is used"


def _encoding(image: Image.Image, file_format: str, data: bytes) -> dict[str, Any]:
    """Arguments that let Pillow's encoder write about what its decoder found."""
    encoding: dict[str, Any] = {}
    if isinstance(image, JpegImagePlugin.JpegImageFile) and image.mode in ("L", "RGB", "CMYK"):
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


def _check_size(width: int, height: int, min_side: int) -> None:
    if width * height > MAX_PHOTO_PIXELS:
        megapixels = MAX_PHOTO_PIXELS // 1_000_000
        raise InputError(f"{width}x{height} pixels are too many: at most {megapixels} megapixels")
    if min(width, height) < min_side:
        raise InputError(f"{width}x{height} pixels are too few: at least {min_side} a side")


def _register_heif() -> None:
    """Let Pillow open HEIC, where the package is there."""
    try:
        import pillow_heif
    except ModuleNotFoundError:
        return
    pillow_heif.register_heif_opener()


def _known_formats() -> tuple[str, ...]:
    return tuple(name for name in _FORMATS if name in Image.OPEN or name != "HEIF")
