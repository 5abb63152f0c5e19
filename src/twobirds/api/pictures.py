"""A model's faces as PIL images, and in a file."""

import math
from pathlib import Path

import numpy as np
from PIL import Image
from torch import Tensor

from twobirds.atomic import write_atomically
from twobirds.data.faces import to_pixels
from twobirds.data.provenance import PHOTO_FORMATS, Provenance
from twobirds.errors import InputError

_FORMATS = {suffix: name for suffix, name in PHOTO_FORMATS.items() if name != "HEIF"}


def to_pil_images(images: Tensor) -> list[Image.Image]:
    """Turn faces `[B, 3, H, W]` in [-1, 1] into B PIL images.

    Raises:
        InputError: If it is no such tensor.
    """
    _require_images(images)
    return [Image.fromarray(pixels) for pixels in to_pixels(images)]


def save_images(images: Tensor, path: str | Path, *, provenance: Provenance | None = None) -> None:
    """Write faces into one file: one as it is, more as a near-square grid, row by row.

    Args:
        images: `[B, 3, H, W]` in [-1, 1], B at least 1.
        path: The file, whose ending chooses the format: .png, .jpg, .webp or .bmp.
        provenance: What the file says of its origin; None writes nothing.

    Raises:
        InputError: If it is no such tensor, or the ending names none of these formats.
    """
    _require_images(images)
    path = Path(path)
    file_format = _FORMATS.get(path.suffix.lower())
    if file_format is None:
        raise InputError(f"{path}: choose a name that ends in one of {', '.join(_FORMATS)}")
    if not len(images):
        raise InputError(f"{path}: there is no image to write")
    picture = Image.fromarray(_near_square_grid(to_pixels(images)))
    marks = {} if provenance is None else provenance.encoder_arguments(file_format)
    write_atomically(path, lambda file: picture.save(file, format=file_format, **marks))


def _require_images(images: Tensor) -> None:
    if not isinstance(images, Tensor) or not images.is_floating_point():
        raise InputError("images must be a float tensor [B, 3, H, W] in [-1, 1]")
    if images.ndim != 4 or images.shape[1] != 3:
        raise InputError(f"images must have shape [B, 3, H, W], not {list(images.shape)}")


def _near_square_grid(pixels: np.ndarray) -> np.ndarray:
    """Faces `[B, H, W, 3]` uint8 side by side, on white: `[H', W', 3]` uint8."""
    count, height, width, _ = pixels.shape
    columns = math.ceil(math.sqrt(count))
    rows = math.ceil(count / columns)
    cells = np.full((rows * columns, height, width, 3), 255, np.uint8)
    cells[:count] = pixels
    cells = cells.reshape(rows, columns, height, width, 3).swapaxes(1, 2)  # [R, H, C, W, 3]
    return cells.reshape(rows * height, columns * width, 3)
