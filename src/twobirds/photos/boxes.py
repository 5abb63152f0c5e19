"""Boxes `[N, 4]` of float: left, top, right, bottom."""

from typing import Any

import cv2
import numpy as np


def moved(boxes: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Boxes `[N, 4]` with their sides moved by fractions `[N, 4]` of width and height."""
    moved: np.ndarray = boxes + offsets * np.tile(boxes[:, 2:] - boxes[:, :2], 2)
    return moved


def squares(boxes: np.ndarray) -> np.ndarray:
    """Boxes `[N, 4]` made squares of their longer sides, with the same centres."""
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    halves = (boxes[:, 2:] - boxes[:, :2]).max(axis=1, keepdims=True) / 2
    return np.hstack([centres - halves, centres + halves])


def suppressed(rows: np.ndarray, scores: np.ndarray, max_iou: float) -> np.ndarray:
    """Non-maximum suppression.

    Args:
        rows: `[N, C]`, which begin with boxes.
        scores: `[N]`.
        max_iou: IoU with a box of a higher score above which a row is dropped.

    Returns:
        `[M, C]`, by falling score.
    """
    boxes: Any = np.hstack([rows[:, :2], rows[:, 2:4] - rows[:, :2]])  # OpenCV's stubs want lists
    certainties: Any = scores.astype(np.float32)
    kept: np.ndarray = rows[np.array(cv2.dnn.NMSBoxes(boxes, certainties, 0.0, max_iou), int)]
    return kept


def extent(box: np.ndarray) -> tuple[float, float, float, float]:
    """Left, top, right and bottom as left, top, width and height."""
    left, top, right, bottom = map(float, box)
    return left, top, right - left, bottom - top
