"""Colour profiles: a photo's colours to sRGB, in which the model sees, and back."""

import functools
import io
from dataclasses import dataclass
from typing import Literal

import numpy as np
from PIL import Image, ImageCms

Mode = Literal["RGB", "CMYK", "L"]
_SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
_INTENT = ImageCms.Intent.RELATIVE_COLORIMETRIC
_FLAGS = ImageCms.Flags.BLACKPOINTCOMPENSATION
_MAX_SRGB_ERROR = 2  # levels, up to which a profile counts as sRGB: rounding of its tables
_CHECKED_LEVELS = 9  # of each channel, at which that is measured
_SRGB_GAMMA, _SAME_GAMMA = 1 / 2.2, 0.01  # as PNG files say it
_ROWS, _COPIED_ROWS = 512, 64  # converted, and copied, at a time: for memory, and for the cache
_SOLVER_STEPS, _SOLVER_REACH = 4, 12.0  # levels, over which slopes are measured
_DAMPING = 0.01


@dataclass(frozen=True, eq=False)
class SourceColors:
    """A photo's samples in the colour space of its file."""

    samples: np.ndarray
    """`[H, W, C]` uint8; C is 3 for RGB, 4 for CMYK, 1 for grey."""
    mode: Mode
    profile: bytes | None
    """ICC profile; None for CMYK without one."""

    def edited(
        self, before: np.ndarray, after: np.ndarray, place: tuple[slice, slice]
    ) -> Image.Image:
        """The file's samples with the change of an edit; where nothing changed, as they were.

        The difference of the two conversions is added, so that colours outside sRGB stay, and so
        does the amount of black that a printer chose.

        Args:
            before: `[h, w, 3]` uint8 sRGB: a part of the photo.
            after: `[h, w, 3]` uint8 sRGB: edited.
            place: Rows and columns of this part.
        """
        samples = self.samples.copy()
        part = samples[place]
        for top in range(0, len(part), _ROWS):
            rows = part[top : top + _ROWS]
            old, new = before[top : top + _ROWS], after[top : top + _ROWS]
            changed = (old != new).any(axis=2)  # [h, W]
            if changed.any():
                rows[changed] = self._edited(rows[changed], old[changed], new[changed])
        return Image.fromarray(samples[..., 0] if self.mode == "L" else samples, self.mode)

    def _edited(self, samples: np.ndarray, before: np.ndarray, after: np.ndarray) -> np.ndarray:
        """Samples `[n, C]` uint8 of pixels that change from `before` to `after`, `[n, 3]` uint8."""
        if self.profile is None:
            return _inks(after)
        profile = _opened(self.profile)
        try:
            old, new = (_converted(p, "RGB", _SRGB, profile, self.mode) for p in (before, after))
        except ImageCms.PyCMSError:  # the profile says what its samples look like, not the reverse
            return _solved(samples, after, profile, self.mode)
        edited: np.ndarray = samples + (new.astype(np.int16) - old)
        return edited.clip(0, 255).astype(np.uint8)


def srgb_of(image: Image.Image, profile: bytes | None) -> tuple[np.ndarray, SourceColors | None]:
    """Convert an image to sRGB by its profile, or by its gamma where it has no profile.

    Args:
        image: Of any mode with 8 bits a channel; transparency is left out.
        profile: Its ICC profile; one that cannot be used means that it is sRGB.

    Returns:
        `[H, W, 3]` uint8 sRGB; and the samples as they were, None where they were sRGB.
    """
    mode: Mode = "RGB"
    if image.mode in ("L", "LA", "CMYK"):
        mode = "CMYK" if image.mode == "CMYK" else "L"
    opened = _opened(profile) if profile else None
    try:
        if profile and opened is not None and not _is_srgb(profile, mode):
            samples = _samples(image.convert(mode))  # [H, W, C]
            flat = samples.reshape(-1, samples.shape[2])
            pixels = _converted(flat, mode, opened, _SRGB, "RGB").reshape(*samples.shape[:2], 3)
            return pixels, SourceColors(samples, mode, profile)
    except ImageCms.PyCMSError:  # such as a profile for other channels than the image has
        pass
    pixels = _pixels(_rgb(image))
    gamma = gamma_of(image, profile)
    if gamma is not None:
        pixels = _without_gamma(pixels, gamma)
    return pixels, SourceColors(_samples(image), "CMYK", None) if mode == "CMYK" else None


def _pixels(image: Image.Image) -> np.ndarray:
    """An RGB image as `[H, W, 3]` uint8, copied in parts: Pillow would copy all of it twice."""
    pixels = np.empty((image.height, image.width, 3), np.uint8)
    for top in range(0, image.height, _COPIED_ROWS):
        bottom = min(top + _COPIED_ROWS, image.height)
        pixels[top:bottom] = np.asarray(image.crop((0, top, image.width, bottom)))
    pixels.flags.writeable = False
    return pixels


def gamma_of(image: Image.Image, profile: bytes | None) -> float | None:
    """The gamma of a PNG that says nothing else of its colours.

    Returns:
        The exponent from light to samples; None if it is about sRGB's, absurd, or not there.
    """
    gamma: float | None = image.info.get("gamma")
    if profile or "srgb" in image.info or gamma is None or not 0.1 < gamma < 3:
        return None
    return None if abs(gamma - _SRGB_GAMMA) < _SAME_GAMMA else gamma


def _without_gamma(pixels: np.ndarray, gamma: float) -> np.ndarray:
    """Samples `[H, W, 3]` uint8 that are `light ** gamma`, as sRGB."""
    light = (np.arange(256) / 255) ** (1 / gamma)
    curve = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    levels = (curve * 255).round().astype(np.uint8)
    return np.asarray(levels[pixels])


def _rgb(image: Image.Image) -> Image.Image:
    """`image` as RGB, without its transparency."""
    if image.mode == "RGB":
        return image  # `convert` would copy it
    if image.mode in ("L", "CMYK"):
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
    samples: np.ndarray,
    source_mode: Mode,
    source: ImageCms.ImageCmsProfile | None,
    target: ImageCms.ImageCmsProfile | None,
    target_mode: Mode,
) -> np.ndarray:
    """Samples `[n, C]` uint8 of one profile as `[n, C']` uint8 of another.

    Raises:
        ImageCms.PyCMSError: If the profiles do not allow it.
    """
    if source is None or target is None:
        raise ImageCms.PyCMSError("a damaged profile")
    shaped = samples.reshape(1, -1) if source_mode == "L" else samples[None]
    converted = ImageCms.profileToProfile(
        Image.fromarray(np.ascontiguousarray(shaped), source_mode),
        source,
        target,
        renderingIntent=_INTENT,
        outputMode=target_mode,
        flags=_FLAGS,
    )
    return np.asarray(converted).reshape(len(samples), -1)


def _solved(
    samples: np.ndarray, pixels: np.ndarray, profile: ImageCms.ImageCmsProfile | None, mode: Mode
) -> np.ndarray:
    """Samples near others that a profile converts to given colours, by damped least squares.

    Args:
        samples: `[n, C]` uint8, where the search starts.
        pixels: `[n, 3]` uint8 sRGB: what they shall look like.
        profile: Of the samples.
        mode: Of the samples.

    Returns:
        `[n, C]` uint8.
    """

    def seen(values: np.ndarray) -> np.ndarray:
        levels = values.round().astype(np.uint8)
        return _converted(levels, mode, profile, _SRGB, "RGB").astype(np.float64)

    values = samples.astype(np.float64)
    for _ in range(_SOLVER_STEPS):
        now = seen(values)
        slopes = np.empty((*values.shape, 3))  # [n, C, 3]
        for channel in range(values.shape[1]):
            step = np.where(values[:, channel] > 127, -_SOLVER_REACH, _SOLVER_REACH)
            moved = values.copy()
            moved[:, channel] += step
            slopes[:, channel] = (seen(moved) - now) / step[:, None]
        gram = slopes.transpose(0, 2, 1) @ slopes + _DAMPING * np.eye(3)  # [n, 3, 3]
        weights = np.linalg.solve(gram, (pixels - now)[..., None])  # [n, 3, 1]
        values = (values + (slopes @ weights)[..., 0]).clip(0, 255)
    return values.round().astype(np.uint8)


@functools.lru_cache(maxsize=64)
def _is_srgb(profile: bytes, mode: Mode) -> bool:
    """Whether conversion from a profile changes nothing that could be seen."""
    if mode == "CMYK":
        return False
    levels = np.linspace(0, 255, _CHECKED_LEVELS).round().astype(np.uint8)
    colors = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(-1, 3)
    samples = colors if mode == "RGB" else levels[:, None]
    converted = _converted(samples, mode, _opened(profile), _SRGB, "RGB").astype(int)
    return bool(np.abs(converted - samples).max() <= _MAX_SRGB_ERROR)


def _inks(pixels: np.ndarray) -> np.ndarray:
    """`[n, 3]` uint8 sRGB as `[n, 4]` uint8 CMYK, with as much black as there can be."""
    light = pixels.max(axis=1, keepdims=True).astype(np.float32)  # [n, 1]
    inks = (light - pixels) / np.maximum(light, 1) * 255
    return np.concatenate([inks, 255 - light], axis=1).round().astype(np.uint8)
