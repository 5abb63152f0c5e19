"""The template of a model: where aligned faces have their landmarks."""

from typing import Protocol

from twobirds.data.pack import Landmarks
from twobirds.data.templates import LANDMARKS

Template = Landmarks
"""Where a model has the five landmarks, as fractions (x, y) of its image."""
CELEBA_TIGHT: Template = LANDMARKS["celeba-tight"]
"""Of models that do not say: CelebA's faces cut tightly."""


class TakesFaces(Protocol):
    """A model, as far as it says how faces are cut for it."""

    @property
    def size(self) -> int:
        """Height and width of its images in pixels."""
        ...

    @property
    def landmarks(self) -> Template | None:
        """Its template, where that is known."""
        ...


def template_of(model: TakesFaces) -> Template:
    """The template to which faces are aligned for a model, its identity measured included."""
    return model.landmarks or CELEBA_TIGHT
