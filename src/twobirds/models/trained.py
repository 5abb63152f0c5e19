"""A trained model as it is loaded."""

from dataclasses import dataclass

from torch import Tensor

from twobirds.config import RunConfig
from twobirds.models.networks import FaceNetworks
from twobirds.models.saved_card import SavedCard


@dataclass(frozen=True)
class Trained:
    """What inference needs of a trained model."""

    networks: FaceNetworks
    """Those of inference; moving averages where they were kept."""
    config: RunConfig
    """The run that trained them."""
    attribute_bank: Tensor
    """`[R, K]` uint8 0/1: attribute rows that occur in the training data."""
    weights_sha256: str
    """SHA-256 of the weights file; for a run's checkpoint, of the file that saving would make."""
    is_half: bool = False
    """Whether that file holds the weights rounded to float16."""
    pack_sha256: str | None = None
    """Hash of the pack it was trained on; None for models saved before that was noted."""
    card: SavedCard | None = None
    """The card that it was saved with; None of runs and ONNX files."""
