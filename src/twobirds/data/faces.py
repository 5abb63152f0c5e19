"""Faces as users hold them, turned into what the networks take, and back."""

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from twobirds.data.images import upright_rgb
from twobirds.errors import InputError

Faces = Tensor | np.ndarray | Image.Image | Sequence[Image.Image]
"""Aligned faces: float32 `[B, 3, H, W]` in [-1, 1], uint8 `[B, H, W, 3]`, or PIL images."""


def to_images(faces: Faces, size: int) -> Tensor:
    """Turn any kind of aligned faces into `[B, 3, size, size]` float32 in [-1, 1] on the CPU.

    Args:
        faces: A float tensor `[B, 3, H, W]` in [-1, 1], an array or tensor uint8 `[B, H, W, 3]`,
            a PIL image, or a sequence of them. Of others than squares the middle is taken, and
            PIL images are turned upright, as the command line does with files.
        size: Height and width to resample to, with an antialiasing filter.

    Raises:
        InputError: If type, shape, dtype or range is another.
    """
    if isinstance(faces, Image.Image):
        faces = [faces]
    if isinstance(faces, np.ndarray):
        return _resize(_from_bytes(faces, "array"), size)
    if isinstance(faces, Tensor):
        if faces.dtype == torch.uint8:
            return _resize(_from_bytes(faces.cpu(), "tensor"), size)
        return _resize(_checked(faces.detach().cpu()), size)
    if not isinstance(faces, Sequence) or not all(isinstance(f, Image.Image) for f in faces):
        raise InputError("faces must be a tensor, a uint8 array, a PIL image or a list of them")
    if not faces:
        return torch.empty(0, 3, size, size)
    pixels = [np.array(upright_rgb(face)) for face in faces]
    return torch.cat([_resize(_from_bytes(p[None], "image"), size) for p in pixels])


def from_pixels(pixels: Tensor) -> Tensor:
    """Turn uint8 `[..., H, W, 3]` into float32 `[..., 3, H, W]` in [-1, 1], on the same device.

    The result lies in memory as the pixels do: a batch of images is channels last.
    """
    return pixels.movedim(-1, -3).float() / 127.5 - 1


def to_uint8(images: Tensor) -> Tensor:
    """Turn `[..., 3, H, W]` in [-1, 1] into uint8 `[..., H, W, 3]` on the same device.

    Values are rounded and clipped, as in a saved picture.
    """
    scaled = (images.detach().float().clamp(-1, 1) * 127.5 + 127.5).round()
    return scaled.to(torch.uint8).movedim(-3, -1)


def to_pixels(images: Tensor) -> np.ndarray:
    """`to_uint8` as an array: `[..., H, W, 3]`."""
    pixels: np.ndarray = to_uint8(images).cpu().contiguous().numpy()
    return pixels


def _from_bytes(pixels: Tensor | np.ndarray, what: str) -> Tensor:
    """uint8 `[B, H, W, 3]` to float32 `[B, 3, H, W]` in [-1, 1]."""
    if pixels.dtype not in (torch.uint8, np.uint8) or pixels.ndim != 4 or pixels.shape[3] != 3:
        raise InputError(
            f"a face {what} must be uint8 of shape [B, H, W, 3], "
            f"not {pixels.dtype} of shape {list(pixels.shape)}"
        )
    # A copy: an array may be read-only, or run backwards.
    values = pixels if isinstance(pixels, Tensor) else torch.from_numpy(pixels.copy())
    return from_pixels(values)


def _checked(images: Tensor) -> Tensor:
    """A float tensor of faces, if it is one."""
    if not images.is_floating_point() or images.ndim != 4 or images.shape[1] != 3:
        raise InputError(
            f"a face tensor must be floating point of shape [B, 3, H, W] in [-1, 1], or uint8 of "
            f"shape [B, H, W, 3], not {images.dtype} of shape {list(images.shape)}"
        )
    images = images.float()
    tolerance = 1e-3
    if len(images) and not bool((images.abs() <= 1 + tolerance).all()):
        raise InputError(
            "a face tensor must lie in [-1, 1], but its values go from "
            f"{images.min():.3g} to {images.max():.3g}"
        )
    return images


def _resize(images: Tensor, size: int) -> Tensor:
    """Cut a square out of the middle, as `crop_square` does, and resample it."""
    height, width = images.shape[-2:]
    if 0 in (height, width):
        raise InputError(f"faces must have pixels, but have shape {list(images.shape)}")
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    images = images[..., top : top + side, left : left + side]
    if side == size:
        return images
    if len(images) == 0:
        return images.new_empty(0, 3, size, size)
    resized = F.interpolate(images, (size, size), mode="bicubic", antialias=True)
    return resized.clamp(-1, 1)
