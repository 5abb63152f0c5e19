"""What keeps a discriminator smooth."""

import torch
from torch import Tensor


def gradient_penalty(scores: Tensor, images: Tensor) -> Tensor:
    """Squared norm of D's gradient, the penalty R1 on real and R2 on generated images.

    After Mescheder et al. (2018, Sec. 4); both together as in R3GAN (Huang et al., 2024).

    Args:
        scores: `[B]` float32. Where one image moves another's score, by a statistic of the batch,
            that counts as the image's too.
        images: `[B, 3, H, W]`, with gradients on, which the scores were computed from.

    Returns:
        Scalar `[]` float32, the mean over the images; differentiable by D's weights.
    """
    (gradient,) = torch.autograd.grad(scores.sum(), images, create_graph=True)
    return gradient.float().square().sum((1, 2, 3)).mean()
