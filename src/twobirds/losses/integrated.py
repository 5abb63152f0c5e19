"""The three parts of the integrated loss (P11-P13; Sec. 3.3)."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from twobirds.config import Norm


def distance(first: Tensor, second: Tensor, norm: Norm) -> Tensor:
    """Mean absolute (l1) or mean squared (l2) difference of two tensors.

    Args:
        first: `[B, C, ...]`, any floating-point format.
        second: Same shape.
        norm: l1 or l2.

    Returns:
        Scalar `[]` float32: in bfloat16 a difference of features keeps two digits or fewer.
    """
    # Channels last in the shape too: the gradients of these losses are contiguous in the shape's
    # order, and in another than the network's they cost 2 % of stage 2 on a CPU.
    first, second = (tensor.float().movedim(1, -1) for tensor in (first, second))
    return F.l1_loss(first, second) if norm == "l1" else F.mse_loss(first, second)


def pixel_distance(real: Tensor, reconstructed: Tensor, norm: Norm = "l1") -> Tensor:
    """Per-pixel loss between real images and their reconstructions (Sec. 3.3.1).

    Paper: a norm without a name. Here: l1 by default, because a square blurs more (ADR 4).

    Args:
        real: `[B, 3, H, W]` float32 in [-1, 1].
        reconstructed: Same shape, dtype and range.
        norm: l1 or l2.

    Returns:
        Scalar `[]` float32 in [0, 2] (l1) or [0, 4] (l2).
    """
    return distance(reconstructed, real, norm)


def perceptual_distance(
    real: Sequence[Tensor], reconstructed: Sequence[Tensor], norm: Norm = "l2"
) -> Tensor:
    """Distance between features of real images and of their reconstructions (Sec. 3.3.2).

    Args:
        real: Features of real images, each `[B, C_l, H_l, W_l]` float32 or, of a pass in mixed
            precision, bfloat16; unbounded; detached here.
        reconstructed: Features of their reconstructions, same shapes and dtypes.
        norm: l1 or l2.

    Returns:
        Scalar `[]` float32, not negative, averaged over layers.

    Raises:
        ValueError: If the numbers of layers differ.
    """
    distances = [distance(b, a.detach(), norm) for a, b in zip(real, reconstructed, strict=True)]
    return torch.stack(distances).mean()


def latent_distance(encoded: Tensor, given: Tensor, norm: Norm = "l2") -> Tensor:
    """Latent code loss between the z of a generated face and the z that G was given (Sec. 3.3.3).

    Args:
        encoded: `[B, Z]` float32 in [-1, 1].
        given: `[B, Z]` float32 in [-1, 1].
        norm: l1 or l2.

    Returns:
        Scalar `[]` float32 in [0, 2] (l1) or [0, 4] (l2).
    """
    return distance(encoded, given, norm)
