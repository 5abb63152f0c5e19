"""Any face embedder in an ONNX file (P17)."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import onnxruntime
import torch

from twobirds.atomic import read_json
from twobirds.config import from_dict
from twobirds.data.pack import Landmarks, Pack
from twobirds.errors import InputError
from twobirds.evaluation.alignment import align_faces
from twobirds.evaluation.faces import Progress, batches, resize

_EMBED_BATCH = 32
_CHUNK = 256  # rows of a pack in memory at a time


@dataclass(frozen=True)
class Preprocessing:
    """How an embedder wants its pixels scaled; loaded from EMBEDDER.json beside EMBEDDER.onnx."""

    mean: float = 127.5
    """Subtracted from grey levels 0 to 255."""
    scale: float = 128.0
    """Divides the difference."""
    channels: Literal["RGB", "BGR"] = "RGB"
    """Order of the colours."""


class Embedder:
    """A face embedder in an ONNX file with one float32 image input, NCHW or NHWC."""

    def __init__(self, path: Path, preprocessing: Preprocessing | None = None) -> None:
        """Open a network file.

        Args:
            path: The ONNX file.
            preprocessing: Default: what a JSON file of the same name says, else the defaults.

        Raises:
            InputError: If the file is absent or not ONNX, takes anything but colour images, or
                does not run.
        """
        try:
            content = path.read_bytes()
        except OSError as error:
            raise InputError(f"{path}: cannot be read: {error.strerror}") from error
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4  # only what ends the process: failures raise here
        options.intra_op_num_threads = torch.get_num_threads()
        try:
            self._session = onnxruntime.InferenceSession(
                content, options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # onnxruntime raises classes of its own without a common base
            raise InputError(
                f"{path}: is not a usable ONNX network: {_first_line(error)}"
            ) from error
        self._path = path
        self.name = path.name
        self.sha256 = hashlib.sha256(content).hexdigest()
        self.preprocessing = preprocessing or _load_preprocessing(path.with_suffix(".json"))
        self._set_input()
        black = np.zeros((1, self.height, self.width, 3), np.float32)
        self._run(black.transpose(0, 3, 1, 2) if self._channels_first else black)

    def _set_input(self) -> None:
        """Take name, layout and size of the input from the file; 112x112 where it leaves them."""
        network_input, *others = self._session.get_inputs()
        shape = list(network_input.shape)
        if others:
            raise InputError(f"{self._path}: takes {1 + len(others)} inputs, not images alone")
        if len(shape) != 4 or 3 not in (shape[1], shape[3]):
            raise InputError(
                f"{self._path}: takes {shape}, not images [N, 3, H, W] or [N, H, W, 3]"
            )
        if network_input.type != "tensor(float)":
            raise InputError(f"{self._path}: takes {network_input.type}, not tensor(float)")
        self._input_name = network_input.name
        self._channels_first = shape[1] == 3
        height, width = shape[2:] if self._channels_first else shape[1:3]
        self.height = height if isinstance(height, int) else 112
        self.width = width if isinstance(width, int) else 112
        self._has_fixed_batch = isinstance(shape[0], int)
        self._batch_size = shape[0] if isinstance(shape[0], int) else _EMBED_BATCH

    def embed(self, images: np.ndarray, landmarks: Landmarks | None) -> np.ndarray:
        """Embed faces.

        Args:
            images: `[N, S, S, 3]` uint8 of any size S.
            landmarks: Where they all have theirs, as fractions (x, y); None where unknown.

        Returns:
            `[N, E]` float32 of unit length.

        Raises:
            ValueError: If there are no faces.
            InputError: If the network fails on them.
        """
        if not len(images):
            raise ValueError("no faces to embed")
        aligned = align_faces(images, landmarks, self.height, self.width)
        if self.preprocessing.channels == "BGR":
            aligned = aligned[..., ::-1]
        pixels = (aligned - self.preprocessing.mean) / self.preprocessing.scale
        if self._channels_first:
            pixels = pixels.transpose(0, 3, 1, 2)
        embeddings = np.concatenate([self._run(part) for part in batches(pixels, self._batch_size)])
        lengths = np.linalg.norm(embeddings, axis=1, keepdims=True)
        unit: np.ndarray = embeddings / lengths.clip(1e-12)
        return unit

    def _run(self, pixels: np.ndarray) -> np.ndarray:
        """One batch through the network, filled up where the file fixes the batch size."""
        count = len(pixels)
        if self._has_fixed_batch and count < self._batch_size:
            pixels = np.concatenate([pixels, np.repeat(pixels[-1:], self._batch_size - count, 0)])
        feed = {self._input_name: np.ascontiguousarray(pixels, np.float32)}
        try:
            output = np.asarray(self._session.run(None, feed)[0], np.float32)
            embeddings: np.ndarray = output.reshape(len(pixels), -1)[:count]
        except Exception as error:  # onnxruntime's own classes, as above
            raise InputError(f"{self._path}: cannot embed faces: {_first_line(error)}") from error
        if not np.isfinite(embeddings).all():
            raise InputError(f"{self._path}: its embeddings are not finite")
        return embeddings


class PackEmbeddings:
    """Embeddings of a pack's faces; each face is embedded once, when it is first asked for.

    Args:
        embedder: What embeds.
        pack: Whose faces.
        size: Side in pixels to which the faces are brought first, that of the model.
        progress: Called with the step, the number of faces embedded, and of all.
    """

    def __init__(
        self, embedder: Embedder, pack: Pack, size: int, progress: Progress | None = None
    ) -> None:
        self.embedder, self.pack = embedder, pack
        self._size, self._progress = size, progress
        self._of_row: dict[int, np.ndarray] = {}

    def of(self, rows: np.ndarray) -> np.ndarray:
        """Embeddings `[N, E]` of rows `[N]` of the pack."""
        missing = np.array([row for row in rows.tolist() if row not in self._of_row], np.int64)
        for done, chosen in zip(
            range(0, len(missing), _CHUNK), batches(missing, _CHUNK), strict=True
        ):
            images = resize(self.pack.images[chosen], self._size)
            embeddings = self.embedder.embed(images, self.pack.landmarks)
            self._of_row.update(zip(chosen.tolist(), embeddings, strict=True))
            if self._progress is not None:
                self._progress("embedding faces", done + len(chosen), len(missing))
        return np.stack([self._of_row[row] for row in rows.tolist()])


def _first_line(error: BaseException) -> str:
    """What an error says, in one line."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def _load_preprocessing(path: Path) -> Preprocessing:
    """The preprocessing in a JSON file, or the default where there is none."""
    if not path.exists():
        return Preprocessing()
    return from_dict(Preprocessing, read_json(path), str(path))
