"""Faces found in a photo, and what speaks against editing one."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

_SAME = 0.5  # share of the smaller box in the other, from which two detections are one face
_DOUBTFUL_SCORE = 0.85
_MAX_TURN, _DOUBTFUL_TURN = 0.7, 0.35


@dataclass(frozen=True, eq=False)
class Face:
    """A face in a photo; coordinates in pixels, 0 at the upper left corner of the first."""

    box: tuple[float, float, float, float]
    """Left, top, width and height."""
    landmarks: np.ndarray
    """`[5, 2]` (x, y): left eye, right eye, nose tip, left and right mouth corner, as seen."""
    score: float
    """Certainty of the detector, from 0 to 1."""

    @property
    def eye_distance(self) -> float:
        """In pixels."""
        return float(np.linalg.norm(self.landmarks[1] - self.landmarks[0]))

    @property
    def turn(self) -> float:
        """How far the nose tip is beside the middle of the eyes, in eye distances."""
        left, right, nose = self.landmarks[:3]
        across = (right - left) / max(self.eye_distance, 1e-6)
        return float(abs((nose - (left + right) / 2) @ across) / max(self.eye_distance, 1e-6))


class Detector(Protocol):
    """Finds faces."""

    @property
    def name(self) -> str:
        """What it is called in messages."""
        ...

    def detect(self, pixels: np.ndarray) -> list[Face]:
        """Faces in `[H, W, 3]` uint8 RGB, in any order."""
        ...


def find_faces(detector: Detector, pixels: np.ndarray) -> list[Face]:
    """Faces of a photo from left to right.

    Args:
        detector: Which looks.
        pixels: `[H, W, 3]` uint8 RGB.
    """
    faces = [face for face in detector.detect(pixels) if face.eye_distance > 0]
    return sorted(faces, key=lambda face: face.box[0] + face.box[2] / 2)


def order_of_plausibility(faces: Sequence[Face], height: int, width: int) -> list[int]:
    """Indices of faces, the one that a photo is most probably of first.

    A face counts by the fourth power of its score, which an uncertain one seldom outweighs by size,
    times its eye distance, times how central it is: from 1 in the middle of the photo to a half in
    a corner. Of equals the first comes first.

    Args:
        faces: The faces.
        height: Of the photo, in pixels.
        width: Of the photo, in pixels.
    """
    middle = np.array([width, height]) / 2
    return sorted(range(len(faces)), key=lambda index: -plausibility(faces[index], middle))


def plausibility(face: Face, middle: np.ndarray) -> float:
    """How probable it is that a photo is of a face; see `order_of_plausibility`.

    Args:
        face: In the photo.
        middle: `[2]` (x, y) of the photo, in pixels.
    """
    left, top, across, down = face.box
    distance = np.linalg.norm((left + across / 2, top + down / 2) - middle)
    off_centre = min(float(distance / np.linalg.norm(middle)), 1.0)
    return face.score**4 * face.eye_distance * (1 - off_centre / 2)


def unbiased(landmarks: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """Landmarks without the constant error of a detector.

    Args:
        landmarks: `[5, 2]` (x, y), as a detector gives them.
        bias: `[5, 2]`: its mean error along and across the line of the eyes, in eye distances.

    Returns:
        `[5, 2]`.
    """
    along = landmarks[1] - landmarks[0]
    axes = np.array([along, (-along[1], along[0])])  # [2, 2]: a row for each direction
    corrected: np.ndarray = landmarks - bias @ axes
    return corrected


def suppress_non_maxima(faces: Sequence[Face]) -> list[Face]:
    """Non-maximum suppression, by the part of the smaller box that the other covers, not by IoU.

    Returns:
        By falling score; of two with the same score the first.
    """
    kept: list[Face] = []
    for face in sorted(faces, key=lambda face: -face.score):
        if all(_covered(face.box, other.box) < _SAME for other in kept):
            kept.append(face)
    return kept


@dataclass(frozen=True)
class Doubts:
    """What speaks against editing a face; every line with its number."""

    refusals: tuple[str, ...]
    """Why it is hopeless."""
    warnings: tuple[str, ...]
    """Why it may come out badly."""


def doubts_about(face: Face, crop: np.ndarray, crop_eye_distance: float) -> Doubts:
    """Whether a face is large, frontal, sharp and certain enough.

    Args:
        face: As found in the photo.
        crop: `[S, S, 3]` uint8: the face as the model sees it.
        crop_eye_distance: Of the model's template, in pixels.
    """
    refusals, warnings = [], []
    eyes = face.eye_distance
    if eyes < crop_eye_distance / 2:
        refusals.append(
            f"it is too small: its eyes are {eyes:.0f} pixels apart, at least "
            f"{crop_eye_distance / 2:.0f} are needed"
        )
    elif eyes < crop_eye_distance:
        warnings.append(
            f"it is small: its eyes are {eyes:.0f} pixels apart, and those of the model's faces "
            f"are {crop_eye_distance:.0f} apart"
        )
    if face.turn > _MAX_TURN:
        refusals.append(
            f"it is turned away: its nose is {face.turn:.2f} eye distances off the middle, at most "
            f"{_MAX_TURN:g} will do"
        )
    elif face.turn > _DOUBTFUL_TURN:
        warnings.append(f"it is turned: its nose is {face.turn:.2f} eye distances off the middle")
    blur = sharpness(crop)
    if blur < MIN_SHARPNESS:
        warnings.append(f"it is blurred: sharpness {blur:.4f}, below {MIN_SHARPNESS:g}")
    if face.score < _DOUBTFUL_SCORE:
        warnings.append(f"it may be no face: the detector is {face.score:.2f} certain")
    return Doubts(tuple(refusals), tuple(warnings))


MIN_SHARPNESS = 0.004
"""Below it a face counts as blurred."""


def sharpness(crop: np.ndarray) -> float:
    """Mean squared Laplacian of the grey levels in [0, 1] of `[S, S, 3]` uint8, less at the rim."""
    grey = crop.mean(axis=2) / 255  # [S, S]
    inside = grey[1:-1, 1:-1]
    around = grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:]
    return float(np.square(around - 4 * inside).mean())


def _covered(one: Sequence[float], two: Sequence[float]) -> float:
    """Share of the smaller of two boxes (left, top, width, height) that lies in the other."""
    across = min(one[0] + one[2], two[0] + two[2]) - max(one[0], two[0])
    down = min(one[1] + one[3], two[1] + two[3]) - max(one[1], two[1])
    shared = max(0.0, across) * max(0.0, down)
    return shared / max(min(one[2] * one[3], two[2] * two[3]), 1e-9)


def log_odds(probabilities: np.ndarray) -> np.ndarray:
    """Logarithm of p / (1 - p), between -4 and 6."""
    p = np.clip(probabilities.astype(float), 1e-6, 1 - 1e-6)
    clipped: np.ndarray = np.clip(np.log(p / (1 - p)), -4, 6)
    return clipped
