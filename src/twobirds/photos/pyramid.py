"""A photo at falling resolutions, and antialiased square crops from it at any place and angle."""

import math

import cv2
import numpy as np

GREY = (127, 127, 127)
"""Of what lies beyond the edge of a photo: nearly zero once the networks' inputs are centred."""
_MIN_SIDE = 48  # pixels; smaller levels would serve no crop
_BRIGHTEST_PERCENT = 97  # the percentile of the grey levels that stands for the brightest
_DARK, _BRIGHT = 160, 230  # an image whose brightest is below the one is scaled to the other
_MIN_BRIGHTEST = 20


class Pyramid:
    """A photo, halved again and again.

    Args:
        pixels: `[H, W, 3]` uint8.
    """

    def __init__(self, pixels: np.ndarray) -> None:
        self.height, self.width = pixels.shape[:2]
        self._levels = [pixels]
        while min(self._levels[-1].shape[:2]) >= 2 * _MIN_SIDE:
            height, width = self._levels[-1].shape[:2]
            half = ((width + 1) // 2, (height + 1) // 2)
            self._levels.append(cv2.resize(self._levels[-1], half, interpolation=cv2.INTER_AREA))

    def resized(self, scale: float, rim: int) -> np.ndarray:
        """The whole photo, with a grey rim.

        Args:
            scale: Pixels of the result for one of the photo.
            rim: Width of the rim on each side, in pixels of the result.

        Returns:
            `[ceil(scale * H) + 2 * rim, ceil(scale * W) + 2 * rim, 3]` uint8.
        """
        size = (math.ceil(self.width * scale), math.ceil(self.height * scale))
        level = self._levels[self._index(math.floor(-math.log2(scale)))]
        image = cv2.resize(level, size, interpolation=cv2.INTER_AREA)
        padded: np.ndarray = cv2.copyMakeBorder(
            image, rim, rim, rim, rim, cv2.BORDER_CONSTANT, value=GREY
        )
        return padded

    def crop(self, centre: np.ndarray, side: float, angle: float, size: int) -> np.ndarray:
        """Cut out a square; beyond the photo's edge it is grey.

        Args:
            centre: `[2]` (x, y) in the photo's pixels, 0 at the outer corner.
            side: Of the square, in the photo's pixels.
            angle: By which the square is turned from the x axis towards the y axis, in radians.
            size: Height and width of the result, in pixels.

        Returns:
            `[size, size, 3]` uint8.
        """
        level = self._levels[self._index(round(math.log2(max(side / size, 1))))]
        shrinkage = np.array([level.shape[1] / self.width, level.shape[0] / self.height])
        step = rotation(angle) * (side / size)  # [2, 2]: from a pixel of the crop to the next
        start = centre - step @ np.full(2, (size - 1) / 2)  # of the first pixel's centre
        # OpenCV has pixel centres at whole numbers.
        matrix = np.hstack([step * shrinkage[:, None], (start * shrinkage - 0.5)[:, None]])
        cropped: np.ndarray = cv2.warpAffine(
            level,
            matrix,
            (size, size),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=GREY,
        )
        return cropped

    def _index(self, level: int) -> int:
        return min(max(level, 0), len(self._levels) - 1)


def rotation(angle: float) -> np.ndarray:
    """The matrix `[2, 2]` that turns (x, y) from the x axis towards the y axis by radians."""
    cosine, sine = math.cos(angle), math.sin(angle)
    return np.array([[cosine, -sine], [sine, cosine]])


def square_crops(pyramid: Pyramid, boxes: np.ndarray, size: int) -> np.ndarray:
    """Square boxes `[N, 4]` of a photo as `[N, size, size, 3]` uint8."""
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    sides = boxes[:, 2] - boxes[:, 0]
    crops = [pyramid.crop(c, float(s), 0.0, size) for c, s in zip(centres, sides, strict=True)]
    return brightened(np.stack(crops))


def brightened(images: np.ndarray) -> np.ndarray:
    """Of `[N, H, W, 3]` uint8, the dark ones with their grey levels spread."""
    step = max(2, max(images.shape[1:3]) // 128)
    samples = images[:, ::step, ::step].reshape(len(images), -1)
    brightest = np.percentile(samples, _BRIGHTEST_PERCENT, axis=1)
    if not (brightest < _DARK).any():
        return images
    gains = np.where(brightest < _DARK, _BRIGHT / np.maximum(brightest, _MIN_BRIGHTEST), 1)
    spread = images * gains[:, None, None, None].astype(np.float32)
    bright: np.ndarray = np.minimum(spread, 255).astype(np.uint8)
    return bright
