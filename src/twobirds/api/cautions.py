"""What a model does without an error, and what hardly anyone wants of it."""

import warnings
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from twobirds.config import RunConfig
from twobirds.data.faces import Faces
from twobirds.data.images import is_like_a_photo
from twobirds.errors import InputWarning


def warn_of_photos(faces: Faces, size: int) -> None:
    """Warn of an image that looks like a whole photo, not like an aligned face.

    Args:
        faces: What `to_images` takes.
        size: Height and width that it gets, in pixels.
    """
    for height, width in _sizes(faces):
        if is_like_a_photo(height, width, size):
            warnings.warn(
                f"an image of {width}x{height} pixels is taken for one aligned face, cropped to "
                f"its middle and resized to {size}x{size}: a photo goes through "
                "FaceModel.edit_photo or twobirds.photos, which find its faces",
                InputWarning,
                stacklevel=4,
            )
            return


def warn_of_stage1(config: RunConfig) -> None:
    """Warn of a model whose training has not begun to reconstruct and edit faces.

    Args:
        config: The run, with the images that the weights have seen.
    """
    if getattr(config.recipe, "stage1_share", 0.0) >= 1:
        warnings.warn(
            f"the model has seen {config.train.images:,} images of stage 1 only, which trains "
            "neither reconstruction nor edits: go on training with --resume",
            InputWarning,
            stacklevel=4,
        )


def _sizes(faces: Faces) -> Iterator[tuple[int, int]]:
    """Height and width of each image, or once those of all."""
    if isinstance(faces, Image.Image):
        yield faces.height, faces.width
    elif isinstance(faces, Sequence):
        yield from ((face.height, face.width) for face in faces)
    elif isinstance(faces, np.ndarray) or faces.dtype == torch.uint8:
        yield faces.shape[1], faces.shape[2]
    elif isinstance(faces, Tensor):
        yield faces.shape[2], faces.shape[3]
