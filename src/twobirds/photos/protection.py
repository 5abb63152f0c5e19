"""Parts of a photo that an edit leaves as they are, marked by a mask."""

import cv2
import numpy as np

from twobirds.errors import InputError
from twobirds.photos.align import Placement
from twobirds.photos.photo import Photo, read_photo

_LIGHT = 128  # level from which a pixel of a mask is white
_GREY = (64, 192)  # levels between are neither black nor white
_MAX_GREY = 0.05  # share of such pixels; the smoothed edge of a shape has fewer
_MAX_CHROMA = 16  # difference of channels from which a pixel has a colour
_FEATHER = 0.02  # of the crop's side, over which an edit comes in beside a protected part
_STRIP_PIXELS = 1_000_000  # of the photo, worked on at a time


def read_mask(data: bytes) -> np.ndarray:
    """Decode a mask: white is what an edit leaves as it is, black what it may change.

    Args:
        data: An image file of any format that photos have, of 1, 8 or 16 bits a channel.

    Returns:
        `[H, W]` bool: which pixels are protected.

    Raises:
        InputError: If it is no image, or can be understood in more than one way.
    """
    try:
        mask = read_photo(data, min_side=1)
    except InputError as error:
        raise InputError(f"the mask: {error}") from error
    if mask.left_out is not None:
        raise InputError(f"the mask {mask.left_out.split(':')[0]}: save it as a single picture")
    if mask.alpha is not None and mask.alpha.min() < 255:
        raise InputError(
            "the mask has transparent pixels: its opaque part could be meant, or its white part; "
            "save it in black and white, without transparency"
        )
    if (np.ptp(mask.pixels, axis=2) > _MAX_CHROMA).any():
        raise InputError(
            "the mask has colours: all that is painted could be meant, or only what is light; "
            "save it in black and white"
        )
    levels = mask.pixels.max(axis=2)
    _require_black_and_white(levels)
    protected: np.ndarray = levels >= _LIGHT
    return protected


def require_mask(mask: np.ndarray, height: int, width: int) -> None:
    """Refuse what is no mask of a photo.

    Args:
        mask: Which pixels are protected.
        height: Of the upright photo, in pixels.
        width: Of the upright photo, in pixels.

    Raises:
        InputError: If it is not `[H, W]` bool.
    """
    if mask.dtype != bool or mask.ndim != 2:
        raise InputError(
            f"the mask must be bool [{height}, {width}], not {mask.dtype} {list(mask.shape)}"
        )
    _require_size(mask.shape, (height, width))


def require_lossless(photo: Photo) -> None:
    """Refuse a photo of which no pixel would stay as it is in its file.

    Raises:
        InputError: If it has more than 8 bits a channel, or a gamma.
    """
    if photo.num_bits > 8:
        raise InputError(
            f"the photo has {photo.num_bits} bits a channel and would be written with 8, which "
            "changes protected pixels, too: convert it to 8 bits first"
        )
    if photo.has_gamma:
        raise InputError(
            "the photo has a gamma of its own and would be written as sRGB, which changes "
            "protected pixels, too: convert it to sRGB first"
        )


def restore(
    before: np.ndarray, after: np.ndarray, protected: np.ndarray, placement: Placement
) -> np.ndarray:
    """Undo an edit in the protected part, and let it come in gradually beside that part.

    Args:
        before: `[H, W, 3]` uint8: the photo.
        after: `[H, W, 3]` uint8: the photo with an edit of one face.
        protected: `[H, W]` bool.
        placement: Where the face lies.

    Returns:
        `[H, W, 3]` uint8: exactly `before` where it is protected; the part between two and
        `after` reaches no further than 2 % of the face's crop.
    """
    feather = _FEATHER * placement.size / placement.scale
    box = _box_of((before != after).any(axis=2), margin=int(np.ceil(feather)))
    result = after.copy()
    if box is None or not protected[box].any():
        return result
    free = (~protected[box]).astype(np.uint8)
    distance = cv2.distanceTransform(free, cv2.DIST_L2, cv2.DIST_MASK_5)  # [h, w], 0 if protected
    old, new = before[box], result[box]  # [h, w, 3]
    height = max(1, _STRIP_PIXELS // free.shape[1])
    for row in range(0, len(free), height):
        rows = slice(row, row + height)
        weight = (distance[rows] / (feather + 1)).clip(0, 1)[..., None]  # [h', w, 1]
        mixed = old[rows] + weight * (new[rows].astype(np.float32) - old[rows])
        new[rows] = np.where(free[rows, :, None], mixed.round().astype(np.uint8), old[rows])
    return result


def _require_size(mask: tuple[int, ...], photo: tuple[int, int]) -> None:
    """Refuse a mask of another height and width than the photo's."""
    if mask == photo:
        return
    if mask[::-1] == photo:
        hint = "it lies on its side: turn it upright, as the photo is shown"
    else:
        hint = "it could be meant scaled, or for a part of the photo: save it in the photo's size"
    raise InputError(
        f"the mask has {mask[1]}x{mask[0]} pixels, and the photo, upright, {photo[1]}x{photo[0]}; "
        f"{hint}"
    )


def _require_black_and_white(levels: np.ndarray) -> None:
    """Refuse a mask `[H, W]` uint8 that is all one, or grey."""
    if levels.max() < _LIGHT:
        raise InputError(
            f"the mask protects nothing: white is what stays, and its lightest pixel has level "
            f"{levels.max()} of 255"
        )
    if levels.min() >= _LIGHT:
        raise InputError(
            f"the mask protects the whole photo: black is what may change, and its darkest pixel "
            f"has level {levels.min()} of 255"
        )
    grey = float(((levels > _GREY[0]) & (levels < _GREY[1])).mean())
    if grey > _MAX_GREY:
        raise InputError(
            f"{grey:.0%} of the mask are grey: that could mean protected in part, or by a "
            "threshold; save it in black and white"
        )


def _box_of(marked: np.ndarray, margin: int) -> tuple[slice, slice] | None:
    """Rows and columns around what is marked in `[H, W]` bool; None where nothing is."""
    if not marked.any():
        return None
    ends = []
    for axis in (1, 0):
        places = np.flatnonzero(marked.any(axis=axis))
        ends.append(slice(max(0, int(places[0]) - margin), int(places[-1]) + margin + 1))
    return ends[0], ends[1]
