"""A better code for one photo, found by descending on its pixels."""

import torch
from torch import Tensor

from twobirds.models.networks import FaceNetworks

_STEP = 0.05  # of Adam on the code before its tanh


def refine_latents(
    networks: FaceNetworks, images: Tensor, latents: Tensor, attributes: Tensor, *, steps: int
) -> Tensor:
    """Optimize codes so that the faces drawn from them are the images (as in GAN inversion).

    Args:
        networks: Their weights stay.
        images: `[B, 3, H, W]` in [-1, 1].
        latents: `[B, Z]` in [-1, 1], to begin with.
        attributes: `[B, K]` 0/1, what the faces have.
        steps: How many steps of Adam; each face by itself.

    Returns:
        `[B, Z]` in [-1, 1]: of each face the best code found, never worse than the first.
    """

    def errors_of(codes: Tensor) -> Tensor:
        return (networks.draw(codes, attributes) - images).abs().mean((1, 2, 3))  # [B]

    free = torch.atanh(latents.clamp(-0.999, 0.999)).clone().requires_grad_(True)
    optimizer = torch.optim.Adam([free], lr=_STEP)
    with torch.no_grad():
        best, least = latents.clone(), errors_of(latents)
    for _ in range(steps):
        (free.grad,) = torch.autograd.grad(errors_of(torch.tanh(free)).sum(), [free])
        optimizer.step()
        with torch.no_grad():
            codes = torch.tanh(free)
            errors = errors_of(codes)
            best[errors < least] = codes[errors < least]
            least = torch.minimum(least, errors)
    return best
