"""The losses that only the modern preset has: on edits and on the spread of codes."""

import torch
import torch.nn.functional as F
from torch import Tensor

PRIOR_VARIANCE = 1 / 3
"""Variance of z ~ U(-1, 1)."""


def edit_label_loss(
    attribute_logits: Tensor, target: Tensor, is_changed: Tensor, read: Tensor
) -> Tensor:
    """Whether edited faces show what was changed, and otherwise what they showed before.

    The mean over the attributes that are kept counts twice as much as a lone change, yet that is
    heard: in a mean over all forty it would not be. Of n changes each counts 1 / sqrt(n) of a lone
    one: with 1 / n faces of many changes would learn each of them too little.

    Args:
        attribute_logits: `[B, K]` float32: the guide on the edited faces.
        target: `[B, K]` 0/1: what they shall have.
        is_changed: `[B, K]` bool: where that differs from the source, also where a contradiction
            was switched off.
        read: `[B, K]` in [0, 1]: the guide on the sources.

    Returns:
        Scalar `[]` float32, not negative.
    """
    wanted = torch.where(is_changed, target, read)
    losses = F.binary_cross_entropy_with_logits(attribute_logits, wanted, reduction="none")
    changed = is_changed.float()
    kept = 1 - changed
    seen = (losses * changed).sum(1) / changed.sum(1).clamp(min=1).sqrt()  # [B]
    left = (losses * kept).sum(1) / kept.sum(1).clamp(min=1)
    return (0.5 * seen + left).mean()


def prior_distance(latents: Tensor) -> Tensor:
    """How far the codes of real faces are from U(-1, 1) in mean and variance, per dimension.

    Args:
        latents: `[B, Z]` float32 in [-1, 1], B of 2 or more.

    Returns:
        Scalar `[]` float32, not negative.
    """
    mean, variance = latents.mean(0), latents.var(0)
    return mean.square().mean() + (variance - PRIOR_VARIANCE).square().mean()
