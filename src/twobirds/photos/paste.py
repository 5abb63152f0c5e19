"""An edit of a face brought back into its photo."""

from concurrent.futures import ThreadPoolExecutor
from functools import reduce
from typing import NamedTuple

import cv2
import numpy as np

from twobirds.machine import num_threads
from twobirds.photos.align import Placement, cut_face, uncut

_RIM = 0.14  # of the crop's side, over which an edit fades out
_LONG_RIM = 0.40  # the same downwards beside the face, where long hair leaves the crop
_BESIDE = (0.20, 0.35)  # of the crop's side, from the middle: between them the rim grows longer
_LARGE, _LARGEST = 0.06, 0.30  # changes of grey levels in [0, 1] that cost fine detail: some, all
_STRIP_PIXELS = 250_000  # of the photo, worked on at a time
_MIN_FIELD = 1e-4  # below it nothing is done to a pixel
_SPREAD = 0.02  # of the crop's side, by which such places are widened
_JITTER = 0.1  # of a pixel of the crop: shorter moves in a large photo are left out
_ERASING, _ERASED = 0.4, 0.6  # losses of contrast: detail begins to go, too; goes as the rest
_COVERING = 0.5  # cover of paint from which it hides detail as it hides the rest


def paste(
    pixels: np.ndarray, placement: Placement, before: np.ndarray, after: np.ndarray
) -> np.ndarray:
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
        `[H, W, 3]` uint8, a copy.
    """
    result = pixels.copy()
    left, top, right, bottom = _bounds(placement, pixels.shape)
    change = (after - before).astype(np.float32) * np.float32(127.5)  # [S, S, 3] in levels
    if not change.any() or right <= left or bottom <= top:
        return result
    change *= _fading(placement.size)[..., None]
    lost = _detail_lost(change / 255)
    coarse = None
    if lost.any():
        coarse = _coarse(pixels[top:bottom, left:right], placement.scale)
    height = max(1, _STRIP_PIXELS // (right - left))  # a face may fill fifty megapixels
    for row in range(top, bottom, height):
        box = (left, row, right, min(row + height, bottom))
        region = pixels[row : box[3], left:right]
        added = uncut(change, placement, box)  # [h, w, 3]
        if coarse is not None:
            loss = uncut(lost, placement, box).clip(0, 1)
            wide, spread = coarse
            rows = spread[row - top : box[3] - top]  # [h, r]
            if loss.any():
                added -= loss[..., None] * (region - np.tensordot(rows, wide, axes=1))
        levels = cv2.add(region, added, dtype=cv2.CV_8U)  # rounded and clipped
        cv2.copyTo(levels, _inside(placement, box), result[row : box[3], left:right])
    return result


class PhotoLayers(NamedTuple):
    """An edit at its strength, on the model's grid; see `twobirds.models.edit_layers`."""

    flow: np.ndarray
    """`[S, S, 2]` float32: where each pixel comes from, right and down, in pixels of the crop."""
    gain: np.ndarray
    """`[S, S, 3]` float32: what a colour is multiplied by, less 1."""
    offset: np.ndarray
    """`[S, S, 3]` float32: what is added to a colour in [-1, 1]."""
    paint: np.ndarray
    """`[S, S, 3]` float32: colours in [-1, 1], times their cover."""
    cover: np.ndarray
    """`[S, S, 1]` float32 in [0, 1]."""


def paste_layers(pixels: np.ndarray, placement: Placement, layers: PhotoLayers) -> np.ndarray:
    """Move, recolour and paint a face of a photo, at the photo's own resolution.

    A change of colour takes no contrast from the photo's detail that is finer than a pixel of the
    model; what erases or covers the face takes it. All of it fades out towards the edge of the
    crop, beyond which no pixel changes.

    Args:
        pixels: `[H, W, 3]` uint8 RGB of the photo.
        placement: Where the face lies.
        layers: What is done to it.

    Returns:
        `[H, W, 3]` uint8, a copy.
    """
    result = pixels.copy()
    left, top, right, bottom = _bounds(placement, pixels.shape)
    if right <= left or bottom <= top:
        return result
    fading = _fading(placement.size)[..., None]
    still = layers._replace(flow=_without_jitter(layers.flow, placement.scale))
    faded = PhotoLayers(*(field * fading for field in still))
    fields = _keeping_detail(faded, pixels, placement)
    height = max(1, _STRIP_PIXELS // (right - left))

    def edit_rows(row: int) -> None:
        box = (left, row, right, min(row + height, bottom))
        here = _Fields(*(uncut(field, placement, box) for field in fields))
        edited = _edited(pixels, here, placement, box)
        cv2.copyTo(edited, _touched(here, placement, box), result[row : box[3], left:right])

    with ThreadPoolExecutor(num_threads()) as threads:
        list(threads.map(edit_rows, range(top, bottom, height)))
    return result


class _Fields(NamedTuple):
    """What is done to each pixel of the photo: move it, multiply it and add to it."""

    flow: np.ndarray
    """As of `PhotoLayers`."""
    gain: np.ndarray
    """`[S, S, 3]` float32: what a colour is multiplied by, less 1."""
    offset: np.ndarray
    """`[S, S, 3]` float32: what is added to a colour in [-1, 1]."""


def _without_jitter(flow: np.ndarray, scale: float) -> np.ndarray:
    """A flow without its shortest moves, for which resampling would blur what the model cannot see.

    Args:
        flow: `[S, S, 2]` float32, in pixels of the crop.
        scale: Pixels of the crop for one of the photo; at 1 and above nothing is left out.
    """
    shortest = _JITTER * max(0.0, 1 - scale)
    if not shortest:
        return flow
    length = np.linalg.norm(flow, axis=2, keepdims=True)
    kept: np.ndarray = flow * _smooth((length / shortest - 1).clip(0, 1))
    return kept


def _keeping_detail(layers: PhotoLayers, pixels: np.ndarray, placement: Placement) -> _Fields:
    """Colour and paint as one gain and one offset that leave the photo's detail its contrast.

    With x the photo and L what the model sees of it, both moved, x becomes
    `edit(L) + detail * (x - L)`, where `edit(L) = (L + gain * L + offset) * (1 - cover) + paint`
    and `detail = max(1 + gain, 1)`, less where a gain erases the face or paint covers it. At the
    model's own size x is L.

    Args:
        layers: What the model does to a face, at its strength.
        pixels: `[H, W, 3]` uint8 RGB of the photo.
        placement: Where the face lies.
    """
    cover = layers.cover.clip(0, 1)
    contrast = (1 + layers.gain) * (1 - cover)  # [S, S, 3], of L
    lowered = np.minimum(layers.gain, 0)
    erased = _smooth(((-lowered - _ERASING) / (_ERASED - _ERASING)).clip(0, 1))
    thick = _smooth((cover / _COVERING).clip(0, 1))
    detail = (1 + (layers.gain - lowered) + erased * lowered) * (1 - thick * cover)
    offset = layers.offset * (1 - cover) + layers.paint
    if (contrast != detail).any():
        whole = (0, 0, placement.size, placement.size)
        seen = _moved(cut_face(pixels, placement), layers.flow.copy(), whole)  # L, in levels
        if placement.scale < 1:
            seen = cv2.GaussianBlur(seen, (0, 0), 1 - placement.scale)
        offset += (contrast - detail) * (seen / np.float32(127.5) - 1)
    return _Fields(layers.flow, detail - 1, offset)


def _edited(
    pixels: np.ndarray, here: _Fields, placement: Placement, box: tuple[int, int, int, int]
) -> np.ndarray:
    """A part of the photo `[h, w, 3]` uint8 after an edit whose fields are brought there."""
    to_photo = np.linalg.inv(placement.matrix[:, :2]).astype(np.float32)
    colours = _moved(pixels, here.flow @ to_photo.T, box)
    colours /= np.float32(127.5)
    colours -= 1
    gained = colours * here.gain
    colours += gained
    colours += here.offset
    colours += 1
    colours *= np.float32(127.5)
    np.maximum(colours, 0, out=colours)
    edited: np.ndarray = cv2.convertScaleAbs(colours)  # rounded, and clipped at 255
    return edited


def _touched(here: _Fields, placement: Placement, box: tuple[int, int, int, int]) -> np.ndarray:
    """`[h, w]` uint8: not 0 where a pixel lies in the crop and a field does something to it."""
    untouched = [cv2.inRange(f, (-_MIN_FIELD,) * 4, (_MIN_FIELD,) * 4) for f in here]
    touched = cv2.bitwise_not(reduce(cv2.bitwise_and, untouched))
    inside: np.ndarray = cv2.bitwise_and(touched, touched, mask=_inside(placement, box))
    return inside


def _moved(pixels: np.ndarray, flow: np.ndarray, box: tuple[int, int, int, int]) -> np.ndarray:
    """A part of the photo with each pixel taken from `flow` `[h, w, 2]` further, float32."""
    left, top, right, bottom = box
    reach = int(np.ceil(np.abs(flow).max())) + 2
    x0, y0 = max(0, left - reach), max(0, top - reach)
    source = pixels[y0 : bottom + reach, x0 : right + reach]
    places = flow  # in place
    places[..., 0] += np.arange(right - left, dtype=np.float32)
    places[..., 1] += np.arange(bottom - top, dtype=np.float32)[:, None]
    places += np.array((left - x0, top - y0), np.float32)
    across, down = cv2.split(places)
    moved: np.ndarray = cv2.remap(
        source, across, down, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101
    )
    return moved.astype(np.float32)


def _bounds(placement: Placement, shape: tuple[int, ...]) -> tuple[int, int, int, int]:
    """The upright box around the crop within the photo."""
    corners = placement.corners
    left, top = np.floor(corners.min(axis=0)).astype(int).clip(0)
    right, bottom = np.ceil(corners.max(axis=0)).astype(int)
    return int(left), int(top), min(int(right), shape[1]), min(int(bottom), shape[0])


def _fading(size: int) -> np.ndarray:
    """1 in the middle of the crop, 0 at its edge, `[S, S]` float32."""
    at = (np.arange(size) + 0.5) / size
    begin, end = (_smooth((edge / _RIM).clip(0, 1)) for edge in (at, 1 - at))
    inner, outer = _BESIDE
    beside = _smooth(((np.abs(at - 0.5) - inner) / (outer - inner)).clip(0, 1))  # [S], by column
    rim = _RIM + (_LONG_RIM - _RIM) * beside
    below = _smooth(((1 - at)[:, None] / rim).clip(0, 1))  # [S, S]
    fading: np.ndarray = (begin[:, None] * below * (begin * end)).astype(np.float32)
    # The outermost pixels, or what lies outside would not stay.
    fading[[0, -1]] = fading[:, [0, -1]] = 0
    return fading


def _inside(placement: Placement, box: tuple[int, int, int, int]) -> np.ndarray:
    """Which pixels of the box lie in the crop, `[h, w]` uint8 0/1."""
    left, top, right, bottom = box
    mask = np.zeros((bottom - top, right - left), np.uint8)
    cv2.fillConvexPoly(mask, (placement.corners - (left, top)).round().astype(np.int32), 1)
    return mask


def _detail_lost(change: np.ndarray) -> np.ndarray:
    """How much of the photo's fine detail goes, `[S, S]` float32 in [0, 1]."""
    size = np.abs(change).max(axis=2)
    reach = max(1, round(_SPREAD * len(change)))
    widened = cv2.dilate(size, np.ones((2 * reach + 1,) * 2, np.uint8))
    softened = cv2.GaussianBlur(widened, (0, 0), reach)
    lost: np.ndarray = _smooth(((softened - _LARGE) / (_LARGEST - _LARGE)).clip(0, 1))
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


def _smooth(x: np.ndarray) -> np.ndarray:
    """From 0 to 1 without corners, for x in [0, 1]."""
    smooth: np.ndarray = x * x * (3 - 2 * x)
    return smooth
