"""Photos for tests, made in memory."""

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image

from twobirds.photos.faces import Face
from twobirds.photos.template import CELEBA_TIGHT


def encoded(pixels: np.ndarray | Image.Image, file_format: str = "PNG", **arguments: Any) -> bytes:
    """A file of `[H, W, 3]` uint8 or an image."""
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    buffer = io.BytesIO()
    image.save(buffer, format=file_format, **arguments)
    return buffer.getvalue()


def decoded(data: bytes) -> Image.Image:
    """The image in a file."""
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def noise(height: int, width: int, *, seed: int = 0) -> np.ndarray:
    """`[H, W, 3]` uint8, sharp enough for a face."""
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


class PlacedFaces:
    """A detector that says where the faces are.

    Args:
        places: Left, top and side of the crop of each, in pixels of the photo.
    """

    name = "a test"

    def __init__(self, *places: Sequence[float]) -> None:
        self.places = places

    def detect(self, pixels: np.ndarray) -> list[Face]:
        """Those faces, whatever the pixels."""
        faces = []
        for left, top, side in self.places:
            landmarks = np.array(CELEBA_TIGHT) * side + (left, top)
            faces.append(Face((left, top, side, side), landmarks, 0.99))
        return faces
