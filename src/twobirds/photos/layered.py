"""An edit in layers brought into a photo: its own pixels are moved, recoloured and painted."""

from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import cv2
import numpy as np

from twobirds.data.similarity import apply, invert
from twobirds.machine import num_threads
from twobirds.photos.align import Placement, cut_face, uncut
from twobirds.photos.fading import Box, bounds, fading, inside, smooth, strips
from twobirds.photos.patch import Patch

_STRIP_PIXELS = 100_000  # of the photo, worked on at a time: they stay in a core's cache
_JITTER = 0.1  # of a pixel of the crop: shorter moves in a large photo are left out
_ERASING, _ERASED = 0.4, 0.6  # losses of contrast: detail begins to go, too; goes as the rest
_COVERING = 0.5  # cover of paint from which it hides detail as it hides the rest
_REACH = 3  # pixels of the crop, about a pixel, in which uncutting sees its neighbours


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


def paste_layers(
    pixels: np.ndarray, placement: Placement, layers: PhotoLayers, crop: np.ndarray | None = None
) -> Patch:
    """Move, recolour and paint a face of a photo, at the photo's own resolution.

    A change of colour takes no contrast from the photo's detail that is finer than a pixel of the
    model; what erases or covers the face takes it. All of it fades out towards the edge of the
    crop, beyond which no pixel changes.

    Args:
        pixels: `[H, W, 3]` uint8 RGB of the photo.
        placement: Where the face lies.
        layers: What is done to it.
        crop: `[S, S, 3]` uint8: what `cut_face` cuts there, where it is at hand.

    Returns:
        The part of the photo around the crop, edited.
    """
    box = bounds(placement, pixels.shape)
    left, top, right, bottom = box
    patch = Patch(left, top, np.empty((bottom - top, right - left, 3), np.uint8))
    if not patch.pixels.size:  # the crop lies beside the photo
        return patch
    faded = fading(placement.size)[..., None]
    still = layers._replace(flow=_without_jitter(layers.flow, placement.scale))
    crop = cut_face(pixels, placement) if crop is None else crop
    fields = _keeping_detail(PhotoLayers(*(f * faded for f in still)), crop, placement)
    moving = apply(invert(placement.matrix), np.argwhere(fields.flow.any(axis=2))[:, ::-1] + 0.5)

    def edit_rows(strip: Box) -> None:
        part = _box_around(moving, strip, _REACH / placement.scale)
        colours = _moved(pixels, fields.flow, placement, strip, part)
        gained = cv2.multiply(colours, uncut(fields.gain, placement, strip), dtype=cv2.CV_32F)
        edited = cv2.add(gained, uncut(fields.offset, placement, strip), dtype=cv2.CV_8U)
        rows = patch.pixels[strip[1] - top : strip[3] - top]
        rows[:] = _part(pixels, strip)
        cv2.copyTo(edited, inside(placement, strip), rows)

    with ThreadPoolExecutor(num_threads()) as threads:
        list(threads.map(edit_rows, strips(box, _STRIP_PIXELS)))
    return patch


class _Fields(NamedTuple):
    """What is done to each pixel of the photo: move it, multiply it and add to it."""

    flow: np.ndarray
    """`[S, S, 2]` float32: where each pixel comes from, right and down, in pixels of the photo."""
    gain: np.ndarray
    """`[S, S, 3]` float32: what a colour in levels is multiplied by."""
    offset: np.ndarray
    """`[S, S, 3]` float32: what is added to it, in levels."""


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
    kept: np.ndarray = flow * smooth((length / shortest - 1).clip(0, 1))
    return kept


def _keeping_detail(layers: PhotoLayers, crop: np.ndarray, placement: Placement) -> _Fields:
    """Colour and paint as one gain and one offset that leave the photo's detail its contrast.

    With x the photo and L what the model sees of it, both moved, x becomes
    `edit(L) + detail * (x - L)`, where `edit(L) = (L + gain * L + offset) * (1 - cover) + paint`
    and `detail = max(1 + gain, 1)`, less where a gain erases the face or paint covers it. At the
    model's own size x is L.

    Args:
        layers: What the model does to a face, at its strength.
        crop: `[S, S, 3]` uint8: the face.
        placement: Where it lies in the photo.
    """
    cover = layers.cover.clip(0, 1)
    contrast = (1 + layers.gain) * (1 - cover)  # [S, S, 3], of L
    lowered = np.minimum(layers.gain, 0)
    erased = smooth(((-lowered - _ERASING) / (_ERASED - _ERASING)).clip(0, 1))
    thick = smooth((cover / _COVERING).clip(0, 1))
    detail = (1 + (layers.gain - lowered) + erased * lowered) * (1 - thick * cover)
    offset = layers.offset * (1 - cover) + layers.paint
    if (contrast != detail).any():
        seen: np.ndarray = _resampled(crop, layers.flow, (0, 0)).astype(np.float32)
        if placement.scale < 1:
            seen = cv2.GaussianBlur(seen, (0, 0), 1 - placement.scale)
        offset += (contrast - detail) * (seen / np.float32(127.5) - 1)  # seen is L, in levels
    to_photo = np.linalg.inv(placement.matrix[:, :2]).astype(np.float32)
    levels = (offset - detail + 1) * np.float32(127.5)  # x = 127.5 * (colour + 1)
    return _Fields(layers.flow @ to_photo.T, detail, levels)


def _box_around(points: np.ndarray, strip: Box, reach: float) -> Box:
    """The part of a strip in which something moves, of its full height; empty where nothing does.

    Args:
        points: `[N, 2]` (x, y): the pixels of the grid that move, in the photo.
        strip: Of the photo.
        reach: How far from a point pixels of the photo move, too, in pixels.
    """
    left, top, right, bottom = strip
    near = points[(points[:, 1] > top - reach) & (points[:, 1] < bottom + reach), 0]
    if not len(near):
        return left, top, left, bottom
    begin, end = np.floor(near.min() - reach), np.ceil(near.max() + reach)
    return int(begin.clip(left, right)), top, int(end.clip(left, right)), bottom


def _moved(
    pixels: np.ndarray, flow: np.ndarray, placement: Placement, strip: Box, part: Box
) -> np.ndarray:
    """A strip of the photo `[h, w, 3]` uint8, moved in a part of its columns."""
    colours = _part(pixels, strip)
    if part[0] >= part[2]:
        return colours
    moved = colours.copy()
    columns = slice(part[0] - strip[0], part[2] - strip[0])
    moved[:, columns] = _resampled(pixels, uncut(flow, placement, part), part[:2])
    return moved


def _resampled(pixels: np.ndarray, flow: np.ndarray, start: tuple[int, int]) -> np.ndarray:
    """A part of an image, each pixel taken from `flow` `[h, w, 2]` further, as `[h, w, 3]` uint8.

    Args:
        pixels: `[H, W, 3]` uint8: the image.
        flow: In its pixels.
        start: Column and row at which the part begins.
    """
    (left, top), (height, width) = start, flow.shape[:2]
    reach = int(np.ceil(np.abs(flow).max())) + 2
    x0, y0 = max(0, left - reach), max(0, top - reach)
    source = pixels[y0 : top + height + reach, x0 : left + width + reach]
    across = flow[..., 0] + np.arange(left - x0, left - x0 + width, dtype=np.float32)
    down = flow[..., 1] + np.arange(top - y0, top - y0 + height, dtype=np.float32)[:, None]
    return cv2.remap(source, across, down, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101)


def _part(pixels: np.ndarray, box: Box) -> np.ndarray:
    """What lies in a box, a view."""
    left, top, right, bottom = box
    return pixels[top:bottom, left:right]
