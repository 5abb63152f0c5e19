"""Better latents for a photo, by gradient descent on its pixels."""

from collections.abc import Callable

import torch
from torch import Tensor

from twobirds.errors import InputError

_STEP = 0.05  # of Adam on the latents before their tanh


def refine_latents(
    generate: Callable[[Tensor], Tensor], images: Tensor, latents: Tensor, *, steps: int
) -> Tensor:
    """Optimize latents so that the faces generated from them are the images (GAN inversion).

    Args:
        generate: Latents `[B, Z]` to faces `[B, 3, H, W]`, differentiable.
        images: `[B, 3, H, W]` in [-1, 1].
        latents: `[B, Z]` in [-1, 1], to start from.
        steps: How many steps of Adam; each face by itself.

    Returns:
        `[B, Z]` in [-1, 1]: of each face the best latents found.

    Raises:
        InputError: If the faces do not depend on the latents.
    """
    free = torch.atanh(latents.clamp(-0.999, 0.999)).clone().requires_grad_(True)
    optimizer = torch.optim.Adam([free], lr=_STEP)
    best = latents.clone()
    lowest = torch.full((len(latents),), torch.inf, device=latents.device)  # errors [B]
    for step in range(steps + 1):
        with torch.set_grad_enabled(step < steps):
            candidates = torch.tanh(free)
            errors = (generate(candidates) - images).abs().mean((1, 2, 3))  # [B]
        if step < steps and not errors.requires_grad:
            raise InputError(
                "this model edits pixels, not latents, which are all that refining changes: "
                "leave out refine"
            )
        is_better = errors.detach() < lowest
        if step:  # the first is the latents themselves, but for rounding
            best[is_better] = candidates.detach()[is_better]
        lowest = torch.minimum(lowest, errors.detach())
        if step < steps:
            (free.grad,) = torch.autograd.grad(errors.sum(), [free])
            optimizer.step()
    return best
