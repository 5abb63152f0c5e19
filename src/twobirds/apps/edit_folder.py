"""The command that edits, on the photos of a folder."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from twobirds import __version__
from twobirds.apps.credential_options import credentials_note, signer_of
from twobirds.apps.display import note, note_all, say, say_json
from twobirds.apps.mask import Mask
from twobirds.apps.notes import notes_of_edit, notes_of_faces
from twobirds.apps.options import load_model
from twobirds.apps.photo_files import (
    SOME_REFUSED,
    choose_faces,
    open_session,
    require_encoders,
)
from twobirds.apps.progress import progress_bars
from twobirds.apps.results import EditedFace, EditedOfFolder, edited_faces
from twobirds.data.attributes import Degree
from twobirds.errors import InputError

if TYPE_CHECKING:
    from twobirds.api import FaceModel
    from twobirds.apps.edit_command import Edit
    from twobirds.apps.reference_options import Reference
    from twobirds.photos import EditRequest, OpenPhoto
    from twobirds.photos.credentials import CredentialSigner
    from twobirds.photos.edit_log import EditLog, LogEntry
    from twobirds.photos.folder import FolderPhoto
    from twobirds.photos.folder_edit import FolderEdit, Outcome, PhotoEdits


def edit_folder(
    command: "Edit", changes: dict[str, float], reference: "Reference | None" = None
) -> int:
    """Edit the photos of the folder that a command names; returns the exit code.

    Args:
        command: The command.
        changes: What its `--set` says.
        reference: Whose values are taken besides.

    Raises:
        InputError: If an option does not go with a folder, two results would have one name, or
            results of another edit are there.
    """
    from twobirds.photos import Marks
    from twobirds.photos.edit_log import EditLog
    from twobirds.photos.folder import list_photos, name_edits
    from twobirds.photos.folder_edit import FolderEdit

    folder, out = _folders(command)
    listing = list_photos(folder)
    note_all(listing.left_out())
    mask = None if command.protect is None else Mask.read(command.protect)
    photos = name_edits(listing, out, as_png=command.aligned or mask is not None)
    require_encoders([photo.output for photo in photos])
    signer = signer_of(command)
    model = load_model(command.model, command.device)
    session = open_session(command, model)
    request = command.request(model, changes, reference)
    _rehearse(model, request)
    marks = Marks("edited", request.details, command.visible_note, not command.no_metadata, signer)
    job = FolderEdit(session, _Editing(command, request, signer, mask), marks, command.aligned)
    with EditLog.opened(out, _description(command, model, request.changes)) as log:
        outcomes = _run(photos, job, log)
    _summarize(outcomes, log)
    if command.json:
        say_json([_result(outcome.entry, folder, out, request.changes) for outcome in outcomes])
    else:
        say(str(log.path))
    return SOME_REFUSED if any(o.entry.status == "refused" for o in outcomes) else 0


class _Editing:
    """The edit of each photo of a folder; see `EditPhoto`."""

    def __init__(
        self,
        command: "Edit",
        request: "EditRequest",
        signer: "CredentialSigner | None",
        mask: Mask | None,
    ) -> None:
        self._command, self._request, self._signer, self._mask = command, request, signer, mask

    def __call__(self, name: str, photo: "OpenPhoto") -> "PhotoEdits":
        """Choose faces and edit them."""
        from twobirds.photos.folder_edit import PhotoEdits

        file = choose_faces(self._command, Path(name), photo, for_edits=True)
        notes = [*notes_of_faces(file, for_edits=True)]
        if self._mask is not None:
            file = self._mask.protect(file)
            notes.append(self._mask.note(file))
        line = credentials_note(photo.data, self._signer)
        if line is not None:
            notes.append(f"{name}: {line}")
        edits = file.photo.edit(self._request, file.indices)
        faces = list(edited_faces(file, edits, self._request))
        notes += notes_of_edit(file, edits, faces, self._request.changes)
        return PhotoEdits(file.photo, edits, faces, notes)


def _folders(command: "Edit") -> tuple[Path, Path]:
    """The folder of photos and that of the results."""
    folder = next(path for path in command.images if path.is_dir())
    if len(command.images) > 1:
        raise InputError(f"{folder} is a folder, which goes alone: name one folder, or files")
    if command.out is None:
        raise InputError(f"{folder} is a folder: name another one for its results with --out")
    if command.force:
        raise InputError(
            f"--force is for single photos, and {folder} is a folder, whose results are never "
            "replaced: name another --out"
        )
    if command.layers is not None:
        raise InputError(f"--layers is for single photos, and {folder} is a folder: leave it out")
    if command.protect is not None and folder.resolve() in command.protect.resolve().parents:
        raise InputError(
            f"--protect {command.protect} lies in {folder} and would be edited as one of its "
            "photos: move it elsewhere"
        )
    return folder, command.out


def _rehearse(model: "FaceModel", request: "EditRequest") -> None:
    """Try an edit on a grey face, so that what no photo would take is refused at once."""
    import dataclasses

    import torch

    from twobirds.photos.edits import edit_faces

    grey = torch.zeros(1, 3, model.size, model.size)
    short = dataclasses.replace(request, refine_steps=min(request.refine_steps, 1))
    edit_faces(model.encode_faces(grey), (0,), short)


def _description(
    command: "Edit", model: "FaceModel", changes: Mapping[str, float]
) -> dict[str, Any]:
    """All on which the bytes of the results depend, as JSON takes it."""
    from twobirds.data.pack import hash_file

    files = {
        "embedder_sha256": command.embedder,
        "detector_sha256": command.detector,
        "protect_sha256": command.protect,
        "c2pa_certificate_sha256": command.c2pa_cert,
    }
    return {
        "changes": dict(sorted(changes.items())),
        "degrees": sorted(name for name, x in changes.items() if isinstance(x, Degree)),
        "strength": command.strength,
        "until": command.until,
        "max_identity_distance": command.max_identity_distance,
        "refine_steps": command.refine,
        "face": command.face,
        "aligned": command.aligned,
        "visible_note": command.visible_note,
        "metadata": not command.no_metadata,
        **{name: path and hash_file(path) for name, path in files.items()},
        "model": model.name,
        "weights_sha256": model.weights_sha256,
        "twobirds": __version__,
    }


def _run(photos: tuple["FolderPhoto", ...], job: "FolderEdit", log: "EditLog") -> list["Outcome"]:
    """Edit the photos, with a bar for progress."""
    from twobirds.photos.folder_edit import edit_photos

    outcomes: list[Outcome] = []
    with progress_bars("photos") as show:
        show("edit", 0, len(photos))
        try:
            for outcome in edit_photos(photos, job, log):
                outcomes.append(outcome)
                show("edit", len(outcomes), len(photos))
        except (KeyboardInterrupt, SystemExit):
            note(f"stopped after {len(outcomes)} of {len(photos)} photos: the same command goes on")
            raise
    return outcomes


def _result(
    entry: "LogEntry", folder: Path, out: Path, changes: Mapping[str, float]
) -> EditedOfFolder:
    """What became of a photo, as it is printed in JSON."""
    result = EditedOfFolder(image=str(folder / entry.photo), status=entry.status)
    if entry.status == "refused":
        result["reason"] = entry.reason or ""
        return result
    result["output"], result["changes"] = str(out / (entry.output or "")), changes
    result["faces"] = [cast(EditedFace, face) for face in entry.faces]
    return result


def _summarize(outcomes: list["Outcome"], log: "EditLog") -> None:
    """Say what was refused and how many photos became what."""
    refused = [outcome.entry for outcome in outcomes if outcome.entry.status == "refused"]
    note_all(f"{entry.photo}: refused: {entry.reason}" for entry in refused)
    counts = Counter(outcome.entry.status for outcome in outcomes)
    parts = [f"{counts['edited']} edited"]
    parts += [f"{counts['unchanged']} copied, for no pixel changes"] * bool(counts["unchanged"])
    parts += [f"{counts['refused']} refused"]
    there = sum(not outcome.is_new for outcome in outcomes)
    before = f" ({there} of them before)" * bool(there)
    gone = len(log.entries.keys() - {outcome.entry.photo for outcome in outcomes})
    if gone:
        note(f"{gone} earlier results are of photos that are in the folder no more")
    note(f"{len(outcomes)} photos: {', '.join(parts)}{before}; each by name in {log.path}")
