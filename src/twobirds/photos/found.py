"""Faces of a photo, found and aligned to a model's template."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from twobirds.errors import InputError
from twobirds.photos.align import Placement, cut_face, place
from twobirds.photos.faces import Detector, Doubts, Face, doubts_about, find_faces
from twobirds.photos.photo import Photo
from twobirds.photos.template import TakesFaces, Template, template_of


@dataclass(frozen=True, eq=False)
class FoundFace:
    """A face of a photo as a model sees it."""

    face: Face
    placement: Placement
    crop: np.ndarray
    """`[S, S, 3]` uint8 RGB."""
    doubts: Doubts


def cut_faces(photo: Photo, detector: Detector, model: TakesFaces) -> list[FoundFace]:
    """Find the faces of a photo and bring each to a model's template, from left to right.

    Args:
        photo: The photo.
        detector: Which looks for them; there may be none.
        model: Whose template and size they get.
    """
    seen, template = photo.opaque, template_of(model)
    return [_found(face, seen, template, model.size) for face in find_faces(detector, seen)]


def crops_of(found: Sequence[FoundFace], size: int) -> np.ndarray:
    """The faces `[N, size, size, 3]` uint8 RGB as a model sees them."""
    return np.array([face.crop for face in found], np.uint8).reshape(-1, size, size, 3)


def require_usable(found: Sequence[FoundFace], numbers: Sequence[int]) -> None:
    """Refuse faces that are too small or turned away.

    Args:
        found: The faces.
        numbers: What to call each.

    Raises:
        InputError: If there is one.
    """
    for number, face in zip(numbers, found, strict=True):
        if face.doubts.refusals:
            raise InputError(f"face {number}: {'; '.join(face.doubts.refusals)}")


def _found(face: Face, pixels: np.ndarray, template: Template, size: int) -> FoundFace:
    placement = place(face.landmarks, template, size)
    crop = cut_face(pixels, placement)
    left, right = np.array(template[:2]) * size
    doubts = doubts_about(face, crop, float(np.linalg.norm(right - left)))
    return FoundFace(face, placement, crop, doubts)
