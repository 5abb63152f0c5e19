"""Networks trained on ImageNet by others, and where their weights are found."""

from twobirds.models.pretrained.efficientnet_lite import EfficientNetLite
from twobirds.models.pretrained.weights import load_efficientnet_lite

__all__ = ["EfficientNetLite", "load_efficientnet_lite"]
