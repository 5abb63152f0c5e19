"""Faces to where a face embedder wants its landmarks."""

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F

from twobirds.data.similarity import estimate_similarity
from twobirds.evaluation.faces import batches, to_tensor

_ARCFACE_SIDE = 112
_ARCFACE_POINTS = np.array(
    [(38.2946, 51.6963), (73.5318, 51.5014), (56.0252, 71.7366), (41.5493, 92.3655),
     (70.7299, 92.2041)]
)  # fmt: skip
"""Eyes, nose tip and mouth corners in a 112x112 input, as ArcFace and its kin are trained."""


def embedder_template(height: int, width: int) -> np.ndarray:
    """Landmarks in an embedder's input of any size, `[5, 2]` (x, y) in pixels.

    ArcFace's points scaled to the height; a narrower input, such as 112x96, is cut on both sides.
    """
    scale = height / _ARCFACE_SIDE
    centre = np.array([_ARCFACE_SIDE / 2, 0.0])
    template: np.ndarray = (_ARCFACE_POINTS - centre) * scale + np.array([width / 2, 0.0])
    return template


def align_faces(
    images: np.ndarray, landmarks: Sequence[Sequence[float]] | None, height: int, width: int
) -> np.ndarray:
    """Warp faces of one template to an embedder's input; without landmarks, resize and crop.

    Args:
        images: `[N, S, S, 3]` uint8.
        landmarks: Five (x, y) as fractions of the image, the same for all; or None.
        height: Of the input, in pixels.
        width: Of the input, in pixels.

    Returns:
        `[N, height, width, 3]` float32 in [0, 255].
    """
    parts = [_align_batch(part, landmarks, height, width) for part in batches(images)]
    return np.concatenate(parts) if parts else np.empty((0, height, width, 3), np.float32)


def _align_batch(
    images: np.ndarray, landmarks: Sequence[Sequence[float]] | None, height: int, width: int
) -> np.ndarray:
    """`align_faces` for one batch."""
    faces = to_tensor(images)
    if landmarks is None:
        side = max(height, width)  # a square first: faces keep their shape
        warped = F.interpolate(faces, (side, side), mode="bicubic", antialias=True)
        top, left = (side - height) // 2, (side - width) // 2
        warped = warped[:, :, top : top + height, left : left + width]
    else:
        matrix = estimate_similarity(np.array(landmarks), embedder_template(height, width))
        side = round(np.hypot(matrix[0, 0], matrix[1, 0]))  # of the whole image in the input
        if side < images.shape[1]:  # shrink with a filter first: sampling alone would alias
            faces = F.interpolate(faces, (side, side), mode="bicubic", antialias=True)
        x, y = np.meshgrid(np.arange(width), np.arange(height))
        pixels = np.stack([x, y], axis=-1) - matrix[:, 2]  # [H, W, 2]
        fractions = pixels @ np.linalg.inv(matrix[:, :2]).T
        grid = torch.from_numpy(2 * fractions - 1).float()
        grid = grid.expand(len(faces), -1, -1, -1)  # [B, H, W, 2]
        warped = F.grid_sample(
            faces, grid, mode="bicubic", padding_mode="border", align_corners=False
        )
    levels = (warped * 127.5 + 127.5).clamp(0, 255)
    return levels.permute(0, 2, 3, 1).contiguous().numpy()
