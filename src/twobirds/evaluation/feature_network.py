"""EfficientNet-lite2: its features measure realism, and the second judge grows from it.

It never takes part in training what is judged: recipes use another network, EfficientNet-lite0.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from twobirds.models.pretrained import EfficientNetLite, load_efficientnet_lite
from twobirds.models.pretrained.efficientnet_lite import relu6

FEATURE_NETWORK = "EfficientNet-lite2"
FEATURE_SIZE = 128
"""Height and width in pixels to which faces are resampled first."""
NUM_FEATURES = 1280
_TRUNK_FEATURE = 2  # index in `feature_blocks` of the last block that both tails share


class Tail(nn.Module):
    """The last blocks of a network, from stride 16 on, and its pooled head.

    Args:
        network: Whose blocks are taken; not copied.
    """

    def __init__(self, network: EfficientNetLite) -> None:
        super().__init__()
        self.blocks = network.blocks[network.feature_blocks[_TRUNK_FEATURE] + 1 :]
        self.head = network.head

    def forward(self, activations: Tensor) -> Tensor:
        """Map the trunk's activations `[B, C, H / 16, W / 16]` to features `[B, 1280]`."""
        for block in self.blocks:
            activations = block(activations)
        return relu6(self.head(activations)).mean((2, 3))


class FeatureNetwork(nn.Module):
    """The frozen network: a trunk that is shared, and the tail as trained on ImageNet."""

    def __init__(self, network: EfficientNetLite) -> None:
        super().__init__()
        self.stem = network.stem
        self.blocks = network.blocks[: network.feature_blocks[_TRUNK_FEATURE] + 1]
        self.tail = Tail(network)

    @property
    def device(self) -> torch.device:
        """Where it is."""
        return self.stem.conv.weight.device

    def trunk(self, images: Tensor) -> Tensor:
        """Activations `[B, C, 8, 8]` of images `[B, 3, H, W]` in [-1, 1], resampled to 128 px."""
        activations = relu6(self.stem(_resample(images)))
        for block in self.blocks:
            activations = block(activations)
        return activations

    def forward(self, images: Tensor) -> Tensor:
        """Features `[B, 1280]` of images `[B, 3, H, W]` in [-1, 1]."""
        features: Tensor = self.tail(self.trunk(images))
        return features


def load_feature_network(device: torch.device) -> FeatureNetwork:
    """Load the network, frozen, its batch norms folded.

    Raises:
        InputError: If the package with its weights is not installed.
    """
    return FeatureNetwork(load_efficientnet_lite("lite2")).eval().to(device)


def _resample(images: Tensor) -> Tensor:
    """Faces `[B, 3, H, W]` at the size that the network is shown."""
    if images.shape[-1] == FEATURE_SIZE:
        return images
    size = (FEATURE_SIZE, FEATURE_SIZE)
    return F.interpolate(images, size, mode="bicubic", antialias=True).clamp(-1, 1)
