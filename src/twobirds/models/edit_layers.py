"""What an edit does to a face: moves its pixels, changes their colours, paints over them."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

_MIN_ALPHA = 1e-4
_MIN_STRENGTH = 1e-6


class EditLayers(NamedTuple):
    """Three operations on a face, in this order; all are fields that may be enlarged to any size.

    Flow and colour act on the pixels of the face at its own resolution; only paint has the
    resolution of the model.
    """

    flow: Tensor
    """`[B, 2, h, w]` float32: where each pixel comes from, right and down, as a part of half the
    side."""
    gain: Tensor
    """`[B, 3, h, w]` float32: what a pixel's colour is multiplied by, less 1."""
    offset: Tensor
    """`[B, 3, h, w]` float32: what is added to it, of a range of 2."""
    paint: Tensor
    """`[B, 3, h, w]` float32: colours in [-1, 1] that are painted, times `alpha`; a little beyond
    where layers were composed."""
    alpha: Tensor
    """`[B, 1, h, w]` float32 in [0, 1]: how far they cover."""


def enlarge(field: Tensor, height: int, width: int) -> Tensor:
    """Resample a field `[B, C, h, w]` bilinearly to `[B, C, height, width]`."""
    return F.interpolate(field, (height, width), mode="bilinear", align_corners=False)


def warp(images: Tensor, flow: Tensor) -> Tensor:
    """Move pixels.

    Args:
        images: `[B, 3, H, W]`.
        flow: `[B, 2, H, W]`: where each pixel comes from, as a part of half the side.

    Returns:
        `[B, 3, H, W]`; what lies beyond the edge is its mirror image.
    """
    identity = torch.eye(2, 3, device=images.device, dtype=flow.dtype).expand(images.shape[0], 2, 3)
    grid = F.affine_grid(identity, list(images.shape), align_corners=False)
    return F.grid_sample(
        images, grid + flow.permute(0, 2, 3, 1), padding_mode="reflection", align_corners=False
    )


def recolour(images: Tensor, gain: Tensor, offset: Tensor) -> Tensor:
    """Multiply colours by 1 + `gain` and add `offset`; all `[B, 3, H, W]`."""
    return images + gain * images + offset


def cover_of(alpha: Tensor, strength: Tensor | float) -> Tensor:
    """What alpha and paint are multiplied by at a strength: paint covers at most all."""
    return torch.clamp(1 / alpha.clamp(min=_MIN_ALPHA), max=strength)


def at_full_strength(change: Tensor) -> tuple[Tensor, Tensor]:
    """Changes `[B, K]` of attributes of which the largest is 1 or -1, and their strengths `[B]`.

    Multiplied they are `change`; where that is nothing, both are 0.
    """
    strength = change.abs().amax(1)
    return change / strength.clamp(min=_MIN_STRENGTH)[:, None], strength


def scale_layers(layers: EditLayers, strength: Tensor) -> EditLayers:
    """The layers of an edit that is, at strength 1, what these are at a strength `[B]`."""
    factor = strength.to(layers.flow.dtype).view(-1, 1, 1, 1)
    cover = cover_of(layers.alpha, factor)
    return EditLayers(
        flow=factor * layers.flow,
        gain=factor * layers.gain,
        offset=factor * layers.offset,
        paint=cover * layers.paint,
        alpha=cover * layers.alpha,
    )


def compose(first: EditLayers, second: EditLayers) -> EditLayers:
    """One edit that does at strength 1 what two do one after the other.

    The second moves, recolours and covers what the first has made of the face. Colours beyond
    [-1, 1] between the two are not clamped; gains multiply, so strengths above 1 add to both.

    Args:
        first: All fields of one size.
        second: Of the same size.
    """
    moved = EditLayers(*(warp(field, second.flow) for field in first))
    uncovered = 1 - second.alpha
    recoloured = 1 + second.gain
    return EditLayers(
        flow=second.flow + moved.flow,
        gain=(1 + moved.gain) * recoloured - 1,
        offset=moved.offset * recoloured + second.offset,
        paint=(moved.paint * recoloured + moved.alpha * second.offset) * uncovered + second.paint,
        alpha=1 - (1 - moved.alpha) * uncovered,
    )


def apply_layers(images: Tensor, layers: EditLayers, strength: Tensor) -> Tensor:
    """Edit faces of any size.

    Args:
        images: `[B, 3, H, W]` float32 in [-1, 1].
        layers: What to do to them.
        strength: `[B]`: 1 is the edit, 0 leaves a face exactly as it was, more exaggerates.

    Returns:
        `[B, 3, H, W]` float32, not clamped.
    """
    flow, gain, offset, paint, alpha = (enlarge(field, *images.shape[2:]) for field in layers)
    factor = strength.to(images.dtype).view(-1, 1, 1, 1)
    edited = warp(images, flow * factor)
    edited = recolour(edited, factor * gain, factor * offset)
    cover = cover_of(alpha, factor)
    edited = edited * (1 - cover * alpha) + cover * paint
    return torch.where(factor == 0, images, edited)
