"""Videos edited: the change of each face is decided once, and applied steadily to every frame."""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from twobirds.api import FaceModel
from twobirds.api.encoded import encode_faces
from twobirds.atomic import remove_unfinished, write_atomically
from twobirds.data.faces import to_images
from twobirds.photos.align import Placement, cut_face, place
from twobirds.photos.edits import EditRequest, FaceEdit, edit_faces, mean_edit
from twobirds.photos.marks import Marks
from twobirds.photos.protection import restore
from twobirds.photos.template import template_of
from twobirds.photos.video import Frame, Video
from twobirds.photos.video_faces import FaceInVideo, OnFrame
from twobirds.photos.video_writer import VideoWriter

_SIGMA = 1.5  # frames: of the Gaussian over time by which edits are averaged
_REACH = 4  # frames before and after one that take part


@dataclass(frozen=True, eq=False)
class SteadyEdit:
    """What is done to a face in every frame."""

    face: FaceInVideo
    request: EditRequest
    """With the strength that holds for all frames."""
    probabilities: Tensor
    """`[K]` float32 in [0, 1]: its attributes, as predicted from several frames."""


def decide(face: FaceInVideo, request: EditRequest) -> SteadyEdit:
    """Decide once what is done to a face: its attributes are means over several frames.

    Where the strength is searched for, it is the median of those found for the frames.

    Raises:
        InputError: As `FaceModel.edit` and `FaceModel.edit_until`.
    """
    probabilities = face.samples.attributes.mean(dim=0)
    if request.limits is None:
        return SteadyEdit(face, request, probabilities)
    samples = face.samples.with_attributes(probabilities)
    strengths = samples.edit_until(request.changes, request.limits).strength
    found = replace(request, limits=None, strength=float(strengths.median()))
    return SteadyEdit(face, found, probabilities)


def write_edited_video(
    path: Path,
    video: Video,
    edits: Sequence[SteadyEdit],
    model: FaceModel,
    marks: Marks,
    on_frame: OnFrame,
    *,
    protected: np.ndarray | None = None,
) -> None:
    """Go through a video again, edit its faces and write it, whole or not at all.

    What a kill has left of an earlier attempt is removed.

    Args:
        path: The new file.
        video: The video.
        edits: What is done to its faces.
        model: Which edits.
        marks: How the video is marked as synthetic.
        on_frame: Called with the number of frames that are done.
        protected: `[H, W]` bool: what no edit changes, though the new encoding does a little.

    Raises:
        InputError: If the video is damaged, or its sound does not fit into the new format.
        OSError: If the file cannot be written.
    """
    provenance = marks.provenance(model)

    def write(file: Any) -> None:
        comment = None if provenance is None else provenance.sentence
        writer = VideoWriter(file, path.suffix, video, comment)
        frames = video.frames(on_packet=writer.copy)
        edited = edited_frames(frames, edits, model, protected=protected)
        for number, (frame, pixels) in enumerate(edited, 1):
            writer.write(frame, marks.shown_on(pixels))
            on_frame(number)
        writer.close()

    remove_unfinished(path)
    write_atomically(path, write)


def edited_frames(
    frames: Iterator[Frame],
    edits: Sequence[SteadyEdit],
    model: FaceModel,
    *,
    protected: np.ndarray | None = None,
) -> Iterator[tuple[Frame, np.ndarray]]:
    """Edit frames one after the other; a few before and after each are in memory.

    Args:
        frames: Of a video, from the first.
        edits: What is done to its faces.
        model: Which edits.
        protected: `[H, W]` bool: what no edit changes.

    Yields:
        Each frame, and its pixels `[H, W, 3]` uint8 after the edits.
    """
    window: deque[_EditedFrame] = deque()
    position = 0  # of the frame in the window that is finished next
    for number, frame in enumerate(frames):
        window.append(_edit(number, frame, edits, model))
        if len(window) - position > _REACH:
            yield _finished(window, position, protected)
            position += 1
        if position > _REACH:
            window.popleft()
            position -= 1
    for place_in_window in range(position, len(window)):
        yield _finished(window, place_in_window, protected)


@dataclass(frozen=True, eq=False)
class _EditedFrame:
    """A frame with the edits of its faces, which are not applied yet."""

    frame: Frame
    placements: dict[int, Placement] = field(default_factory=dict)
    """By the number of the edit."""
    crops: dict[int, np.ndarray] = field(default_factory=dict)
    """`[S, S, 3]` uint8: the faces, by the number of the edit."""
    edits: dict[int, FaceEdit] = field(default_factory=dict)
    """By the number of the edit."""


def _edit(number: int, frame: Frame, edits: Sequence[SteadyEdit], model: FaceModel) -> _EditedFrame:
    made = _EditedFrame(frame)
    for index, edit in enumerate(edits):
        landmarks = edit.face.landmarks.get(number)
        if landmarks is None:
            continue
        placement = place(landmarks, template_of(model), model.size)
        crop = cut_face(frame.pixels, placement)
        face = to_images(crop[None], model.size)
        encoded = encode_faces(model.networks, face, model.attributes, edit.probabilities)
        made.placements[index], made.crops[index] = placement, crop
        made.edits[index] = edit_faces(encoded, (0,), edit.request).by_index[0]
    return made


def _finished(
    window: Sequence[_EditedFrame], position: int, protected: np.ndarray | None
) -> tuple[Frame, np.ndarray]:
    """Apply to a frame the mean of its edits and of those around it."""
    made = window[position]
    pixels = made.frame.pixels
    for index, placement in made.placements.items():
        near = range(max(0, position - _REACH), min(len(window), position + _REACH + 1))
        places = [i for i in near if index in window[i].edits]
        weights = torch.exp(-(((torch.tensor(places) - position) / _SIGMA) ** 2) / 2)
        edit = mean_edit([window[i].edits[index] for i in places], weights / weights.sum())
        crop = made.crops[index] if pixels is made.frame.pixels else None  # not of an edited one
        edited = edit.apply(pixels, placement, crop).laid_on(pixels)
        pixels = edited if protected is None else restore(pixels, edited, protected, placement)
    return made.frame, pixels
