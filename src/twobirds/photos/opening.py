"""Photos decoded, and their faces found and cut: how all begins, whatever runs the networks."""

from typing import TYPE_CHECKING

import numpy as np

from twobirds.errors import InputError
from twobirds.photos.photo import Photo, read_aligned_face, read_photo
from twobirds.photos.template import TakesFaces

if TYPE_CHECKING:
    from twobirds.photos.faces import Detector
    from twobirds.photos.found import FoundFace


def decode(data: bytes, size: int, *, is_aligned: bool) -> Photo:
    """Decode a photo.

    Args:
        data: The file.
        size: Of the faces that a model takes, in pixels.
        is_aligned: It is a face cut as the model wants it; of others than squares the middle is
            taken.

    Raises:
        InputError: If it is no photo.
    """
    return read_aligned_face(data, size) if is_aligned else read_photo(data)


def cut_out(
    photo: Photo, detector: "Detector | None", model: TakesFaces, *, is_aligned: bool
) -> tuple[tuple["FoundFace", ...], np.ndarray]:
    """Find the faces of a decoded photo and cut them out.

    Args:
        photo: The photo.
        detector: Which finds faces; None will do for aligned faces.
        model: Whose template and size they get.
        is_aligned: It is a face that is cut already.

    Returns:
        The faces from left to right, none of an aligned face; `[N, S, S, 3]` uint8: as the model
        sees them.

    Raises:
        InputError: If there is no detector to find them with.
    """
    if is_aligned:
        return (), photo.pixels[None]
    if detector is None:
        raise InputError("a photo needs a detector to find its faces")
    from twobirds.photos.found import crops_of, cut_faces  # OpenCV: aligned faces do without it

    found = tuple(cut_faces(photo, detector, model))
    return found, crops_of(found, model.size)
