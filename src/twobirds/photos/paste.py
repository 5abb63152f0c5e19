"""An edit of a face brought back into its photo."""

import cv2
import numpy as np

from twobirds.photos.align import Placement, uncut
from twobirds.photos.fading import bounds, fading, inside, smooth, strips
from twobirds.photos.patch import Patch

_LARGE, _LARGEST = 0.06, 0.30  # changes of grey levels in [0, 1] that cost fine detail: some, all
_STRIP_PIXELS = 250_000  # of the photo, worked on at a time
_SPREAD = 0.02  # of the crop's side, by which such places are widened


def paste(pixels: np.ndarray, placement: Placement, before: np.ndarray, after: np.ndarray) -> Patch:
    """Add what an edit changed to a photo, at the photo's own resolution.

    The difference of the two images is enlarged and added, so that light, colours and fine detail
    of the photo stay; where it is large, as where hair or glasses went, the detail goes with them.
    Outside the crop no pixel changes.

    Args:
        pixels: `[H, W, 3]` uint8 RGB of the photo.
        placement: Where the face lies.
        before: `[S, S, 3]` float32 in [-1, 1]: the model's image with nothing changed.
        after: `[S, S, 3]` float32 in [-1, 1]: its image of the edit.

    Returns:
        The part of the photo around the crop, edited.
    """
    box = bounds(placement, pixels.shape)
    left, top, right, bottom = box
    patch = Patch(left, top, pixels[top:bottom, left:right].copy())
    change = (after - before).astype(np.float32) * np.float32(127.5)  # [S, S, 3] in levels
    if not change.any() or not patch.pixels.size:
        return patch
    change *= fading(placement.size)[..., None]
    lost = _detail_lost(change / 255)
    coarse = _coarse(patch.pixels, placement.scale) if lost.any() else None
    for strip in strips(box, _STRIP_PIXELS):
        rows = slice(strip[1] - top, strip[3] - top)
        region = patch.pixels[rows]
        added = uncut(change, placement, strip)  # [h, w, 3]
        if coarse is not None:
            loss = uncut(lost, placement, strip).clip(0, 1)
            wide, spread = coarse  # [r, w, 3], [H, r]
            if loss.any():
                added -= loss[..., None] * (region - np.tensordot(spread[rows], wide, axes=1))
        levels = cv2.add(region, added, dtype=cv2.CV_8U)  # rounded and clipped
        cv2.copyTo(levels, inside(placement, strip), region)
    return patch


def _detail_lost(change: np.ndarray) -> np.ndarray:
    """How much of the photo's fine detail goes, `[S, S]` float32 in [0, 1]."""
    size = np.abs(change).max(axis=2)
    reach = max(1, round(_SPREAD * len(change)))
    widened = cv2.dilate(size, np.ones((2 * reach + 1,) * 2, np.uint8))
    softened = cv2.GaussianBlur(widened, (0, 0), reach)
    lost: np.ndarray = smooth(((softened - _LARGE) / (_LARGEST - _LARGE)).clip(0, 1))
    return lost.astype(np.float32)


def _coarse(region: np.ndarray, scale: float) -> tuple[np.ndarray, np.ndarray]:
    """What is no finer than a pixel of the crop, `[H, W, 3]` in two factors that need less memory.

    Returns:
        `[r, W, 3]` float32 in levels, few rows of full width; `[H, r]` float32, how the rows of
        the region are made of them.
    """
    height, width = region.shape[:2]
    scale = min(1.0, scale)
    small = (max(1, round(width * scale)), max(1, round(height * scale)))
    shrunk = cv2.resize(region, small, interpolation=cv2.INTER_AREA).astype(np.float32)
    wide = cv2.resize(shrunk, (width, small[1]), interpolation=cv2.INTER_CUBIC)
    ones = np.eye(small[1], dtype=np.float32)
    spread = cv2.resize(ones, (small[1], height), interpolation=cv2.INTER_CUBIC)
    return wide.reshape(small[1], width, 3), spread.reshape(height, small[1])
