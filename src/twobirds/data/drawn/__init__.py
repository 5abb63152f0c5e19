"""Drawn faces: people whose every attribute is known, and who can be rendered again with another.

A face is a pure function of a seed and a number: who it shows (`TRAITS` and lasting attributes,
shared by `PHOTOS_PER_PERSON` photos), what that person looks like today, and how the photo was
taken (`NUISANCES`). So the true answer to any edit can be rendered: `counterfactuals`.
"""

from twobirds.data.drawn.folder import face_index, face_name, render_folder
from twobirds.data.drawn.people import PHOTOS_PER_PERSON, Faces, sample_faces
from twobirds.data.drawn.rates import DRAWN_ATTRIBUTES
from twobirds.data.drawn.render import (
    LANDMARKS,
    SIZES,
    attribute_visibility,
    counterfactuals,
    render,
)

__all__ = [
    "DRAWN_ATTRIBUTES",
    "LANDMARKS",
    "PHOTOS_PER_PERSON",
    "SIZES",
    "Faces",
    "attribute_visibility",
    "counterfactuals",
    "face_index",
    "face_name",
    "render",
    "render_folder",
    "sample_faces",
]
