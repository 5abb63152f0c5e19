"""The photos of a command, opened one after the other, and the results, written together."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Generic, Literal

import tyro
from typing_extensions import TypeVar  # with a default

from twobirds.apps.credential_options import credentials_note, signer_of
from twobirds.apps.display import note, note_all, say
from twobirds.apps.notes import notes_of_faces
from twobirds.apps.options import load_model, optional, require_images
from twobirds.apps.photo_protocols import OnPhotos, SeenPhoto, ToPhotos
from twobirds.errors import InputError, missing_extra

if TYPE_CHECKING:
    from twobirds.api import FaceModel
    from twobirds.apps.mask import Mask
    from twobirds.photos import FaceEdits, Marks, OpenPhoto, PhotoSession
    from twobirds.photos.faces import Detector

SOME_REFUSED = 5
"""The exit code where some or all of several photos were refused."""

Aligned = Annotated[
    bool,
    tyro.conf.arg(
        help="The images are faces cut as the model wants them, not photos; what is not square is "
        "cropped to its middle."
    ),
]
DetectorFile = Annotated[
    Path | None,
    optional("FILE.onnx", "MTCNN, installed with the extra photos"),
    tyro.conf.arg(help="A YuNet network to find faces with."),
]
_WHICH_FACE = "Which face of a photo, counted from the left, or all."
FaceToShow = Annotated[
    int | Literal["all"] | None, optional("N|all", "all"), tyro.conf.arg(help=_WHICH_FACE)
]
FaceToEdit = Annotated[
    int | Literal["all"] | None,
    optional("N|all", "the most plausible one"),
    tyro.conf.arg(help=_WHICH_FACE),
]
VisibleNote = Annotated[
    bool, tyro.conf.arg(help="Write into a corner of the picture that it is synthetic.")
]
NoMetadata = Annotated[
    bool,
    tyro.conf.arg(
        help="Leave out the metadata that call the picture synthetic and name the model."
    ),
]


SeenT = TypeVar("SeenT", bound=SeenPhoto)
SeenT_co = TypeVar("SeenT_co", bound=SeenPhoto, covariant=True, default="OpenPhoto")


@dataclass(frozen=True, eq=False)
class PhotoFile(Generic[SeenT_co]):
    """A photo of a command, and which of its faces are meant."""

    path: Path
    photo: SeenT_co
    indices: tuple[int, ...]
    """Of the faces, from 0."""

    @property
    def labels(self) -> list[str]:
        """What to call each face in messages."""
        return [self.label(index) for index in self.indices]

    def label(self, index: int) -> str:
        """What to call a face in messages."""
        return str(self.path) if self.photo.num_faces == 1 else f"{self.path}, face {index + 1}"

    def places(self) -> list[dict[str, Any]]:
        """Number and box of each face, as JSON takes them; nothing of an aligned face."""
        if self.photo.is_aligned:
            return [{}]
        boxes = [(index + 1, self.photo.found[index].face.box) for index in self.indices]
        return [{"face": number, "box": [round(x, 1) for x in box]} for number, box in boxes]


Transform = Callable[[PhotoFile], "FaceEdits"]
"""From a photo with its faces to their edits."""


def open_photos(
    open_photo: Callable[[bytes], SeenT],
    command: OnPhotos,
    *,
    for_edits: bool,
    on_refusal: Callable[[InputError], None] | None = None,
) -> Iterator[PhotoFile[SeenT]]:
    """Open the images of a command one after the other, and choose the faces that are meant.

    Args:
        open_photo: From the content of a file to the photo with its faces.
        command: The command.
        for_edits: Refuse faces that are too small or turned away, not only warn.
        on_refusal: Called with what is wrong with a photo, which is left out; None raises it.

    Raises:
        InputError: If a file cannot be read, has no face or not the one that was asked for.
    """
    require_images(command.images)
    for path in command.images:
        try:
            file = _opened(open_photo, command, path, for_edits=for_edits)
        except InputError as error:
            if on_refusal is None:
                raise
            on_refusal(error)
            continue
        note_all(notes_of_faces(file, for_edits=for_edits))
        yield file


def _opened(
    open_photo: Callable[[bytes], SeenT], command: OnPhotos, path: Path, *, for_edits: bool
) -> PhotoFile[SeenT]:
    """One photo of a command."""
    try:
        photo = open_photo(path.read_bytes())
        return choose_faces(command, path, photo, for_edits=for_edits)
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def choose_faces(
    command: OnPhotos, path: Path, photo: SeenT, *, for_edits: bool
) -> PhotoFile[SeenT]:
    """Choose the faces of an open photo that a command means.

    Args:
        command: The command.
        path: What to call the photo.
        photo: The photo.
        for_edits: Refuse faces that are too small or turned away, not only warn.

    Raises:
        InputError: If it has no face, or not the one that was asked for.
    """
    if not photo.num_faces:
        detector = "MTCNN" if command.detector is None else f"YuNet ({command.detector.name})"
        raise InputError(f"no face is found by {detector}; a face that is cut goes with --aligned")
    return PhotoFile(path, photo, photo.indices(command.face, for_edits=for_edits))


def transform(
    command: ToPhotos,
    kind: str,
    start: "Callable[[FaceModel], tuple[str, Transform]]",
    *,
    mask: "Mask | None" = None,
    announce: Callable[[Path], None] = lambda path: say(str(path)),
) -> list[Path]:
    """Send the photos of a command through a model; write and name the results.

    Args:
        command: The command.
        kind: What is done, such as `edited`, for the names of the results.
        start: From the model to what the files say of the edit, and the edit.
        mask: What of the only photo is protected.
        announce: Called with each file that is written.

    Returns:
        The files, in the order of the photos.
    """
    from twobirds.apps.pictures import name_outputs, written_together
    from twobirds.photos.marks import Marks

    require_images(command.images)
    as_png = command.aligned or mask is not None
    outputs = name_outputs(command.images, command.out, kind, as_png=as_png, force=command.force)
    require_encoders(outputs)
    signer = signer_of(command)
    model = _load_lean(command)
    details, edit = start(model)
    marks = Marks("edited", details, command.visible_note, not command.no_metadata, signer)
    # Of several photos, the next one would take the memory again.
    session = open_session(command, model, spares_memory=len(outputs) == 1)

    def open_photo(data: bytes) -> "OpenPhoto":
        return session.open(data, is_aligned=command.aligned)

    with written_together(announce=announce) as write:
        files = open_photos(open_photo, command, for_edits=True)
        for opened, output in zip(files, outputs, strict=True):
            file = opened
            if mask is not None:
                file = mask.protect(opened)
                note(mask.note(file))
            write(output, _encoded(file, output, edit(file), marks))
    return outputs


def _load_lean(command: ToPhotos) -> "FaceModel":
    """Load the model of a command, in a process that then holds little freed memory."""
    from twobirds.runtime import return_freed_memory, share_freed_memory

    share_freed_memory()
    model = load_model(command.model, command.device)
    return_freed_memory()  # that of the weights as they were stored
    return model


def _encoded(file: PhotoFile, output: Path, edits: "FaceEdits", marks: "Marks") -> bytes:
    """The content of a result."""
    try:
        result = file.photo.encode(edits.by_index, marks, output.suffix)
    except InputError as error:
        raise InputError(f"{file.path}: {error}") from error
    if not result.is_changed:
        note(f"{file.path}: no pixel changes; {output} is not marked as synthetic")
    elif (line := credentials_note(file.photo.data, marks.signer)) is not None:
        note(f"{file.path}: {line}")
    return result.content


def require_encoders(outputs: list[Path]) -> None:
    """Refuse formats that cannot be written here, before a model is loaded."""
    if not any(output.suffix in (".heic", ".heif") for output in outputs):
        return
    from twobirds.photos.encode import require_encoder

    for output in outputs:
        require_encoder(output.suffix)


def open_session(
    command: OnPhotos, model: "FaceModel", *, spares_memory: bool = False
) -> "PhotoSession":
    """What opens the photos of a command.

    Args:
        command: The command.
        model: Which recognizes and edits.
        spares_memory: See `PhotoSession`.

    Raises:
        InputError: If the options for photos do not fit, or what finds faces is not installed.
    """
    from twobirds.photos import PhotoSession

    return PhotoSession(model, open_detector(command), spares_memory=spares_memory)


def open_detector(command: OnPhotos) -> "Detector | None":
    """What finds the faces in the photos of a command; None where they are cut already.

    Raises:
        InputError: As `open_session`.
    """
    if command.aligned:
        if command.detector is not None or command.face is not None:
            raise InputError("--detector and --face are for photos: leave out --aligned")
        return None
    try:
        from twobirds.photos.detectors import find_detector
    except ModuleNotFoundError as error:
        purpose = "photos (--aligned is for faces that are cut already) need"
        raise missing_extra(purpose, "photos", error) from error
    return find_detector(command.detector)
