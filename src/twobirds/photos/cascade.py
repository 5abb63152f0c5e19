"""The fallback detector: scikit-image's cascade of local binary patterns, for frontal faces."""

import numpy as np
from PIL import Image
from skimage.data import lbp_frontal_face_cascade_filename
from skimage.feature import Cascade

from twobirds.photos.faces import SAME, Face, overlap
from twobirds.photos.landmarks import refine_landmarks

_VIEWS = (320, 640)  # longest side of the photo when searched; the second for small faces
_LEAST = 24  # pixels, of a face there: what the cascade was trained on
_EYES_IN_BOX = (0.27, 0.55)  # distances, in widths of the box, of what is a face: 0.39 on average
_SCORE = 0.7  # the cascade gives none
_LANDMARKS = np.array([(0.309, 0.378), (0.7, 0.378), (0.5, 0.62), (0.328, 0.786), (0.675, 0.786)])
"""Where the landmarks lie in its boxes, on average; measured on aligned faces of CelebA."""


class FrontalCascade:
    """Finds upright frontal faces; a small network of ours finds their landmarks."""

    name = "scikit-image's frontal-face cascade"

    def __init__(self) -> None:
        self._cascade = Cascade(lbp_frontal_face_cascade_filename())

    def detect(self, pixels: np.ndarray) -> list[Face]:
        """Faces in `[H, W, 3]` uint8 RGB."""
        for side in _VIEWS:
            found = self._look(pixels, side)
            if found:
                return found
        return []

    def _look(self, pixels: np.ndarray, side: int) -> list[Face]:
        """Search with the longer side at `side` pixels."""
        height, width = pixels.shape[:2]
        scale = side / max(height, width)
        size = (max(_LEAST, round(width * scale)), max(_LEAST, round(height * scale)))
        seen = Image.fromarray(pixels).convert("L").resize(size, Image.Resampling.BILINEAR)
        boxes = self._cascade.detect_multi_scale(
            np.asarray(seen),
            scale_factor=1.15,
            step_ratio=1.0,
            min_size=(_LEAST, _LEAST),
            max_size=(min(size), min(size)),
        )
        parts = np.array([[b["c"], b["r"], b["width"], b["height"]] for b in boxes], float)
        scales = np.tile(np.array([width, height]) / size, 2)
        found = (_face(box, pixels) for box in _merged(parts.reshape(-1, 4) * scales))
        return [face for face in found if face is not None]


def _merged(boxes: np.ndarray) -> list[np.ndarray]:
    """Mean boxes `[4]` of those `[N, 4]` that overlap: the cascade answers several times."""
    groups: list[list[np.ndarray]] = []
    for box in sorted(boxes, key=lambda box: -float(box[2])):
        for group in groups:
            if overlap(np.mean(group, axis=0), box) >= SAME:
                group.append(box)
                break
        else:
            groups.append([box])
    return [np.mean(group, axis=0) for group in groups]


def _face(box: np.ndarray, pixels: np.ndarray) -> Face | None:
    left, top, width, height = map(float, box)
    landmarks = refine_landmarks(pixels, box[:2] + _LANDMARKS * box[2:])
    if landmarks is None:
        return None
    face = Face((left, top, width, height), landmarks, _SCORE, is_exact=False)
    least, most = _EYES_IN_BOX
    return face if least < face.eye_distance / width < most else None
