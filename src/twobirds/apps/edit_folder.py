"""The command that edits, on the photos of a folder."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twobirds import __version__
from twobirds.apps.credential_options import credentials_note, signer_of
from twobirds.apps.display import note, note_all, say
from twobirds.apps.notes import conflicts, notes_of_edit, notes_of_faces
from twobirds.apps.options import load_model
from twobirds.apps.photo_files import (
    choose_faces,
    open_session,
    require_encoders,
)
from twobirds.apps.progress import progress_bars
from twobirds.errors import InputError

if TYPE_CHECKING:
    from twobirds.api import FaceModel
    from twobirds.apps.edit_command import Edit
    from twobirds.apps.reference_options import Reference
    from twobirds.photos import EditRequest, FaceEdits, OpenPhoto
    from twobirds.photos.credentials import CredentialSigner
    from twobirds.photos.edit_log import EditLog
    from twobirds.photos.folder import FolderPhoto
    from twobirds.photos.folder_edit import FolderEdit, Outcome

SOME_REFUSED = 5
"""The exit code where photos were refused."""


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
    from twobirds.photos import EditRequest, Marks
    from twobirds.photos.edit_log import EditLog
    from twobirds.photos.folder import list_photos
    from twobirds.photos.folder_edit import FolderEdit

    folder, out = _folders(command)
    found = list_photos(folder, out, as_png=command.aligned)
    if found.others:
        listed = ", ".join(f"{n} {name}" for name, n in sorted(found.others.items()))
        note(f"{folder}: files that are no photos are left alone: {listed}")
    require_encoders([photo.output for photo in found.photos])
    signer = signer_of(command)
    model = load_model(command.model, command.device)
    session = open_session(command, model)
    if reference is not None:
        changes = reference.added_to(changes, command, model)
    request = EditRequest(changes, command.strength, command.limits(model), command.refine)
    _rehearse(model, request)
    note_all(conflicts(changes))
    marks = Marks("edited", request.details, command.visible_note, not command.no_metadata, signer)
    job = FolderEdit(session, _Editing(command, request, signer), marks, command.aligned)
    with EditLog.opened(out, _description(command, model, changes)) as log:
        outcomes = _run(found.photos, job, log)
    return _summarize(outcomes, log)


class _Editing:
    """The edit of each photo of a folder; see `EditPhoto`."""

    def __init__(
        self, command: "Edit", request: "EditRequest", signer: "CredentialSigner | None"
    ) -> None:
        self._command, self._request, self._signer = command, request, signer

    def __call__(self, name: str, photo: "OpenPhoto") -> tuple["FaceEdits", list[str]]:
        """Choose faces and edit them."""
        file = choose_faces(self._command, Path(name), photo, for_edits=True)
        edits = photo.edit(self._request, file.indices)
        notes = notes_of_edit(file, edits, self._request.changes)
        line = credentials_note(photo.data, self._signer)
        of_file = [] if line is None else [f"{name}: {line}"]
        return edits, [*of_file, *notes_of_faces(file, for_edits=True), *notes]


def _folders(command: "Edit") -> tuple[Path, Path]:
    """The folder of photos and that of the results."""
    folder = next(path for path in command.images if path.is_dir())
    if len(command.images) > 1:
        raise InputError(f"{folder} is a folder, which goes alone: name one folder, or files")
    if command.out is None:
        raise InputError(f"{folder} is a folder: name another one for its results with --out")
    for name, value in (
        ("--layers", command.layers),
        ("--protect", command.protect),
        ("--json", command.json),
    ):
        if value:
            raise InputError(f"{name} is for single photos, and {folder} is a folder: leave it out")
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
        "c2pa_certificate_sha256": command.c2pa_cert,
    }
    return {
        "changes": dict(sorted(changes.items())),
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


def _summarize(outcomes: list["Outcome"], log: "EditLog") -> int:
    """Say what was refused and how many photos became what; returns the exit code."""
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
    say(str(log.path))
    return SOME_REFUSED if refused else 0
