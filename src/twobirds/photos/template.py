"""The template of a model: where aligned faces have their landmarks."""

from twobirds.api import FaceModel
from twobirds.data.pack import Landmarks
from twobirds.data.packing import LANDMARKS

Template = Landmarks
"""Where a model has the five landmarks, as fractions (x, y) of its image."""
CELEBA_TIGHT: Template = LANDMARKS["celeba-tight"]
"""Of models that do not say: CelebA's faces cut tightly."""


def template_of(model: FaceModel) -> Template:
    """The template to which faces are aligned for a model, its identity measured included."""
    return model.landmarks or CELEBA_TIGHT
