"""The faces of a video: where each is in every frame, and what its attributes are."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import numpy as np

from twobirds.api import EncodedFaces
from twobirds.errors import InputError
from twobirds.photos.align import cut_face, place
from twobirds.photos.faces import Face, doubts_about, plausibility
from twobirds.photos.session import PhotoSession
from twobirds.photos.template import Template, template_of
from twobirds.photos.tracks import FaceTracker, Track, apart_in_time, steady
from twobirds.photos.video import Video

OnFrame = Callable[[int], None]
"""Called with the number of frames that are done."""
_SIDE = 1280  # pixels of the longest side, at which faces are looked for
MIN_FRAMES = 5
"""In which a face is found, or it counts as none."""
_MAX_SAMPLES = 16  # pictures of a face, from which its attributes are predicted
_LANDMARK_SIGMA = 2.0  # frames


@dataclass(frozen=True, eq=False)
class FaceInVideo:
    """A face that is followed through a video."""

    landmarks: dict[int, np.ndarray]
    """`[5, 2]` (x, y) by frame, smoothed, in the video's pixels."""
    samples: EncodedFaces
    """The face as the model sees it, in several frames."""
    refusal: str | None
    """Why it is hopeless in most of them."""
    importance: float
    """How plausible it is that the video is about it."""
    track: Track

    @property
    def first(self) -> int:
        """The first frame that shows it."""
        return self.track.first

    @property
    def last(self) -> int:
        """The last frame."""
        return self.track.last


class VideoFaces(NamedTuple):
    """What is found in a video."""

    faces: list[FaceInVideo]
    """In the order in which they come into view."""
    num_frames: int
    num_brief: int
    """Faces found in fewer than `MIN_FRAMES` frames, which count as none."""


def find_video_faces(video: Video, session: PhotoSession, on_frame: OnFrame) -> VideoFaces:
    """Go through a video once and follow its faces; only landmarks and some crops are kept.

    Args:
        video: The video.
        session: Whose detector looks, and whose model they are for.
        on_frame: Called with the number of frames that are done.

    Raises:
        InputError: If the video is damaged.
    """
    assert session.detector is not None
    tracker, template = FaceTracker(session.detector), template_of(session.model)
    sampled: dict[int, _Samples] = {}
    scale, count = 1.0, 0
    for number, frame in enumerate(video.frames(max_side=_SIDE)):
        scale = video.facts.width / frame.pixels.shape[1]
        for track in tracker.add(number, frame.pixels):
            samples = sampled.setdefault(id(track), _Samples(template, session.model.size, scale))
            samples.add(number, frame.pixels, track)
        count = number + 1
        on_frame(count)
    middle = np.array([video.facts.width, video.facts.height]) / 2 / scale
    tracks = [t for t in tracker.tracks if len(t.landmarks) >= min(MIN_FRAMES, count)]
    faces = [_face(track, sampled[id(track)], session, middle) for track in tracks]
    faces.sort(key=lambda face: face.first)
    return VideoFaces(faces, count, len(tracker.tracks) - len(tracks))


def choose_video_faces(
    faces: Sequence[FaceInVideo], choice: Literal["all"] | None
) -> list[FaceInVideo]:
    """Choose the faces to be edited.

    Args:
        faces: Of a video.
        choice: All, or None: at each time the most plausible one.

    Raises:
        InputError: If there is none that can be edited.
    """
    if not faces:
        raise InputError("no face is found in any frame")
    usable = [face for face in faces if face.refusal is None]
    if not usable:
        best = max(faces, key=lambda face: face.importance)
        raise InputError(f"no face can be edited: of the most plausible one, {best.refusal}")
    if choice == "all":
        return usable
    by_track = {id(face.track): face for face in usable}
    importance = {key: face.importance for key, face in by_track.items()}
    chosen = apart_in_time([face.track for face in usable], importance)
    return sorted((by_track[id(track)] for track in chosen), key=lambda face: face.first)


def _face(
    track: Track, samples: "_Samples", session: PhotoSession, middle: np.ndarray
) -> FaceInVideo:
    landmarks = steady(track, _LANDMARK_SIGMA)
    crops = np.stack(list(samples.crops.values()))
    refusals = [reason for reason in samples.refusals.values() if reason is not None]
    importance = sum(
        plausibility(_as_face(points, track.scores[frame]), middle)
        for frame, points in track.landmarks.items()
    )
    return FaceInVideo(
        {frame: points * samples.scale for frame, points in landmarks.items()},
        session.model.encode_faces(crops),
        refusals[0] if len(refusals) > len(crops) / 2 else None,
        importance,
        track,
    )


@dataclass(eq=False)
class _Samples:
    """Crops of a face at regular intervals, which double as there are more."""

    template: Template
    size: int
    scale: float
    """Pixels of the video for one of the pictures that are looked at."""
    crops: dict[int, np.ndarray] = field(default_factory=dict)
    """`[S, S, 3]` uint8 by frame."""
    refusals: dict[int, str | None] = field(default_factory=dict)
    """What speaks against an edit, by frame."""
    stride: int = 1

    def add(self, number: int, pixels: np.ndarray, track: Track) -> None:
        """Take a crop, if it is time for one."""
        if number % self.stride and self.crops:
            return
        landmarks = track.landmarks[number]
        crop = cut_face(pixels, place(landmarks, self.template, self.size))
        left, right = np.array(self.template[:2]) * self.size
        face = _as_face(landmarks * self.scale, track.scores[number])
        doubts = doubts_about(face, crop, float(np.linalg.norm(right - left)))
        self.crops[number] = crop
        self.refusals[number] = "; ".join(doubts.refusals) or None
        if len(self.crops) > _MAX_SAMPLES:
            self.stride *= 2
            for other in list(self.crops)[1::2]:
                del self.crops[other], self.refusals[other]


def _as_face(landmarks: np.ndarray, score: float) -> Face:
    (left, top), (right, bottom) = landmarks.min(axis=0), landmarks.max(axis=0)
    return Face((left, top, right - left, bottom - top), landmarks, score)
