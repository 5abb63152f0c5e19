"""A photo edited in one call, to be looked at and saved."""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypedDict, Unpack

from PIL import Image

from twobirds.api import FaceModel, Limits
from twobirds.atomic import write_atomically
from twobirds.data.attributes import overruled
from twobirds.data.provenance import PHOTO_FORMATS
from twobirds.errors import InputError, InputWarning, missing_extra
from twobirds.language.description import NOTHING_TO_CHANGE, Understanding, understand_edit
from twobirds.photos.choice import FaceChoice
from twobirds.photos.credentials import CredentialSigner, warn_of_credentials
from twobirds.photos.edits import EditRequest, FaceEdits
from twobirds.photos.marks import Marks
from twobirds.photos.reference import Taken, merged, require_together, take_surely
from twobirds.photos.session import OpenPhoto, PhotoSession


class PhotoOptions(TypedDict, total=False):
    """How a photo is edited."""

    describe: str
    """What to change in English words, such as "blond hair, no glasses, less makeup"."""
    face: FaceChoice
    """Which face: a number counted from the left, from 1, or `"all"`; else the most plausible."""
    strength: float
    """How much of the way to go: 0 changes nothing, 1 is the default, above it exaggerates."""
    until: float
    """Search the strength until the recognizer agrees this far, in [0, 1]; not with `strength`."""
    protect: str | Path | bytes
    """A mask of the size of the upright photo, a file or its content: what is white in it stays as
    it is. The result is saved as PNG."""
    like: str | Path | bytes
    """A photo with a face that has what is wanted, a file or its content."""
    take: Sequence[str]
    """The attributes of which that face's values, 0 or 1, are taken besides the changes."""
    like_face: int
    """Which face of that photo, counted from the left, from 1; else it must have one."""


@dataclass(frozen=True, eq=False)
class PhotoEdit:
    """A photo with edited faces; made by `FaceModel.edit_photo`."""

    photo: OpenPhoto
    """The photo as it was, with its faces."""
    edits: FaceEdits
    """What was changed."""
    details: str
    """What the file says of the edit."""
    taken: Mapping[str, float] = field(default_factory=dict)
    """Probability in [0, 1] of each attribute that was taken from another photo, there."""
    understanding: Understanding | None = None
    """What was made of the words of `describe`."""
    overruled: Sequence[str] = ()
    """Its words that the explicit changes overruled, each with what it was taken to say."""

    @property
    def image(self) -> Image.Image:
        """The edited photo."""
        return Image.fromarray(self.photo.composite(self.edits.by_index))

    def save(
        self,
        path: str | Path,
        *,
        visible_note: bool = False,
        signer: CredentialSigner | None = None,
    ) -> None:
        """Write the photo, marked as synthetic in its metadata.

        Args:
            path: The file, whose ending chooses the format.
            visible_note: Write into a corner of the picture that it is synthetic.
            signer: Signs that, as Content Credentials (C2PA).

        Raises:
            InputError: If the photo cannot be written in this format; with a protected part only
                PNG is possible.
        """
        path = Path(path)
        if path.suffix.lower() not in PHOTO_FORMATS:
            raise InputError(
                f"{path}: choose a name that ends in one of {', '.join(PHOTO_FORMATS)}"
            )
        warn_of_credentials(self.photo.data, signer)
        marks = Marks("edited", self.details, visible_note, signer=signer)
        content = self.photo.encode(self.edits.by_index, marks, path.suffix).content
        write_atomically(path, lambda file: file.write(content))

    def __repr__(self) -> str:
        """Size, faces and changes, in a line."""
        height, width = self.photo.photo.pixels.shape[:2]
        faces = ", ".join(str(index + 1) for index in self.edits.by_index)
        of = f"face {faces} of {self.photo.num_faces}"
        return f"PhotoEdit({width}x{height} pixels, {of}: {self.details})"


def edit_photo(
    model: FaceModel,
    photo: str | Path | bytes,
    changes: Mapping[str, float] | None = None,
    **options: Unpack[PhotoOptions],
) -> PhotoEdit:
    """Find the faces of a photo and edit one, or all.

    Words that are not understood, and words that `changes` overrule, are an `InputWarning`.

    Args:
        model: Which edits.
        photo: A file, or its content.
        changes: Target in [0, 1] for each attribute to change; they overrule `describe`.
        **options: See `PhotoOptions`.

    Raises:
        InputError: If it is no photo, has no face or not this one, nothing of the words is
            understood, or something is not possible of what is asked for.
    """
    _check(changes, options)
    try:
        from twobirds.photos.detectors import find_detector
    except ModuleNotFoundError as error:
        raise missing_extra("photos need", "photos", error) from error
    session = PhotoSession(model, find_detector())
    data, where = _content(photo), "the photo" if isinstance(photo, bytes) else str(photo)
    mask = _content(options["protect"]) if "protect" in options else None
    taken = _taken(session, options)
    words = _understood(model, changes or {}, options)
    wanted = merged(overruled(words.attributes, changes or {}), taken)
    request = _request(wanted, options)
    try:
        opened = session.open(data)
        if not opened.num_faces:
            raise InputError("no face is found; a face that is cut already goes to FaceModel.edit")
        indices = opened.indices(options.get("face"), for_edits=True)
        opened = opened if mask is None else opened.protect(mask)
    except InputError as error:
        raise InputError(f"{where}: {error}") from error
    edits = opened.edit(request, indices)
    return PhotoEdit(
        opened,
        edits,
        request.details,
        taken.probabilities,
        words if "describe" in options else None,
        words.overruled_by(changes or {}),
    )


def _content(file: str | Path | bytes) -> bytes:
    """The content of a file, or what is given as such."""
    if isinstance(file, bytes):
        return file
    try:
        return Path(file).read_bytes()
    except OSError as error:
        raise InputError(f"{file}: cannot be read: {error.strerror}") from error


def _check(changes: Mapping[str, float] | None, options: PhotoOptions) -> None:
    """Refuse options that do not go together, before anything is opened."""
    if "strength" in options and "until" in options:
        raise InputError("until finds the strength: leave out strength")
    require_together(
        has_photo="like" in options, has_names="take" in options, has_face="like_face" in options
    )
    if not changes and not {"describe", "like"} & options.keys():
        raise InputError(
            'nothing to change: name attributes, as in {"Eyeglasses": 1}, or say it in words, as '
            'in describe="no glasses"'
        )


def _understood(
    model: FaceModel, changes: Mapping[str, float], options: PhotoOptions
) -> Understanding:
    """What is made of words; warns of those that are not understood, or overruled."""
    text = options.get("describe")
    if text is None:
        return Understanding()
    understanding = understand_edit(text, model.attributes)
    for title, words in (
        ("not understood", understanding.ignored),
        ("not known to the model", understanding.unavailable),
        ("overruled by changes", understanding.overruled_by(changes)),
    ):
        if words:
            message = f"describe {text!r}: {title}: {', '.join(words)}"
            warnings.warn(message, InputWarning, stacklevel=4)
    if not understanding.attributes:
        raise InputError(f"describe {text!r}: {NOTHING_TO_CHANGE}")
    return understanding


def _request(changes: Mapping[str, float], options: PhotoOptions) -> EditRequest:
    limits = Limits(options["until"]) if "until" in options else None
    return EditRequest(changes, options.get("strength", 1.0), limits)


def _taken(session: PhotoSession, options: PhotoOptions) -> Taken:
    """What is taken from another photo."""
    if "like" not in options:
        return Taken({})
    reference = options["like"]
    where = "the reference" if isinstance(reference, bytes) else str(reference)
    try:
        photo = session.open(_content(reference))
        return take_surely(photo, options["take"], options.get("like_face"))
    except InputError as error:
        raise InputError(f"{where}: {error}") from error
