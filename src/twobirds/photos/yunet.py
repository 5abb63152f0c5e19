"""YuNet, the face detector with five landmarks (Wu et al., 2023), through OpenCV."""

import threading
from pathlib import Path

import cv2
import numpy as np

from twobirds.errors import InputError
from twobirds.photos.faces import Face, suppress_non_maxima, unbiased

_MIN_SCORE, _OVERLAP = 0.75, 0.3  # of a detection; IoU of two that are one
_SIDE = 640  # of the square it sees, the only one that the file of 2023 takes in OpenCV 5
_VIEWS = (520, 240)  # longest side of the photo in it; large faces are found small only
_TILES = 2  # rows and columns of overlapping tiles, for small faces
_TILE_OVERLAP = 0.2  # of the photo
BIAS = np.array([(-1, -13), (-34, -20), (-11, -52), (2, -54), (-19, -59)]) / 1000
"""`[5, 2]`: median error of the landmarks, in eye distances; from `benchmarks/detectors.py`."""


class YuNet:
    """A YuNet file, ready for use.

    Args:
        path: The ONNX file.

    Raises:
        InputError: If it cannot be read or does not run.
    """

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise InputError(f"the detector {path} is not a file")
        cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_ERROR)  # it warns of itself
        try:
            self._lock = threading.Lock()  # the network keeps the size and results of a call
            self._network = cv2.FaceDetectorYN.create(
                str(path), "", (_SIDE, _SIDE), _MIN_SCORE, _OVERLAP
            )
            self._network.detect(np.zeros((_SIDE, _SIDE, 3), np.uint8))
        except cv2.error as error:
            raise InputError(f"{path}: is not a YuNet network: {_in_a_line(error)}") from error
        self.name = f"YuNet ({path.name})"

    def detect(self, pixels: np.ndarray) -> list[Face]:
        """Faces in `[H, W, 3]` uint8 RGB: in the whole, else smaller, else in tiles."""
        image = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)
        for side in _VIEWS:
            found = self._look(image, side, np.zeros(2))
            if found:
                return found
        found = []
        height, width = image.shape[:2]
        part = (1 + _TILE_OVERLAP) / _TILES
        for row in range(_TILES):
            for column in range(_TILES):
                top = round(row * (1 - part) * height)
                left = round(column * (1 - part) * width)
                tile = image[top : top + round(part * height), left : left + round(part * width)]
                found += self._look(tile, _VIEWS[0], np.array([left, top], float))
        return suppress_non_maxima(found)

    def _look(self, image: np.ndarray, side: int, origin: np.ndarray) -> list[Face]:
        """Detect with the longer side of `[H, W, 3]` uint8 BGR at `side` pixels; adds `origin`."""
        height, width = image.shape[:2]
        scale = side / max(height, width)
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        shrinks = scale < 1
        seen = cv2.resize(image, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC)
        # A grey rim on all sides: faces at the edge of a photo are found as well.
        left, top = (_SIDE - size[0]) // 2, (_SIDE - size[1]) // 2
        square = np.full((_SIDE, _SIDE, 3), 127, np.uint8)
        square[top : top + size[1], left : left + size[0]] = seen
        with self._lock:
            _, rows = self._network.detect(square)
        scales = np.array(size) / (width, height)
        faces = []
        for row in () if rows is None else rows:
            points = (row[:14].reshape(7, 2) - (left, top)) / scales  # corner, size, landmarks
            corner, extent = points[0], row[2:4] / scales
            x, y, across, down = map(float, (*(corner + origin), *extent))
            landmarks = unbiased(points[2:] + origin, BIAS)
            faces.append(Face((x, y, across, down), landmarks, float(row[14])))
        return faces


def _in_a_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
