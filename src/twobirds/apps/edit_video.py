"""The command that edits, on a video."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from twobirds.apps.display import note, note_all, say, say_json
from twobirds.apps.mask import Mask
from twobirds.apps.options import load_model
from twobirds.apps.photo_files import open_session
from twobirds.apps.progress import progress_bars
from twobirds.apps.results import EditedVideo, FaceOfVideo
from twobirds.errors import InputError, missing_extra

if TYPE_CHECKING:
    from twobirds.apps.edit_command import Edit
    from twobirds.apps.reference_options import Reference
    from twobirds.photos import EditRequest, PhotoSession
    from twobirds.photos.video import Video
    from twobirds.photos.video_edit import SteadyEdit
    from twobirds.photos.video_faces import VideoFaces

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
    from twobirds.photos import Marks
    from twobirds.photos.video_edit import write_edited_video
    from twobirds.photos.video_writer import require_sound_fits

    out = _output(command.out, path, force=command.force)
    video = Video(path)
    require_sound_fits(video, out.suffix)
    note_all(f"{path}: {line}" for line in video.facts.notes)
    mask = _mask(command, video)
    model = load_model(command.model, command.device)
    session = open_session(command, model)
    request = command.request(model, changes, reference)
    edits, result = _decide(command, video, session, request, out)
    marks = Marks("edited", request.details, command.visible_note, not command.no_metadata)
    with progress_bars("frames") as show:

        def on_frame(done: int) -> None:
            show("edit", done, result["num_frames"])

        protected = None if mask is None else mask.protected
        write_edited_video(out, video, edits, model, marks, on_frame, protected=protected)
    if command.json:
        say_json([result])
    else:
        say(str(out))
    return 0


def _mask(command: "Edit", video: "Video") -> Mask | None:
    """What is protected of every frame, which is noted."""
    if command.protect is None:
        return None
    mask = Mask.read(command.protect)
    height, width = video.facts.height, video.facts.width
    mask.require_size(height, width)
    if command.visible_note:
        from twobirds.photos.marks import Marks, with_note

        _, area = with_note(np.zeros((height, width, 3), np.uint8), Marks("edited").text)
        if mask.protected[area].any():
            raise InputError("the visible note would cover a protected part of the video")
    note(
        f"{video.path}: {mask.protected.mean():.1%} of each frame stays as it is, where "
        f"{mask.path} is white, but for the new encoding of the video"
    )
    return mask


def _decide(
    command: "Edit", video: "Video", session: "PhotoSession", request: "EditRequest", out: Path
) -> tuple[list["SteadyEdit"], EditedVideo]:
    """Follow the faces of a video, and decide what is done to each, or why it is left; note it."""
    from twobirds.photos.video_edit import decide
    from twobirds.photos.video_faces import MIN_FRAMES, choose_video_faces, find_video_faces

    with progress_bars("frames") as show:
        total = video.facts.num_frames
        found = find_video_faces(
            video, session, lambda done: show("find faces", done, max(done, total))
        )
    try:
        chosen = choose_video_faces(found.faces, "all" if command.face == "all" else None)
    except InputError as error:
        raise InputError(f"{video.path}: {error}") from error
    decisions: list[SteadyEdit | str] = []
    for face in found.faces:
        refusal = face.refusal or "--face all chooses it"
        decisions.append(decide(face, request) if face in chosen else refusal)
    faces = list(_results(found, decisions, session.model.attributes))
    note_all(_described(video, faces, found.num_frames))
    if found.num_brief:
        note(
            f"{video.path}: faces found in fewer than {MIN_FRAMES} frames, which stay as they are: "
            f"{found.num_brief}"
        )
    result = EditedVideo(
        video=str(video.path),
        output=str(out),
        num_frames=found.num_frames,
        changes=request.changes,
        faces=faces,
        num_brief_faces=found.num_brief,
    )
    return [decision for decision in decisions if not isinstance(decision, str)], result


def _described(video: "Video", faces: "Sequence[FaceOfVideo]", num_frames: int) -> Iterator[str]:
    """Where each face is, what it has of what is asked for, and the strength; or why it is left."""
    for face in faces:
        frames = f"frames {face['first_frame']} to {face['last_frame']} of {num_frames}"
        where = f"{video.path}: face {face['face']} is in {frames}; "
        if face["status"] == "left":
            yield f"{where}left as it is: {face['reason']}"
            continue
        predicted = [f"{name} predicted as {p:.2f}" for name, p in face["before"].items()]
        strength = f"; strength {face['strength']:g}" * (face["strength"] != 1.0)
        yield f"{where}{', '.join(predicted)}{strength}"


def _results(
    found: "VideoFaces", decisions: "Sequence[SteadyEdit | str]", names: Sequence[str]
) -> Iterator[FaceOfVideo]:
    """What becomes of each face, as it is printed in JSON."""
    for number, (face, decision) in enumerate(zip(found.faces, decisions, strict=True), 1):
        result = FaceOfVideo(
            face=number, first_frame=face.first, last_frame=face.last, status="edited"
        )
        if isinstance(decision, str):
            result["status"], result["reason"] = "left", decision
        else:
            result["strength"] = decision.request.strength
            result["before"] = _predicted(decision, names)
        yield result


def _predicted(edit: "SteadyEdit", names: Sequence[str]) -> dict[str, float]:
    """Probability of each attribute that is to change."""
    return {name: float(edit.probabilities[names.index(name)]) for name in edit.request.changes}


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
        "--c2pa-cert": command.c2pa_cert,
        "--c2pa-key": command.c2pa_key,
    }
    for name, value in others.items():
        if value:
            raise InputError(f"{name} is for photos, and {path} is a video: leave it out")
    if not path.is_file():
        raise InputError(f"{path}: cannot be read: it is no file")


def _output(out: Path | None, path: Path, *, force: bool) -> Path:
    """Where the video goes; `force` replaces an earlier one that nobody has named.

    Raises:
        InputError: If its name does not say which format it is, or it is the video itself, or an
            earlier one.
    """
    from twobirds.apps.pictures import require_new
    from twobirds.photos.video_writer import CONTAINERS

    if out is None or out.is_dir() or not out.suffix:
        suffix = path.suffix if path.suffix.lower() in CONTAINERS else ".mp4"
        out = (out or Path()) / f"{path.stem}.edited{suffix}"
        require_new([out], force=force)
    if out.suffix.lower() not in CONTAINERS:
        raise InputError(f"{out}: choose a name that ends in one of {', '.join(CONTAINERS)}")
    if out.resolve() == path.resolve() or (out.exists() and out.samefile(path)):
        raise InputError(f"{out} is the video itself: choose another --out")
    return out
