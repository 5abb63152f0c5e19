"""FaceModel, and what its edits are asked and answer."""

from twobirds.api.directions import latent_directions
from twobirds.api.encoded import EncodedFaces
from twobirds.api.model import FaceModel
from twobirds.api.pictures import save_images, to_pil_images
from twobirds.api.search import Edited, Limits

__all__ = [
    "Edited",
    "EncodedFaces",
    "FaceModel",
    "Limits",
    "latent_directions",
    "save_images",
    "to_pil_images",
]
