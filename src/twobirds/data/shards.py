"""The images of a pack: one file, or several that are called shards."""

from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Any

import numpy as np

ONE_FILE = "images.npy"
"""Holds the images of a pack that has no shards."""


def shard_file(number: int) -> str:
    """Name of a shard, counted from 0."""
    return f"images-{number:05d}.npy"


class ShardedImages:
    """Images `[N, H, W, 3]` uint8, mapped from the files that hold them one after the other.

    It is indexed like an array along its first axis. What is read is copied into memory; the rest
    stays on disk.

    Args:
        shards: At least one array `[n, H, W, 3]`, mapped.
    """

    dtype = np.dtype(np.uint8)

    def __init__(self, shards: Sequence[np.ndarray]) -> None:
        self._shards = list(shards)
        self._ends = np.array(list(accumulate(len(shard) for shard in shards)))
        self.shape: tuple[int, ...] = (int(self._ends[-1]), *shards[0].shape[1:])

    def __len__(self) -> int:
        return self.shape[0]

    @property
    def nbytes(self) -> int:
        """Size of the images in bytes."""
        return sum(shard.nbytes for shard in self._shards)

    def __getitem__(self, rows: int | slice | Sequence[int] | np.ndarray) -> np.ndarray:
        """Image `[H, W, 3]` of a row, or images `[B, H, W, 3]` of rows in any order.

        Raises:
            IndexError: If there is no such row.
        """
        wanted = np.asarray(np.arange(len(self))[rows] if isinstance(rows, slice) else rows)
        if wanted.dtype == bool:
            raise IndexError("rows must be numbers, not a mask")
        if ((wanted < -len(self)) | (wanted >= len(self))).any():
            raise IndexError(f"rows must lie in [{-len(self)}, {len(self)})")
        images = self._take(np.where(wanted < 0, wanted + len(self), wanted).reshape(-1))
        return images if wanted.ndim else images[0]

    def __iter__(self) -> Iterator[np.ndarray]:
        """Image by image."""
        return (image for shard in self._shards for image in shard)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        """All images in memory."""
        if copy is False:
            raise ValueError("images in several files are no array without a copy")
        return np.concatenate(self._shards, dtype=dtype)

    def _take(self, rows: np.ndarray) -> np.ndarray:
        """Images of rows `[B]`, none of them negative."""
        images = np.empty((len(rows), *self.shape[1:]), np.uint8)
        numbers = np.searchsorted(self._ends, rows, side="right")  # [B] of the shards
        for number in np.unique(numbers):
            shard = self._shards[number]
            here = numbers == number
            images[here] = shard[rows[here] - (self._ends[number] - len(shard))]
        return images


PackImages = np.ndarray | ShardedImages
"""The images of a pack: mapped from one file, or from several."""
