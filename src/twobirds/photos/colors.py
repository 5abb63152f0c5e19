"""Colour profiles: a photo's colours to sRGB, in which the model sees, and back."""

import io
from dataclasses import dataclass
from typing import Literal, cast

import numpy as np
from PIL import Image, ImageCms

Mode = Literal["RGB", "CMYK", "L"]
_SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
_INTENT = ImageCms.Intent.RELATIVE_COLORIMETRIC
_FLAGS = ImageCms.Flags.BLACKPOINTCOMPENSATION
_MAX_SRGB_ERROR = 2  # levels, up to which a profile counts as sRGB: rounding of its tables
_CHECKED_LEVELS = 9  # of each channel, at which that is measured
_ROWS = 512  # converted at a time, for memory


@dataclass(frozen=True, eq=False)
class SourceColors:
    """A photo's samples in the colour space of its file."""

    samples: np.ndarray
    """`[H, W, C]` uint8; C is 3 for RGB, 4 for CMYK, 1 for grey."""
    mode: Mode
    profile: bytes | None
    """ICC profile; None for CMYK without one."""

    def edited(self, before: np.ndarray, after: np.ndarray) -> Image.Image:
        """The file's samples with the change of an edit; where nothing changed, as they were.

        The difference of the two conversions is added, so that colours outside sRGB stay, and so
        does the amount of black that a printer chose.

        Args:
            before: `[H, W, 3]` uint8 sRGB: the photo.
            after: `[H, W, 3]` uint8 sRGB: edited.
        """
        samples = self.samples.copy()
        for top in range(0, len(samples), _ROWS):
            rows = np.s_[top : top + _ROWS]
            if (before[rows] == after[rows]).all():
                continue
            old, new = (self._from_srgb(pixels[rows]) for pixels in (before, after))
            change = new.astype(np.int16) - old
            samples[rows] = (samples[rows] + change).clip(0, 255)
        return Image.fromarray(samples[..., 0] if self.mode == "L" else samples, self.mode)

    def _from_srgb(self, pixels: np.ndarray) -> np.ndarray:
        """`[h, w, 3]` uint8 sRGB as samples `[h, w, C]` uint8."""
        if self.profile is None:
            return _inks(pixels)
        target = _opened(self.profile)
        converted = _converted(Image.fromarray(pixels), _SRGB, target, self.mode)
        samples = np.asarray(converted)
        return samples.reshape(*samples.shape[:2], -1)


def srgb_of(image: Image.Image, profile: bytes | None) -> tuple[np.ndarray, SourceColors | None]:
    """Convert an image to sRGB by its profile.

    Args:
        image: Of any mode with 8 bits a channel; transparency is left out.
        profile: Its ICC profile; None, or one that cannot be used, means that it is sRGB.

    Returns:
        `[H, W, 3]` uint8 sRGB; and the samples as they were, None where they were sRGB.
    """
    mode: Mode = "RGB"
    if image.mode in ("L", "LA", "CMYK"):
        mode = "CMYK" if image.mode == "CMYK" else "L"
    opened = _opened(profile) if profile else None
    try:
        if opened is not None and not _is_srgb(opened, mode):
            source = image.convert(mode)
            pixels = np.asarray(_converted(source, opened, _SRGB, "RGB"))
            return pixels, SourceColors(_samples(source), mode, profile)
    except ImageCms.PyCMSError:  # such as a profile for other channels than the image has
        pass
    pixels = np.asarray(_rgb(image))
    return pixels, SourceColors(_samples(image), "CMYK", None) if mode == "CMYK" else None


def _rgb(image: Image.Image) -> Image.Image:
    """`image` as RGB, without its transparency."""
    if image.mode in ("RGB", "L", "CMYK"):
        return image.convert("RGB")
    return image.convert("RGBA").convert("RGB")  # of a palette with transparency, the colours


def _samples(image: Image.Image) -> np.ndarray:
    """`[H, W, C]` uint8."""
    samples = np.asarray(image)
    return samples.reshape(*samples.shape[:2], -1)


def _opened(profile: bytes) -> ImageCms.ImageCmsProfile | None:
    try:
        return ImageCms.ImageCmsProfile(io.BytesIO(profile))
    except OSError:  # damaged
        return None


def _converted(
    image: Image.Image,
    source: ImageCms.ImageCmsProfile | None,
    target: ImageCms.ImageCmsProfile | None,
    mode: Mode,
) -> Image.Image:
    """`image` from one profile to another, of which the result has `mode`."""
    if source is None or target is None:
        raise ImageCms.PyCMSError("a damaged profile")
    converted = ImageCms.profileToProfile(
        image,
        source,
        target,
        renderingIntent=_INTENT,
        outputMode=mode,
        flags=_FLAGS,
    )
    return cast(Image.Image, converted)


def _is_srgb(profile: ImageCms.ImageCmsProfile, mode: Mode) -> bool:
    """Whether conversion from a profile changes nothing that could be seen."""
    if mode == "CMYK":
        return False
    levels = np.linspace(0, 255, _CHECKED_LEVELS).round().astype(np.uint8)
    colors = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(1, -1, 3)
    image = Image.fromarray(colors).convert(mode)
    converted = np.asarray(_converted(image, profile, _SRGB, "RGB")).astype(int)
    return bool(np.abs(converted - np.asarray(image.convert("RGB"))).max() <= _MAX_SRGB_ERROR)


def _inks(pixels: np.ndarray) -> np.ndarray:
    """`[H, W, 3]` uint8 sRGB as `[H, W, 4]` uint8 CMYK, with as much black as there can be."""
    light = pixels.max(axis=2, keepdims=True).astype(np.float32)  # [H, W, 1]
    inks = (light - pixels) / np.maximum(light, 1) * 255
    return np.concatenate([inks, 255 - light], axis=2).round().astype(np.uint8)
