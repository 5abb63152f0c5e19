"""The part of a photo that an edit changes."""

from dataclasses import dataclass

import numpy as np
from PIL import Image

_COMPARED_ROWS = 256  # at a time, for memory


@dataclass(frozen=True, eq=False)
class Patch:
    """Pixels that take the place of those of a part of a photo; it may be empty."""

    left: int
    top: int
    pixels: np.ndarray
    """`[h, w, 3]` uint8."""

    @property
    def place(self) -> tuple[slice, slice]:
        """Rows and columns of the photo."""
        height, width = self.pixels.shape[:2]
        return slice(self.top, self.top + height), slice(self.left, self.left + width)

    def is_whole(self, pixels: np.ndarray) -> bool:
        """Whether it takes the place of the whole photo `[H, W, 3]`."""
        return self.pixels.shape == pixels.shape

    def changes(self, pixels: np.ndarray) -> bool:
        """Whether a pixel differs from the photo's, `[H, W, 3]` uint8."""
        before, rows = pixels[self.place], range(0, len(self.pixels), _COMPARED_ROWS)
        parts = [slice(row, row + _COMPARED_ROWS) for row in rows]
        return any(not np.array_equal(before[part], self.pixels[part]) for part in parts)

    def laid_on(self, pixels: np.ndarray) -> np.ndarray:
        """The photo `[H, W, 3]` uint8 with these pixels: a copy, or these where they are all."""
        if self.is_whole(pixels):
            return self.pixels
        result = pixels.copy()
        result[self.place] = self.pixels
        return result

    def image_on(self, pixels: np.ndarray) -> Image.Image:
        """The photo `[H, W, 3]` uint8 with these pixels, of mode RGBX; its fourth samples are 255.

        Pillow's own pixels have four samples, too: such an image shares the array's memory.
        """
        import cv2  # aligned faces do without it

        height, width = pixels.shape[:2]
        samples = cv2.cvtColor(pixels, cv2.COLOR_RGB2RGBA)  # [H, W, 4]
        samples[self.place][..., :3] = self.pixels
        return Image.frombuffer("RGBX", (width, height), samples, "raw", "RGBX", 0, 1)
