"""The three parts of the integrated loss (P11-P13; Sec. 3.3)."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from twobirds.config import Norm


def distance(first: Tensor, second: Tensor, norm: Norm) -> Tensor:
    """Mean absolute (l1) or mean squared (l2) difference of two tensors; scalar `[]`."""
    return F.l1_loss(first, second) if norm == "l1" else F.mse_loss(first, second)


def pixel_distance(real: Tensor, rebuilt: Tensor, norm: Norm = "l1") -> Tensor:
    """Per-pixel loss between real images and their rebuilt versions (Sec. 3.3.1).

    Args:
        real: `[B, 3, H, W]` in [-1, 1].
        rebuilt: Same shape and range.
        norm: l1 or l2.

    Returns:
        Scalar `[]`.
    """
    return distance(rebuilt, real, norm)


def perceptual_distance(
    real: Sequence[Tensor], rebuilt: Sequence[Tensor], norm: Norm = "l2"
) -> Tensor:
    """Distance between features of real images and of their rebuilt versions (Sec. 3.3.2).

    Args:
        real: Features of real images, each `[B, C_l, H_l, W_l]`; detached here.
        rebuilt: Features of their reconstructions, same shapes.
        norm: l1 or l2.

    Returns:
        Scalar `[]`, averaged over layers.

    Raises:
        ValueError: If the numbers of layers differ.
    """
    distances = [distance(b, a.detach(), norm) for a, b in zip(real, rebuilt, strict=True)]
    return torch.stack(distances).mean()


def latent_distance(read: Tensor, given: Tensor, norm: Norm = "l2") -> Tensor:
    """Latent code loss between the z that C reads and the z that G was given (Sec. 3.3.3).

    Args:
        read: `[B, Z]` in [-1, 1].
        given: `[B, Z]` in [-1, 1].
        norm: l1 or l2.

    Returns:
        Scalar `[]`.
    """
    return distance(read, given, norm)
