"""What keeps edits small, smooth and free of colour casts; the other losses are shared."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from twobirds.recipes.modern.editor import EditorOutput
from twobirds.recipes.modern.prototypes import chroma

_PRIOR_VARIANCE = 1 / 3  # of z ~ U(-1, 1)
_FLOW_SMOOTHNESS = 4.0
_FREE_COLOUR = 0.8  # part of the colour cast penalty that an attribute about colour is spared


class Regularizers(NamedTuple):
    """Scalars `[]`, each 0 for an edit that does nothing."""

    change: Tensor
    """Mean absolute change of the pixels."""
    cast: Tensor
    """Mean absolute change of colours, light aside, on places of 8x8 pixels."""
    flow: Tensor
    colour: Tensor
    detail: Tensor
    paint: Tensor
    colour_mask: Tensor
    prototype_mask: Tensor


def regularizers(
    source: Tensor, edited: Tensor, output: EditorOutput, freedom: Tensor
) -> Regularizers:
    """Measure what edits cost (for masks after GANimation, Pumarola et al., 2018).

    Args:
        source: `[B, 3, H, W]` in [-1, 1].
        edited: The same shape.
        output: What the editor did.
        freedom: `[B]` in [0, 1]: how far the attributes that change are about colour.
    """
    difference = edited - source
    casts = chroma(difference).abs().mean((1, 2, 3))  # [B]
    flow, colours, alpha = output.flow, output.colours, output.layers.alpha
    return Regularizers(
        change=difference.abs().mean(),
        cast=(casts * (1 - _FREE_COLOUR * freedom)).mean(),
        flow=_FLOW_SMOOTHNESS * total_variation(flow) + flow.abs().mean(),
        colour=total_variation(colours) + 0.5 * colours.abs().mean(),
        detail=output.detail.abs().mean(),
        paint=alpha.mean() + 2 * total_variation(alpha),
        colour_mask=total_variation(output.colour_mask) + 0.5 * output.colour_mask.mean(),
        prototype_mask=total_variation(output.prototype_mask),
    )


def total_variation(field: Tensor) -> Tensor:
    """Mean absolute difference of neighbours in `[B, C, h, w]`."""
    down = (field[:, :, 1:] - field[:, :, :-1]).abs().mean()
    right = (field[:, :, :, 1:] - field[:, :, :, :-1]).abs().mean()
    return down + right


def changed_label_loss(
    logits: Tensor, target: Tensor, is_changed: Tensor, confidence: Tensor
) -> Tensor:
    """Hinge loss that is 0 once edits have the logits that real faces have on average.

    A cross-entropy has a gradient beyond that, too, and edits would be exaggerated.

    Args:
        logits: `[B, K]` float32, of the edited faces.
        target: `[B, K]` 0/1: the attributes wanted.
        is_changed: `[B, K]` bool.
        confidence: `[2, K]`: the logits of real faces by value, positive where they are right.

    Returns:
        Scalar `[]` float32, not negative, the mean over all changes.
    """
    wanted = torch.where(target > 0, confidence[1], confidence[0])  # [B, K]
    short = F.relu(wanted - (2 * target - 1) * logits)  # [B, K]
    changed = is_changed.float()
    return (short * changed).sum() / changed.sum().clamp(min=1)


def kept_label_loss(logits: Tensor, source_logits: Tensor, is_changed: Tensor) -> Tensor:
    """KL divergence of the classifier's probabilities of sources from those of their edits.

    Args:
        logits: `[B, K]` float32, of the edited faces.
        source_logits: `[B, K]` float32, of the faces they were made from.
        is_changed: `[B, K]` bool: attributes that do not count.

    Returns:
        Scalar `[]` float32, not negative, the mean over all else.
    """
    before = torch.sigmoid(source_logits.detach())
    entropy = F.binary_cross_entropy_with_logits(source_logits.detach(), before, reduction="none")
    losses = F.binary_cross_entropy_with_logits(logits, before, reduction="none") - entropy
    kept = 1 - is_changed.float()
    return (losses * kept).sum() / kept.sum().clamp(min=1)


def comparable(
    real: list[Tensor], fake: list[Tensor], count: int
) -> tuple[list[Tensor], list[Tensor]]:
    """The first `count` faces' features, each level divided by its spread on the real ones."""
    scales = [r[:count].float().std().clamp(min=1e-6) for r in real]
    return (
        [r[:count].float() / s for r, s in zip(real, scales, strict=True)],
        [f[:count].float() / s for f, s in zip(fake, scales, strict=True)],
    )


def prior_distance(latents: Tensor) -> Tensor:
    """Squared differences of mean and variance between real faces' latents and U(-1, 1).

    Args:
        latents: `[B, Z]` float32 in [-1, 1], B of 2 or more.

    Returns:
        Scalar `[]` float32, not negative.
    """
    mean, variance = latents.mean(0), latents.var(0)  # [Z] each
    return mean.square().mean() + (variance - _PRIOR_VARIANCE).square().mean()
