"""FaceModel, and what its edits are asked and answer."""

from twobirds.api.model import FaceModel
from twobirds.api.search import Edited, Limits

__all__ = ["Edited", "FaceModel", "Limits"]
