"""From a photo to the faces that a model takes, and from its drawings back to the photo."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from twobirds.api import FaceModel
from twobirds.errors import InputError
from twobirds.photos.align import CELEBA_TIGHT, Placement, Template, cut_face, place
from twobirds.photos.faces import Detector, Doubts, Face, doubts_about, find_faces
from twobirds.photos.paste import paste
from twobirds.photos.photo import Photo


@dataclass(frozen=True, eq=False)
class FoundFace:
    """A face of a photo as a model sees it."""

    face: Face
    placement: Placement
    crop: np.ndarray
    """`[S, S, 3]` uint8 RGB."""
    doubts: Doubts


def cut_faces(photo: Photo, detector: Detector, model: FaceModel) -> list[FoundFace]:
    """Find the faces of a photo and bring each to a model's template, from left to right.

    Args:
        photo: The photo.
        detector: Which looks for them; there may be none.
        model: Whose template and size they get.
    """
    template = model.landmarks or CELEBA_TIGHT
    seen = photo.opaque
    faces = find_faces(detector, seen)
    return [_found(face, seen, template, model.size) for face in faces]


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


def edit_photo(
    model: FaceModel,
    photo: Photo,
    found: Sequence[FoundFace],
    changes: Mapping[str, float],
    *,
    strength: float = 1.0,
    refine_steps: int = 0,
) -> np.ndarray:
    """Change attributes of some faces of a photo, and leave all else as it is.

    Args:
        model: Which edits.
        photo: The photo.
        found: Those of its faces that are meant.
        changes: Target in [0, 1] for each attribute to change.
        strength: How much of the way to go.
        refine_steps: Steps of optimizing each code for its face first.

    Returns:
        `[H, W, 3]` uint8 RGB.

    Raises:
        InputError: As `require_usable` and `FaceModel.edit`.
    """
    if not found:
        return photo.pixels.copy()
    require_usable(found, range(1, len(found) + 1))
    crops = np.stack([face.crop for face in found])
    before, after = model.before_and_after(
        crops, changes, strength=strength, refine_steps=refine_steps
    )
    return paste_faces(photo, found, before, after)


def paste_faces(
    photo: Photo, found: Sequence[FoundFace], before: Tensor, after: Tensor
) -> np.ndarray:
    """Add to a photo what changed from one drawing of its faces to another.

    Args:
        photo: The photo.
        found: N of its faces.
        before: `[N, 3, S, S]` in [-1, 1].
        after: The same, changed.

    Returns:
        `[H, W, 3]` uint8 RGB.
    """
    pixels = photo.pixels
    for face, old, new in zip(found, _as_arrays(before), _as_arrays(after), strict=True):
        pixels = paste(pixels, face.placement, old, new)
    return pixels


def _as_arrays(images: Tensor) -> np.ndarray:
    """`[N, 3, S, S]` as `[N, S, S, 3]` float32."""
    arrays: np.ndarray = images.detach().float().movedim(1, -1).cpu().numpy()
    return arrays


def _found(face: Face, pixels: np.ndarray, template: Template, size: int) -> FoundFace:
    placement = place(face.landmarks, template, size)
    crop = cut_face(pixels, placement)
    left, right = np.array(template[:2]) * size
    doubts = doubts_about(face, crop, float(np.linalg.norm(right - left)))
    return FoundFace(face, placement, crop, doubts)
