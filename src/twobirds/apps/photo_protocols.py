"""What the commands on photos have in common, and the photos that they open."""

from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

from twobirds.apps.credential_options import WithCredentials

if TYPE_CHECKING:
    import numpy as np

    from twobirds.api import FaceModel
    from twobirds.models.onnx_model import OnnxModel
    from twobirds.photos import FaceChoice, Photo
    from twobirds.photos.found import FoundFace


class SeenPhoto(Protocol):
    """A photo whose faces were found and recognized, by whatever runs the networks."""

    @property
    def photo(self) -> "Photo":
        """What was decoded."""
        ...

    @property
    def found(self) -> tuple["FoundFace", ...]:
        """The faces from left to right; empty for an aligned face."""
        ...

    @property
    def probabilities(self) -> "np.ndarray":
        """`[N, K]` float32 in [0, 1]: predicted attributes."""
        ...

    @property
    def model(self) -> "FaceModel | OnnxModel":
        """What recognized them."""
        ...

    @property
    def num_faces(self) -> int:
        """N."""
        ...

    @property
    def is_aligned(self) -> bool:
        """Whether it is a face that is cut already."""
        ...

    def indices(self, face: "FaceChoice", *, for_edits: bool = False) -> tuple[int, ...]:
        """Which faces are meant; see `OpenPhoto.indices`."""
        ...


class OnPhotos(Protocol):
    """A command with images."""

    @property
    def images(self) -> tuple[Path, ...]:
        """The files."""
        ...

    @property
    def aligned(self) -> bool:
        """Whether they are aligned faces."""
        ...

    @property
    def detector(self) -> Path | None:
        """A YuNet file; None takes MTCNN."""
        ...

    @property
    def face(self) -> int | Literal["all"] | None:
        """Which face is meant; see `FaceChoice`."""
        ...


class ToPhotos(OnPhotos, WithCredentials, Protocol):
    """A command that makes one picture of each image."""

    @property
    def out(self) -> Path | None:
        """A file or folder for the results."""
        ...

    @property
    def force(self) -> bool:
        """Whether earlier results are replaced."""
        ...

    @property
    def model(self) -> str | None:
        """Name of the model."""
        ...

    @property
    def visible_note(self) -> bool:
        """Whether a note is written into the pictures."""
        ...

    @property
    def device(self) -> str:
        """Where to compute."""
        ...
