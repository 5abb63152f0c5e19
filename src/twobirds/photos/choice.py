"""Which faces of a photo are meant."""

from typing import Literal

from twobirds.errors import InputError

FaceChoice = int | Literal["all"] | None
"""One face, counted from the left, from 1; all; or None, where for edits the most plausible one is
meant, and else all."""


def numbered_faces(face: FaceChoice, num_faces: int) -> tuple[int, ...]:
    """Indices from 0 of the face with a number, or of all where none was given.

    Raises:
        InputError: If there is no such face.
    """
    if not isinstance(face, int):
        return tuple(range(num_faces))
    if not 1 <= face <= num_faces:
        raise InputError(f"has no face {face}: {num_faces} found, counted from the left")
    return (face - 1,)
