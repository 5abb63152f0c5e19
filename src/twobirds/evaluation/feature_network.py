"""EfficientNet-lite2, the network whose features judge realism and start the second judge.

It never takes part in training what is judged: recipes use another, EfficientNet-lite0.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from twobirds.models.pretrained import EfficientNetLite, load_efficientnet_lite

FEATURE_SIZE = 128
"""Height and width in pixels to which faces are resampled first."""


def load_feature_network(device: torch.device) -> EfficientNetLite:
    """Load the network, frozen.

    Raises:
        InputError: If the package with its weights is not installed.
    """
    return load_efficientnet_lite("lite2").to(device)


def to_feature_size(images: Tensor) -> Tensor:
    """Resample `[B, 3, H, W]` in [-1, 1] to what the network is shown."""
    if images.shape[-1] == FEATURE_SIZE:
        return images
    size = (FEATURE_SIZE, FEATURE_SIZE)
    return F.interpolate(images, size, mode="bicubic", antialias=True).clamp(-1, 1)


def realism_features(network: EfficientNetLite, images: Tensor) -> Tensor:
    """Pooled features `[B, 1280]` float32 of images `[B, 3, H, W]` in [-1, 1]."""
    with torch.inference_mode():
        return network.pooled(to_feature_size(images)).float()
