"""The moving average of a network's weights."""

import torch
from torch import Tensor, nn


@torch.no_grad()
def update_ema(average: nn.Module, network: nn.Module, decay: float | Tensor) -> None:
    """Move `average` towards `network`, in place: decay * average + (1 - decay) * network.

    Running statistics of batch norm are averaged like weights.

    Args:
        average: The network that holds the average.
        network: The network in training, of the same shapes.
        decay: In [0, 1]; 0 copies. A scalar `[]` where the host does not know the number: in a
            CUDA graph.
    """
    pairs = zip(average.state_dict().values(), network.state_dict().values(), strict=True)
    targets, sources = zip(*pairs, strict=True)
    if isinstance(decay, Tensor):
        differences = torch._foreach_sub(sources, targets)
        torch._foreach_mul_(differences, 1 - decay)
        torch._foreach_add_(targets, differences)
    else:
        torch._foreach_lerp_(list(targets), list(sources), 1 - decay)


def ema_decay(batch_size: int, half_life_images: int, images_seen: int) -> float:
    """Decay per iteration for which old weights count half after `half_life_images` images.

    At the start of a run the half-life is a twentieth of the images seen so far, so that the
    average soon forgets the initial weights (EDM2, Karras et al., 2024).
    """
    half_life = min(float(half_life_images), 0.05 * images_seen)
    return float(0.5 ** (batch_size / half_life)) if half_life else 0.0
