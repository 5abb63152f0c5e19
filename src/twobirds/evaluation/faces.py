"""The faces and the model that an evaluation works on."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, Self

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from twobirds.data.faces import from_pixels, to_pixels
from twobirds.data.pack import Pack
from twobirds.errors import InputError

BATCH_SIZE = 64
"""Faces that are taken at a time."""
Progress = Callable[[str, int, int], None]
"""Called with what is being done, how many of it are done, and of how many."""


class Decoder(Protocol):
    """What generates faces from latents and attributes."""

    @property
    def num_latents(self) -> int:
        """Length of a latent."""
        ...

    @property
    def device(self) -> torch.device:
        """Where it computes."""
        ...

    def decode(self, latents: Tensor, attributes: Tensor) -> Tensor:
        """Generate `[B, 3, H, W]` from latents `[B, Z]` and attributes `[B, K]`."""
        ...


class EncodedFaces(Protocol):
    """B faces that a model has encoded once."""

    @property
    def attributes(self) -> Tensor:
        """Predicted probabilities `[B, K]`."""
        ...

    def select(self, indices: Sequence[int]) -> Self:
        """Some of the faces, their indices in ascending order."""
        ...

    def reconstruct(self, *, device: torch.device) -> Tensor:
        """Reconstruct the faces `[B, 3, H, W]` from their latents alone."""
        ...

    def edit(self, changes: Mapping[str, float], *, device: torch.device) -> Tensor:
        """Change some attributes of the faces; `[B, 3, H, W]`."""
        ...


class EvaluatedModel(Decoder, Protocol):
    """What an evaluation needs of a model; `twobirds.api.FaceModel` has it."""

    @property
    def name(self) -> str:
        """What to call it in the report."""
        ...

    @property
    def attributes(self) -> Sequence[str]:
        """The K names, in order."""
        ...

    @property
    def size(self) -> int:
        """Height and width of its images in pixels."""
        ...

    @property
    def config(self) -> Any:
        """Its `RunConfig`."""
        ...

    @property
    def weights_sha256(self) -> str:
        """Hash of its weights file."""
        ...

    @property
    def pack_sha256(self) -> str | None:
        """Hash of the pack it was trained on; None where that is not known."""
        ...

    def encode_faces(self, faces: Tensor) -> EncodedFaces:
        """Encode faces `[B, 3, H, W]` in [-1, 1]."""
        ...


@dataclass(frozen=True, eq=False)
class FaceSet:
    """N faces of a pack at a model's size, with a model's K attributes in its order."""

    images: np.ndarray
    """`[N, H, W, 3]` uint8 RGB."""
    attributes: np.ndarray
    """`[N, K]` uint8 0/1."""
    rows: np.ndarray
    """`[N]` int64, where they lie in the pack."""

    def __len__(self) -> int:
        return len(self.images)


def load_faces(pack: Pack, rows: np.ndarray, model: EvaluatedModel) -> FaceSet:
    """Take rows of a pack, resampled to the model's size where that differs.

    Args:
        pack: Where from.
        rows: `[N]` int64.
        model: Its size and attributes are wanted.

    Raises:
        InputError: If the pack lacks an attribute of the model.
    """
    return FaceSet(
        images=resize(pack.images[rows], model.size),
        attributes=pack.attributes[rows][:, attribute_columns(pack, model)],
        rows=rows,
    )


def attribute_columns(pack: Pack, model: EvaluatedModel) -> np.ndarray:
    """Columns of the pack's attributes in the model's order, `[K]` int64.

    Raises:
        InputError: If the pack lacks an attribute of the model.
    """
    missing = [name for name in model.attributes if name not in pack.attribute_names]
    if missing:
        more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
        raise InputError(
            f"the pack {pack.path} has no attribute {', '.join(missing[:3])}{more}, which the "
            f"model {model.name} knows: evaluate on a pack with the attributes of its training"
        )
    return np.array([pack.attribute_names.index(name) for name in model.attributes], np.int64)


def to_tensor(images: np.ndarray, device: torch.device | None = None) -> Tensor:
    """Turn `[B, H, W, 3]` uint8 into `[B, 3, H, W]` float32 in [-1, 1]."""
    return from_pixels(torch.from_numpy(np.array(images)).to(device))


def resize(images: np.ndarray, size: int) -> np.ndarray:
    """Resample `[N, H, W, 3]` uint8 to `[N, size, size, 3]` with an antialiasing filter."""
    if images.shape[1:3] == (size, size):
        return np.array(images)
    resized = [
        to_pixels(F.interpolate(to_tensor(part), (size, size), mode="bicubic", antialias=True))
        for part in batches(images)
    ]
    return np.concatenate(resized)


def batches(images: np.ndarray, batch_size: int = BATCH_SIZE) -> Iterator[np.ndarray]:
    """Cut the first axis into parts of at most `batch_size`."""
    for start in range(0, len(images), batch_size):
        yield images[start : start + batch_size]


def map_faces(
    function: Callable[[Tensor], Tensor], images: np.ndarray, device: torch.device
) -> np.ndarray:
    """Send faces through a model batch by batch, faces out, as saved pictures.

    Args:
        function: From and to `[B, 3, H, W]` in [-1, 1].
        images: `[N, H, W, 3]` uint8.
        device: Where `function` computes.

    Returns:
        `[N, H, W, 3]` uint8.
    """
    with torch.inference_mode():
        parts = [to_pixels(function(to_tensor(part, device))) for part in batches(images)]
    return np.concatenate(parts) if parts else np.array(images)
