"""Where in a photo an edit of a face may change pixels, and how it fades out."""

from collections.abc import Iterator

import cv2
import numpy as np

from twobirds.photos.align import Placement

_RIM = 0.14  # of the crop's side, over which an edit fades out
_LONG_RIM = 0.40  # the same downwards beside the face, where long hair leaves the crop
_BESIDE = (0.20, 0.35)  # of the crop's side, from the middle: between them the rim grows longer

Box = tuple[int, int, int, int]
"""Left, top, right and bottom of a part of a photo, in pixels."""


def bounds(placement: Placement, shape: tuple[int, ...]) -> Box:
    """The upright box around the crop within a photo of `shape`; empty where it lies beside it."""
    corners = placement.corners
    left, top = np.floor(corners.min(axis=0)).astype(int).clip(0)
    right, bottom = np.ceil(corners.max(axis=0)).astype(int)
    right, bottom = min(int(right), shape[1]), min(int(bottom), shape[0])
    return min(int(left), right), min(int(top), bottom), right, bottom


def strips(box: Box, max_pixels: int) -> Iterator[Box]:
    """A box in parts of its full width, from above."""
    left, top, right, bottom = box
    height = max(1, max_pixels // max(1, right - left))  # a face may fill fifty megapixels
    for row in range(top, bottom, height):
        yield left, row, right, min(row + height, bottom)


def inside(placement: Placement, box: Box) -> np.ndarray:
    """Which pixels of the box lie in the crop, `[h, w]` uint8 0/1."""
    left, top, right, bottom = box
    mask = np.zeros((bottom - top, right - left), np.uint8)
    cv2.fillConvexPoly(mask, (placement.corners - (left, top)).round().astype(np.int32), 1)
    return mask


def fading(size: int) -> np.ndarray:
    """1 in the middle of the crop, 0 at its edge, `[S, S]` float32."""
    at = (np.arange(size) + 0.5) / size
    begin, end = (smooth((edge / _RIM).clip(0, 1)) for edge in (at, 1 - at))
    inner, outer = _BESIDE
    beside = smooth(((np.abs(at - 0.5) - inner) / (outer - inner)).clip(0, 1))  # [S], by column
    rim = _RIM + (_LONG_RIM - _RIM) * beside
    below = smooth(((1 - at)[:, None] / rim).clip(0, 1))  # [S, S]
    faded: np.ndarray = (begin[:, None] * below * (begin * end)).astype(np.float32)
    # The outermost pixels, or what lies outside would not stay.
    faded[[0, -1]] = faded[:, [0, -1]] = 0
    return faded


def smooth(x: np.ndarray) -> np.ndarray:
    """From 0 to 1 without corners, for x in [0, 1]."""
    curve: np.ndarray = x * x * (3 - 2 * x)
    return curve
