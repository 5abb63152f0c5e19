"""What there is to say of the faces of a photo and of their edits, in lines."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from twobirds.data.attributes import is_there

if TYPE_CHECKING:
    from twobirds.api import Edited
    from twobirds.apps.photo_files import PhotoFile
    from twobirds.apps.photo_protocols import SeenPhoto
    from twobirds.apps.results import EditedFace
    from twobirds.photos import FaceEdits

_WORDS = {
    "reached": "the recognizer agrees",
    "identity": "a stronger edit would exceed --max-identity-distance",
    "strength": "what was asked for is not reached at any strength up to 3; the best is kept",
    "already": "not edited, for the recognizer sees it there already",
}
_NOT_EDITED = "not edited: the weakest edit would exceed --max-identity-distance"


def notes_of_faces(file: "PhotoFile[SeenPhoto]", *, for_edits: bool) -> Iterator[str]:
    """Where each face is, whether it is chosen, and what speaks against it."""
    if file.photo.photo.left_out is not None:
        yield f"{file.path}: {file.photo.photo.left_out}"
    if for_edits:
        yield from (f"{file.path}: {what}" for what in file.photo.photo.lost)
    if file.photo.is_aligned:
        yield from _doubts_of_aligned(file)
    for index, found in enumerate(file.photo.found):
        number, doubts = index + 1, found.doubts
        left, top, width, height = (round(value) for value in found.face.box)
        place = f"{file.path}: face {number} is at ({left}, {top}), {width}x{height} pixels"
        if index in file.indices:
            yield place
            for doubt in (*doubts.refusals, *doubts.warnings):
                yield f"{file.label(index)}: {doubt}"
        elif for_edits:
            reason = "; ".join(doubts.refusals)
            yield f"{place}; left as it is: {reason or f'--face {number} chooses it'}"


def _doubts_of_aligned(file: "PhotoFile[SeenPhoto]") -> Iterator[str]:
    """Whether what is said to be a face that is cut looks like a whole photo."""
    from twobirds.data.images import is_like_a_photo

    cut_from, size = file.photo.photo.cut_from, file.photo.model.size
    if cut_from is not None and is_like_a_photo(*cut_from, size):
        yield (
            f"{file.path}: its {cut_from[1]}x{cut_from[0]} pixels are taken for one aligned face, "
            f"cropped to the middle and resized to {size}x{size}: a photo goes without --aligned"
        )


def notes_of_edit(
    file: "PhotoFile",
    edits: "FaceEdits",
    faces: "Sequence[EditedFace]",
    changes: Mapping[str, float],
) -> Iterator[str]:
    """What was there already, and how far each face has changed.

    Args:
        file: The photo, with the faces that were edited.
        edits: What was done.
        faces: What became of each.
        changes: What was asked for.
    """
    yield from _unchanged(file, changes)
    if edits.search is not None:
        yield from _found_strengths(edits.search, file.labels)
    if edits.search is None or file.photo.protected is not None:
        yield from _recognized(file.labels, faces, changes)


def _found_strengths(search: "Edited", labels: Sequence[str]) -> Iterator[str]:
    """How strong each edit became, and why no stronger."""
    for i, (label, reason) in enumerate(zip(labels, search.reasons, strict=True)):
        strength, agreement = float(search.strength[i]), float(search.agreement[i])
        words = _NOT_EDITED if reason == "identity" and strength == 0 else _WORDS[reason]
        cost = "" if search.distance is None else f", distance {float(search.distance[i]):.2f}"
        yield f"{label}: strength {strength:g}, agreement {agreement:.2f}{cost}: {words}"


def _recognized(
    labels: Sequence[str], faces: "Sequence[EditedFace]", changes: Mapping[str, float]
) -> Iterator[str]:
    """What the recognizer makes of each change, before and after."""
    for label, face in zip(labels, faces, strict=True):
        before, after = face["before"], face["after"]
        moves = [
            f"{name} {before[name]:.2f} -> {after[name]:.2f}"
            + " (not reached)" * (abs(wanted - after[name]) > 0.5)
            for name, wanted in changes.items()
            if not is_there(wanted, before[name])
        ]
        if moves:
            yield f"{label}: recognized as {', '.join(moves)}"


def _unchanged(file: "PhotoFile", changes: Mapping[str, float]) -> Iterator[str]:
    """What each face is predicted to have already, which no edit changes."""
    columns = [file.photo.model.attributes.index(name) for name in changes]
    rows = file.photo.attributes[list(file.indices)][:, columns].tolist()
    for label, row in zip(file.labels, rows, strict=True):
        there = [
            f"{name}={value:g} is there already, predicted as {p:.2f}"
            for (name, value), p in zip(changes.items(), row, strict=True)
            if is_there(value, p)
        ]
        if there:
            yield f"{label}: {', '.join(there)}; not edited"
