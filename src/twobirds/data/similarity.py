"""The similarity transform between two sets of points."""

import numpy as np


def estimate_similarity(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """The rotation, scale and shift that bring points closest to others, by least squares.

    Args:
        source: `[P, 2]` (x, y).
        target: `[P, 2]` (x, y).

    Returns:
        `[2, 3]`: target = A[:, :2] @ source + A[:, 2].
    """
    z, w = source @ [1, 1j], target @ [1, 1j]  # points as complex numbers: w = turn * z + shift
    centred = z - z.mean()
    turn = np.vdot(centred, w - w.mean()) / np.vdot(centred, centred).real
    shift = w.mean() - turn * z.mean()
    return np.array([[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]])


def apply(matrix: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Map points `[..., 2]` (x, y) by a matrix `[2, 3]`."""
    mapped: np.ndarray = points @ matrix[:, :2].T + matrix[:, 2]
    return mapped


def invert(matrix: np.ndarray) -> np.ndarray:
    """The matrix `[2, 3]` of the way back."""
    back = np.linalg.inv(matrix[:, :2])
    return np.hstack([back, (-back @ matrix[:, 2])[:, None]])
