"""The attribute recognizer: an EfficientNet-lite0 whose later half is fine-tuned on real faces."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from twobirds.models.pretrained import EfficientNetLite, load_efficientnet_lite
from twobirds.models.pretrained.efficientnet_lite import SCALINGS

_NUM_FROZEN = 5  # blocks: up to stride 8, whose features serve any task


class LiteRecognizer(nn.Module):
    """Attribute logits of faces; no gradient of it ever reaches a generator.

    Batch norms are merged into the convolutions: batches of faces are too small to learn them anew.

    Args:
        num_attributes: K.
        enlargement: Of the faces, before the network sees them: small ones have little left at its
            stride of 32.
    """

    def __init__(self, *, num_attributes: int, enlargement: float) -> None:
        super().__init__()
        self.enlargement = enlargement
        self.network = EfficientNetLite(SCALINGS["lite0"], num_attributes).eval()
        self.network.fold_batch_norms()

    def forward(self, images: Tensor, *, further: float = 1.0) -> Tensor:
        """Classify faces `[B, 3, H, W]` in [-1, 1]: logits `[B, K]`.

        Args:
            images: The faces.
            further: By how much more to enlarge them than in training.
        """
        if (factor := self.enlargement * further) != 1:
            sides = [round(int(side) * factor) for side in images.shape[2:]]
            images = F.interpolate(images, sides, mode="bilinear", align_corners=False)
        logits: Tensor = self.network(images.contiguous(memory_format=torch.channels_last))
        return logits

    def initialize_pretrained(self) -> None:
        """Take the weights that ImageNet taught; the classifier keeps its own.

        Raises:
            InputError: If the package with the weights is not installed.
        """
        weights = load_efficientnet_lite("lite0").state_dict()
        own = {n: w for n, w in self.network.state_dict().items() if n.startswith("classifier.")}
        self.network.load_state_dict(weights | own)

    def trainable(self) -> list[nn.Parameter]:
        """The weights that are fine-tuned; the others are frozen by this call."""
        network = self.network
        for module in (network.stem, *network.blocks[:_NUM_FROZEN]):
            module.requires_grad_(False)
        return [p for p in network.parameters() if p.requires_grad]
