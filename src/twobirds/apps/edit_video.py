"""The command that edits, on a video."""

from pathlib import Path
from typing import TYPE_CHECKING

from twobirds.apps.display import note, note_all, say
from twobirds.apps.options import load_model
from twobirds.apps.photo_files import open_session
from twobirds.apps.progress import progress_bars
from twobirds.errors import InputError, missing_extra

if TYPE_CHECKING:
    from twobirds.api import FaceModel
    from twobirds.apps.edit_command import Edit
    from twobirds.apps.reference_options import Reference
    from twobirds.photos import EditRequest, PhotoSession
    from twobirds.photos.video import Video
    from twobirds.photos.video_edit import SteadyEdit

VIDEO_EXTENSIONS = (".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi")
"""Extensions, in lower case, of files that are taken for videos."""


def edit_video(
    command: "Edit", changes: dict[str, float], reference: "Reference | None" = None
) -> int:
    """Edit the video that a command names; returns the exit code.

    Args:
        command: The command.
        changes: What its `--set` says.
        reference: Whose values are taken besides.

    Raises:
        InputError: If an option does not go with a video, or the video cannot be edited.
    """
    path = next(path for path in command.images if path.suffix.lower() in VIDEO_EXTENSIONS)
    _check(command, path)
    try:
        from twobirds.photos.video import Video
    except ModuleNotFoundError as error:
        raise missing_extra("videos need", "video", error) from error
    from twobirds.photos import EditRequest, Marks
    from twobirds.photos.video_edit import write_edited_video
    from twobirds.photos.video_writer import require_sound_fits

    out = _output(command.out, path)
    video = Video(path)
    require_sound_fits(video, out.suffix)
    note_all(f"{path}: {line}" for line in video.facts.notes)
    model = load_model(command.model, command.device)
    session = open_session(command, model)
    if reference is not None:
        changes = reference.added_to(changes, command, model)
    request = EditRequest(changes, command.strength, command.limits(model))
    edits, num_frames = _decide(command, video, session, request)
    marks = Marks("edited", request.details, command.visible_note, not command.no_metadata)
    with progress_bars("frames") as show:
        write_edited_video(
            out, video, edits, model, marks, lambda done: show("edit", done, num_frames)
        )
    say(str(out))
    return 0


def _decide(
    command: "Edit", video: "Video", session: "PhotoSession", request: "EditRequest"
) -> tuple[list["SteadyEdit"], int]:
    """Follow the faces of a video, and decide what is done to each; also the number of frames."""
    from twobirds.photos.video_edit import decide
    from twobirds.photos.video_faces import choose_video_faces, find_video_faces

    with progress_bars("frames") as show:
        total = video.facts.num_frames
        found, count = find_video_faces(
            video, session, lambda done: show("find faces", done, max(done, total))
        )
    try:
        chosen = choose_video_faces(found, "all" if command.face == "all" else None)
    except InputError as error:
        raise InputError(f"{video.path}: {error}") from error
    edits = []
    for number, face in enumerate(found, 1):
        where = f"{video.path}: face {number} is in frames {face.first} to {face.last} of {count}"
        if face not in chosen:
            note(f"{where}; left as it is: {face.refusal or '--face all chooses it'}")
            continue
        edit = decide(face, request)
        edits.append(edit)
        note(f"{where}{_described(edit, session.model)}")
    return edits, count


def _described(edit: "SteadyEdit", model: "FaceModel") -> str:
    """What a face has of what is asked for, and the strength that was found."""
    predicted = [
        f"{name} predicted as {float(edit.probabilities[model.attributes.index(name)]):.2f}"
        for name in edit.request.changes
    ]
    strength = f"; strength {edit.request.strength:g}" * (edit.request.strength != 1.0)
    return f"; {', '.join(predicted)}{strength}"


def _check(command: "Edit", path: Path) -> None:
    """Refuse options that do not go with a video, before anything is loaded."""
    if len(command.images) > 1:
        raise InputError(f"{path} is a video, which goes alone: give one video, or photos")
    if isinstance(command.face, int):
        raise InputError(f"--face {command.face} is for photos: leave it out, or take --face all")
    others = {
        "--aligned": command.aligned,
        "--refine": command.refine,
        "--layers": command.layers,
        "--protect": command.protect,
        "--json": command.json,
        "--c2pa-cert": command.c2pa_cert,
        "--c2pa-key": command.c2pa_key,
    }
    for name, value in others.items():
        if value:
            raise InputError(f"{name} is for photos, and {path} is a video: leave it out")
    if not path.is_file():
        raise InputError(f"{path}: cannot be read: it is no file")


def _output(out: Path | None, path: Path) -> Path:
    """Where the video goes.

    Raises:
        InputError: If its name does not say which format it is, or it is the video itself.
    """
    from twobirds.photos.video_writer import CONTAINERS

    if out is None or out.is_dir() or not out.suffix:
        suffix = path.suffix if path.suffix.lower() in CONTAINERS else ".mp4"
        out = (out or Path()) / f"{path.stem}.edited{suffix}"
    if out.suffix.lower() not in CONTAINERS:
        raise InputError(f"{out}: choose a name that ends in one of {', '.join(CONTAINERS)}")
    if out.resolve() == path.resolve() or (out.exists() and out.samefile(path)):
        raise InputError(f"{out} is the video itself: choose another --out")
    return out
