"""Faces of a photo to the template of a model, and the way back."""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image

from twobirds.data.similarity import apply, estimate_similarity, invert
from twobirds.photos.template import Template

_MAX_SAMPLES = 16  # a side of a pixel of the crop, when a large face is shrunk


@dataclass(frozen=True, eq=False)
class Placement:
    """Where a model's image of S x S pixels lies in a photo."""

    matrix: np.ndarray
    """`[2, 3]`: from the photo's (x, y) to the image's, both in pixels, 0 at the outer corner."""
    size: int
    """S."""

    @property
    def corners(self) -> np.ndarray:
        """`[4, 2]`: the image's corners in the photo."""
        side = float(self.size)
        square = np.array([(0, 0), (side, 0), (side, side), (0, side)])
        return apply(invert(self.matrix), square)

    @property
    def scale(self) -> float:
        """Pixels of the image for one of the photo."""
        return float(np.hypot(self.matrix[0, 0], self.matrix[1, 0]))


def place(landmarks: np.ndarray, template: Template, size: int) -> Placement:
    """Find the similarity that brings landmarks `[5, 2]` closest to a template."""
    return Placement(estimate_similarity(landmarks, np.array(template) * size), size)


def cut_face(pixels: np.ndarray, placement: Placement) -> np.ndarray:
    """Cut a face out as a model wants it, antialiased; beyond the photo's edge it is mirrored.

    Args:
        pixels: `[H, W, 3]` uint8 RGB.
        placement: Where.

    Returns:
        `[S, S, 3]` uint8 RGB.
    """
    samples = min(_MAX_SAMPLES, max(1, math.ceil(1 / placement.scale)))
    side = placement.size * samples
    large = cv2.warpAffine(
        pixels,
        _of_centres(placement.matrix * samples),
        (side, side),
        flags=cv2.INTER_CUBIC if samples == 1 else cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REFLECT_101,
    )
    if samples == 1:
        return large
    small = Image.fromarray(large).resize((placement.size,) * 2, Image.Resampling.LANCZOS)
    return np.asarray(small)


def uncut(values: np.ndarray, placement: Placement, box: tuple[int, int, int, int]) -> np.ndarray:
    """Bring a model's image back to the photo, smoothly.

    Args:
        values: `[S, S]` or `[S, S, C]` float32.
        placement: Where they belong.
        box: Left, top, right and bottom of the part of the photo that is wanted, in pixels.

    Returns:
        `[bottom - top, right - left]` or with C float32; beyond the image its edge goes on.
    """
    left, top, right, bottom = box
    back = invert(placement.matrix) - np.array([[0, 0, left], [0, 0, top]])
    warped: np.ndarray = cv2.warpAffine(
        values,
        _of_centres(back),
        (right - left, bottom - top),
        flags=cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return warped


def _of_centres(matrix: np.ndarray) -> np.ndarray:
    """The same map for OpenCV, whose pixels have their centres at whole numbers."""
    half = np.array([0.5, 0.5])
    shifted = matrix.copy()
    shifted[:, 2] += matrix[:, :2] @ half - half
    return shifted
