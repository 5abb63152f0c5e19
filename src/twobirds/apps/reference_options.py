"""The options `--like`, `--take` and `--like-face`: attribute values of another photo's face."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Protocol

from twobirds.apps.display import note
from twobirds.apps.options import optional
from twobirds.apps.photo_files import open_session
from twobirds.apps.photo_protocols import OnPhotos
from twobirds.errors import InputError

if TYPE_CHECKING:
    from twobirds.api import FaceModel

Like = Annotated[
    Path | None,
    optional(
        "PHOTO",
        "no reference",
        "A photo with a face that has what is wanted: --take says which attributes to take from "
        "it. With --aligned it is a face that is cut, too.",
    ),
]
Take = Annotated[
    str | None,
    optional(
        "NAME,NAME...",
        "nothing is taken",
        "With --like: the attributes whose values, 0 or 1, are taken, not their style: a fringe, "
        "but not which. One of which the recognizer is not sure, with a probability between 0.25 "
        "and 0.75, is refused.",
    ),
]
LikeFace = Annotated[
    int | None, optional("N", "its only face", "With --like: which face, counted from the left.")
]


class WithReference(OnPhotos, Protocol):
    """A command with these options."""

    @property
    def like(self) -> Path | None:
        """The photo."""
        ...

    @property
    def take(self) -> str | None:
        """Names of attributes, with commas between."""
        ...

    @property
    def like_face(self) -> int | None:
        """Which face of the photo."""
        ...


@dataclass(frozen=True)
class Reference:
    """A photo to take values from."""

    path: Path
    content: bytes
    names: tuple[str, ...]
    face: int | None

    @classmethod
    def of(cls, command: WithReference) -> "Reference | None":
        """Read the photo of a command; None where it has none.

        Raises:
            InputError: If the options do not go together, or the file cannot be read.
        """
        if command.like is None:
            for option, value in (("--take", command.take), ("--like-face", command.like_face)):
                if value is not None:
                    raise InputError(f"{option} goes with --like PHOTO")
            return None
        listed = (name.strip() for name in (command.take or "").split(","))
        names = tuple(name for name in listed if name)
        if not names:
            raise InputError(f"--like {command.like}: say what to take, as in --take Bangs,Smiling")
        if command.aligned and command.like_face is not None:
            raise InputError("--like-face is for photos: leave out --aligned")
        try:
            content = command.like.read_bytes()
        except OSError as error:
            raise InputError(f"--like {command.like}: cannot be read: {error.strerror}") from error
        return cls(command.like, content, names, command.like_face)

    def added_to(
        self, changes: dict[str, float], command: WithReference, model: "FaceModel"
    ) -> dict[str, float]:
        """Other changes and the values of the reference, which are printed on stderr.

        Raises:
            InputError: If the photo has no face that is meant, the recognizer is not sure, or an
                attribute is among the changes already.
        """
        from twobirds.photos.reference import face_of, merged, take_surely

        session = open_session(command, model)
        try:
            photo = session.open(self.content, is_aligned=command.aligned)
            index = face_of(photo, self.face)
            taken = take_surely(photo, self.names, index + 1)
        except InputError as error:
            hint = " (--like-face N)" if "say which one" in str(error) else ""
            raise InputError(f"--like {self.path}: {error}{hint}") from error
        for doubt in photo.found[index].doubts.warnings if photo.found else ():
            note(f"{self.path}: {doubt}")
        listed = ", ".join(
            f"{name}={value:g} (probability {taken.probabilities[name]:.2f})"
            for name, value in taken.values.items()
        )
        note(f"{self.path}: taken: {listed}")
        return merged(changes, taken)
