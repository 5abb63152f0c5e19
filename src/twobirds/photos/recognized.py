"""Photos whose faces are recognized by networks in ONNX files; needs no PyTorch."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from twobirds.models.onnx_model import OnnxModel
from twobirds.photos.choice import FaceChoice, numbered_faces
from twobirds.photos.opening import cut_out, decode
from twobirds.photos.photo import Photo

if TYPE_CHECKING:
    from twobirds.photos.faces import Detector
    from twobirds.photos.found import FoundFace


@dataclass(frozen=True, eq=False)
class RecognizedPhoto:
    """A photo that was decoded once, with its N faces, each recognized once."""

    photo: Photo
    found: tuple["FoundFace", ...]
    """The faces from left to right; empty for an aligned face, which is the whole image."""
    probabilities: np.ndarray
    """`[N, K]` float32 in [0, 1]: predicted attributes."""
    model: OnnxModel

    @property
    def num_faces(self) -> int:
        """N."""
        return len(self.probabilities)

    @property
    def is_aligned(self) -> bool:
        """Whether it is a face that is cut already."""
        return bool(self.num_faces and not self.found)

    def indices(self, face: FaceChoice, *, for_edits: bool = False) -> tuple[int, ...]:
        """Which faces are meant, as indices from 0, in ascending order.

        Args:
            face: The choice.
            for_edits: Never: what is only recognized is not edited.

        Raises:
            InputError: If there is no such face.
        """
        assert not for_edits
        return numbered_faces(face, self.num_faces)


def recognize_photo(
    data: bytes, model: OnnxModel, detector: "Detector | None", *, is_aligned: bool = False
) -> RecognizedPhoto:
    """Decode a photo, find its faces and recognize them; there may be none.

    Args:
        data: The file.
        model: Which recognizes.
        detector: Which finds faces; None will do for aligned faces.
        is_aligned: It is a face cut as the model wants it.

    Raises:
        InputError: If it is no photo, or there is no detector to find its faces with.
    """
    photo = decode(data, model.size, is_aligned=is_aligned)
    found, crops = cut_out(photo, detector, model, is_aligned=is_aligned)
    return RecognizedPhoto(photo, found, model.recognize(crops), model)
