"""Faces followed from frame to frame of a video."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import numpy as np

from twobirds.photos.align import cut_face, place
from twobirds.photos.faces import Detector, Face, find_faces
from twobirds.photos.template import CELEBA_TIGHT

DETECTION_INTERVAL = 10
"""Frames from one search of the whole picture to the next."""
_MIN_SCORE = 0.75  # to go on with a face, as to find one
_MAX_STEP = 1.0  # eye distances that a face moves from where it is expected
_MAX_SCALING = 1.4  # of the eye distance from a frame to the next
_SAME_FACE = 0.7  # eye distances between the centres of two detections of one face
_LOOK_SIZE = 24  # pixels a side, in which a face is compared with itself in another frame
_SAME_LOOK = 0.8  # least correlation of a face's pixels from a frame to the next (ADR 29)


@runtime_checkable
class Follower(Protocol):
    """A detector that can also look where faces were."""

    def follow(self, pixels: np.ndarray, landmarks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Landmarks of faces that moved a little.

        Args:
            pixels: `[H, W, 3]` uint8 RGB.
            landmarks: `[N, 5, 2]`: about where they are.

        Returns:
            `[N, 5, 2]`; `[N]`: the certainty of each, in [0, 1].
        """
        ...


@dataclass(eq=False)
class Track:
    """A face in the frames of a video in which it was found."""

    first: int
    """The first frame."""
    last: int
    """The last frame."""
    landmarks: dict[int, np.ndarray] = field(default_factory=dict)
    """`[5, 2]` (x, y) by frame."""
    scores: dict[int, float] = field(default_factory=dict)
    """By frame."""
    looks: dict[int, np.ndarray] = field(default_factory=dict)
    """`[S, S, 3]` uint8: the aligned face in the first and in the last frame, small."""

    def add(
        self, frame: int, landmarks: np.ndarray, score: float, look: np.ndarray | None = None
    ) -> None:
        """Note where the face is in a frame, and what it looks like there."""
        self.landmarks[frame], self.scores[frame] = landmarks, score
        self.first, self.last = min(self.first, frame), max(self.last, frame)
        if look is not None:
            looks = {**self.looks, frame: look}
            self.looks = {n: looks[n] for n in (self.first, self.last) if n in looks}

    def is_like(self, frame: int, look: np.ndarray) -> bool:
        """Whether a face in a frame looks like this one in the nearest frame that is known.

        At a cut another person may be in the same place.
        """
        known = self.looks.get(self.last if frame > self.last else self.first)
        return known is None or correlation(known, look) >= _SAME_LOOK

    def expected(self, frame: int, step: int) -> np.ndarray:
        """Where the face should be in a frame, from those before it (`step` 1) or after it (-1)."""
        here = self.landmarks[frame - step]
        before = self.landmarks.get(frame - 2 * step)
        return here if before is None else 2 * here - before


class FaceTracker:
    """Finds and follows the faces of a video, frame by frame.

    A search of the whole picture every `DETECTION_INTERVAL` frames, and wherever a face is lost,
    finds faces; in between they are followed, forward and back to where they came into view. A face
    that looks unlike itself in the frame before, as after a cut, is another one.

    Args:
        detector: Which finds faces; one that cannot follow them searches every frame.
    """

    def __init__(self, detector: Detector) -> None:
        self._detector = detector
        self._follower = detector if isinstance(detector, Follower) else None
        self._active: list[Track] = []
        self._recent: deque[tuple[int, np.ndarray]] = deque(maxlen=DETECTION_INTERVAL)
        self.tracks: list[Track] = []

    def add(self, frame: int, pixels: np.ndarray) -> list[Track]:
        """Look at the next frame.

        Args:
            frame: Its number.
            pixels: `[H, W, 3]` uint8 RGB.

        Returns:
            The tracks of the faces in it.
        """
        before = [track for track in self._active if track.last == frame - 1]
        self._follow(before, frame, pixels, step=1)
        is_lost = any(track.last < frame for track in before)
        if self._follower is None or is_lost or frame % DETECTION_INTERVAL == 0:
            for face in find_faces(self._detector, pixels):
                self._match(face, frame, pixels)
        self._active = [t for t in self._active if frame - t.last < DETECTION_INTERVAL]
        self._recent.append((frame, pixels))
        return [track for track in self._active if track.last == frame]

    def _match(self, face: Face, frame: int, pixels: np.ndarray) -> None:
        """Give a detected face to the track that it belongs to, or to a new one."""
        look = _look(pixels, face.landmarks)
        near = [
            track
            for track in self._active
            if _gap(track.landmarks[track.last], face.landmarks) < _SAME_FACE
        ]
        if any(track.last == frame for track in near):
            return
        for track in near:
            if track.is_like(frame, look):
                track.add(frame, face.landmarks, face.score, look)
                return
        track = Track(frame, frame)
        track.add(frame, face.landmarks, face.score, look)
        self.tracks.append(track)
        self._active.append(track)
        for earlier, earlier_pixels in reversed(self._recent):
            self._follow([track], earlier, earlier_pixels, step=-1)
            if earlier not in track.landmarks:
                break

    def _follow(
        self, tracks: Sequence[Track], frame: int, pixels: np.ndarray, *, step: int
    ) -> None:
        """Look for faces in a frame near where they are expected."""
        if self._follower is None or not tracks:
            return
        expected = np.stack([track.expected(frame, step) for track in tracks])
        found, scores = self._follower.follow(pixels, expected)
        for track, old, new, score in zip(tracks, expected, found, scores, strict=True):
            others = (t.landmarks.get(frame) for t in self._active if t is not track)
            is_taken = any(o is not None and _gap(o, new) < _SAME_FACE for o in others)
            if score < _MIN_SCORE or is_taken or not _is_near(old, new):
                continue
            look = _look(pixels, new)
            if track.is_like(frame, look):
                track.add(frame, new, float(score), look)


def steady(track: Track, sigma: float) -> dict[int, np.ndarray]:
    """Landmarks of every frame of a track, smoothed by a Gaussian over time.

    A frame in which the face was lost is filled in from those around it. Steady motion stays as it
    is, also at both ends.

    Args:
        track: The track.
        sigma: Standard deviation of the Gaussian, in frames.

    Returns:
        `[5, 2]` by frame.
    """
    known = sorted(track.landmarks)
    values = np.stack([track.landmarks[frame] for frame in known]).reshape(len(known), 10)
    frames = np.arange(known[0], known[-1] + 1)
    filled = np.stack([np.interp(frames, known, column) for column in values.T], axis=1)  # [T, 10]
    reach = min(round(3 * sigma), len(frames) - 1)
    weights = np.exp(-((np.arange(-reach, reach + 1) / sigma) ** 2) / 2)
    padded = np.pad(filled, ((reach, reach), (0, 0)), mode="reflect", reflect_type="odd")
    smooth = [np.convolve(column, weights / weights.sum(), "valid") for column in padded.T]
    points = np.stack(smooth, axis=1).reshape(-1, 5, 2)
    return dict(zip(frames.tolist(), points, strict=True))


def apart_in_time(tracks: Iterable[Track], importance: dict[int, float]) -> Iterator[Track]:
    """The most important tracks of which no two share a frame.

    Args:
        tracks: The tracks.
        importance: Of each, by its `id`.
    """
    taken: list[Track] = []
    for track in sorted(tracks, key=lambda track: -importance[id(track)]):
        if all(track.last < other.first or other.last < track.first for other in taken):
            taken.append(track)
            yield track


def correlation(one: np.ndarray, two: np.ndarray) -> float:
    """Pearson's correlation of the samples of two images, which brightness and contrast leave.

    Args:
        one: Of any shape.
        two: Of the same shape.

    Returns:
        In [-1, 1]; 1 of two images of a single level each, 0 if only one of them is.
    """
    a, b = (image - image.mean(dtype=np.float64) for image in (one, two))
    spreads = float(np.linalg.norm(a)), float(np.linalg.norm(b))
    if not all(spreads):
        return float(spreads[0] == spreads[1])
    return float((a * b).sum() / (spreads[0] * spreads[1]))


def _look(pixels: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
    """A face `[S, S, 3]` uint8, aligned and small."""
    return cut_face(pixels, place(landmarks, CELEBA_TIGHT, _LOOK_SIZE))


def _gap(one: np.ndarray, two: np.ndarray) -> float:
    """Distance of the centres of two faces, in eye distances of the smaller one."""
    eyes = min(_eyes(one), _eyes(two))
    return float(np.linalg.norm(one.mean(axis=0) - two.mean(axis=0)) / max(eyes, 1e-6))


def _is_near(old: np.ndarray, new: np.ndarray) -> bool:
    """Whether landmarks can be the same face in the next frame."""
    scaling = _eyes(new) / max(_eyes(old), 1e-6)
    return _gap(old, new) < _MAX_STEP and 1 / _MAX_SCALING < scaling < _MAX_SCALING


def _eyes(landmarks: np.ndarray) -> float:
    return float(np.linalg.norm(landmarks[1] - landmarks[0]))
