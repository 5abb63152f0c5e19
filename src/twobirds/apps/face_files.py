"""The image files of a command: aligned faces as they are, or photos whose faces are found."""

import dataclasses
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Protocol, TypeVar

import numpy as np
import tyro

from twobirds.apps.display import note
from twobirds.apps.options import optional, require_images
from twobirds.data.provenance import Provenance
from twobirds.errors import InputError, missing_extra

if TYPE_CHECKING:
    from torch import Tensor

    from twobirds.api import FaceModel
    from twobirds.photos import FoundFace, Photo

Aligned = Annotated[
    bool,
    tyro.conf.arg(
        help="The images are faces cut as the model wants them, not photos; of others than squares "
        "the middle is taken."
    ),
]
DetectorFile = Annotated[
    Path | None,
    optional("FILE.onnx", "YuNet from the cache or the Hub, else scikit-image's cascade"),
    tyro.conf.arg(help="The YuNet network that finds faces."),
]
FaceNumber = Annotated[
    int | None,
    optional("N", "all"),
    tyro.conf.arg(help="Which face of a photo, counted from the left."),
]


_LEFT = "; it is left as it is, unless --face names it"
_NO_PIXELS = np.empty((0, 0, 3), np.uint8)
T = TypeVar("T")


class OnPhotos(Protocol):
    """A command with images."""

    @property
    def images(self) -> tuple[Path, ...]:
        """The files."""
        ...

    @property
    def aligned(self) -> bool:
        """Whether they are faces that are cut."""
        ...

    @property
    def detector(self) -> Path | None:
        """The file of YuNet."""
        ...

    @property
    def face(self) -> int | None:
        """Which face is meant; None means all."""
        ...


@dataclass(frozen=True, eq=False)
class FaceFile:
    """An image file and the N faces taken from it."""

    path: Path
    crops: np.ndarray
    """`[N, S, S, 3]` uint8 RGB."""
    labels: tuple[str, ...]
    """What to call each face in messages."""
    photo: "Photo | None" = None
    """None for an aligned face."""
    found: "tuple[FoundFace, ...]" = ()
    numbers: tuple[int, ...] = ()
    """Of the faces, counted from the left of the photo."""
    digest: bytes = b""
    """SHA-256 of the photo's file."""

    def whole(self) -> "FaceFile":
        """With the pixels of its photo, which only the photo of a command with one keeps.

        Raises:
            InputError: If the file has gone, or changed, since it was read.
        """
        if self.photo is None or self.photo.pixels.size:
            return self
        from twobirds.photos import read_photo

        data = _named(self.path, bytes)
        if hashlib.sha256(data).digest() != self.digest:
            raise InputError(f"{self.path}: has changed since its faces were found")
        return dataclasses.replace(self, photo=read_photo(data))

    def redrawn(self, before: "Tensor", after: "Tensor") -> np.ndarray:
        """The picture `[H, W, 3]` uint8 with its faces changed.

        Args:
            before: `[N, 3, S, S]` in [-1, 1]: drawn with nothing changed.
            after: `[N, 3, S, S]` in [-1, 1]: drawn changed.
        """
        if self.photo is None:
            from twobirds.data.faces import to_pixels

            pixels: np.ndarray = to_pixels(after)[0]
            return pixels
        from twobirds.photos import paste_faces

        return paste_faces(self.photo, self.found, before, after)

    def is_as_it_was(self, pixels: np.ndarray) -> bool:
        """Whether a picture `[H, W, 3]` uint8 is the photo itself; a face that was cut never is."""
        return self.photo is not None and np.array_equal(self.photo.pixels, pixels)

    def encoded(self, pixels: np.ndarray, provenance: Provenance | None, suffix: str) -> bytes:
        """The file to write of a picture `[H, W, 3]` uint8, whose name ends in `suffix`."""
        if self.photo is None:
            from twobirds.apps.pictures import picture_bytes

            return picture_bytes(pixels, provenance)
        from twobirds.photos import encode_photo

        return encode_photo(self.photo, pixels, provenance, suffix)

    def places(self) -> list[dict[str, Any]]:
        """Where each face is, ready for JSON."""
        if self.photo is None:
            return [{"image": str(self.path)}]
        return [
            {"image": str(self.path), "face": number, "box": [round(x, 1) for x in face.face.box]}
            for number, face in zip(self.numbers, self.found, strict=True)
        ]


def read_face_files(command: OnPhotos, model: "FaceModel", *, for_edits: bool) -> list[FaceFile]:
    """Read the images of a command, and find the faces of photos.

    Args:
        command: The command.
        model: Whose template and size the faces get.
        for_edits: Refuse faces that are too small or turned away, not only warn.

    Raises:
        InputError: If a file cannot be read, has no face or not the one that was asked for.
    """
    require_images(command.images)
    if not command.aligned:
        return _read_photos(command, model, for_edits=for_edits)
    if command.detector is not None or command.face is not None:
        raise InputError("--detector and --face are for photos: leave out --aligned")
    from twobirds.apps.pictures import read_face

    return [
        FaceFile(path, read_face(path, model.size)[None], (str(path),)) for path in command.images
    ]


def _read_photos(command: OnPhotos, model: "FaceModel", *, for_edits: bool) -> list[FaceFile]:
    try:
        from twobirds.photos import cut_faces, find_detector, read_photo, require_usable
    except ModuleNotFoundError as error:
        purpose = "photos (--aligned is for faces that are cut already) need"
        raise missing_extra(purpose, "photos", error) from error
    detector, line = find_detector(command.detector)
    if line is not None:
        note(line)
    files = []
    for path in command.images:
        data = _named(path, bytes)
        photo = _named(path, read_photo, data)
        try:
            found = cut_faces(photo, detector, model)
            if not found:
                raise InputError(
                    f"no face is found by {detector.name}; a face that is cut goes with --aligned"
                )
            numbers = _chosen(len(found), command.face)
            if for_edits and command.face is None:
                numbers = _best(found) or numbers  # of none that are fit, the first says why
            chosen = tuple(found[number - 1] for number in numbers)
            if for_edits:
                require_usable(chosen, numbers)
        except InputError as error:
            raise InputError(f"{path}: {error}") from error
        labels = tuple(_label(path, number, len(found)) for number in numbers)
        named = (command.face,) if command.face else range(1, len(found) + 1)
        for number in named:
            left = for_edits and number not in numbers
            _tell_doubts(_label(path, number, len(found)), found[number - 1], is_left=left)
        crops = np.stack([face.crop for face in chosen])
        if not for_edits or len(command.images) > 1:  # a thousand photos do not fit the memory
            photo = dataclasses.replace(photo, pixels=_NO_PIXELS, alpha=None)
        digest = hashlib.sha256(data).digest()
        files.append(FaceFile(path, crops, labels, photo, chosen, numbers, digest))
    return files


def _named(path: Path, read: Callable[[bytes], T], data: bytes | None = None) -> T:
    """What is read of a file, or of its content; errors name it."""
    try:
        return read(path.read_bytes() if data is None else data)
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def _tell_doubts(label: str, face: "FoundFace", *, is_left: bool) -> None:
    """Say what speaks against a face, and whether it is left out for that."""
    for doubt in (*face.doubts.refusals, *face.doubts.warnings):
        note(f"{label}: {doubt}" + _LEFT * is_left)


def _chosen(count: int, number: int | None) -> tuple[int, ...]:
    """Numbers of the faces that are meant."""
    if number is None:
        return tuple(range(1, count + 1))
    if not 1 <= number <= count:
        raise InputError(f"has no face {number}: {count} found, counted from the left")
    return (number,)


def _best(found: "Sequence[FoundFace]") -> tuple[int, ...]:
    """Numbers of the faces without doubts, or, if all have some, of those that can be edited.

    What is small and blurred beside a clear face is often none.
    """
    clear = (
        n for n, face in enumerate(found, 1) if not (face.doubts.refusals + face.doubts.warnings)
    )
    usable = (n for n, face in enumerate(found, 1) if not face.doubts.refusals)
    return tuple(clear) or tuple(usable)


def _label(path: Path, number: int, count: int) -> str:
    return str(path) if count == 1 else f"{path}, face {number}"
