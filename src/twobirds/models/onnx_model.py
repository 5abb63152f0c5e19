"""A trained model as ONNX files, run by onnxruntime on arrays; needs no PyTorch."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np

from twobirds.atomic import json_sha256, read_json
from twobirds.errors import InputError, missing_extra
from twobirds.machine import num_threads

ONNX_FILE = "onnx.json"
"""What the networks are: the run, sizes and hashes."""
BANK_FILE = "attribute_bank.npy"
NETWORKS = ("recognizer", "encoder", "generator", "editor")
"""Each in a file of its name; `docs/guide/onnx.md` lists inputs and outputs."""
FORMAT = 1


def network_file(network: str) -> str:
    """Name of a network's file."""
    return f"{network}.onnx"


def is_onnx_model(source: str | Path) -> bool:
    """Whether a folder holds a model as ONNX files."""
    return (Path(source) / ONNX_FILE).is_file()


def require_cpu(device: str) -> None:
    """Refuse another device than the CPU by its name, one of auto, cpu, cuda and mps.

    Raises:
        InputError: If it is another.
    """
    if device not in ("auto", "cpu"):
        raise InputError(f"networks in ONNX files run on the CPU: leave out device {device}")


@dataclass(frozen=True, eq=False)
class OnnxModel:
    """The networks of a model; make one with `OnnxModel.load`. Each is opened when it is needed."""

    folder: Path
    content: Mapping[str, Any]
    """Of the file `onnx.json`, verified."""
    _sessions: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def load(cls, folder: str | Path) -> Self:
        """Load what `twobirds export --onnx` wrote; a network's hash is verified as it is opened.

        Raises:
            InputError: If the description is absent, damaged or of a newer version.
        """
        path = Path(folder) / ONNX_FILE
        content = read_json(path)
        if not isinstance(content, dict):
            raise InputError(f"{path}: must be a JSON object")
        if content.pop("onnx_sha256", None) != json_sha256(content):
            raise InputError(f"{path}: is damaged: it does not match its hash")
        if content.get("format") != FORMAT:
            raise InputError(
                f"{path}: has format {content.get('format')}, this version of twobirds reads "
                f"{FORMAT}: export the model again"
            )
        return cls(Path(folder), content)

    @property
    def name(self) -> str:
        """What to call the model in messages."""
        return self.folder.name

    @property
    def attributes(self) -> list[str]:
        """Names of the K attributes, in order."""
        return list(self.content["run"]["data"]["attributes"])

    @property
    def size(self) -> int:
        """Height and width of the images in pixels."""
        return int(self.content["run"]["data"]["size"])

    @property
    def landmarks(self) -> tuple[tuple[float, float], ...] | None:
        """Eyes, nose tip and mouth corners of aligned faces, `DataConfig.landmarks`."""
        points = self.content["run"]["data"]["landmarks"]
        return None if points is None else tuple((float(x), float(y)) for x, y in points)

    @property
    def num_latents(self) -> int:
        """Length of z."""
        return int(self.content["num_latents"])

    @property
    def has_layers(self) -> bool:
        """Whether the editor says what it does in layers."""
        return bool(self.content["has_layers"])

    def recognize(self, pixels: np.ndarray) -> np.ndarray:
        """Probability of each attribute of aligned faces.

        Args:
            pixels: `[B, S, S, 3]` uint8 RGB, of the model's size.

        Returns:
            `[B, K]` float32 in [0, 1].

        Raises:
            InputError: If shape or dtype is another, or the network's file is damaged.
        """
        side = self.size
        if pixels.dtype != np.uint8 or pixels.shape[1:] != (side, side, 3):
            raise InputError(
                f"faces must be uint8 [B, {side}, {side}, 3], not {pixels.dtype} "
                f"{list(pixels.shape)}"
            )
        images = np.ascontiguousarray(pixels.transpose(0, 3, 1, 2), np.float32) / 127.5 - 1
        logits = self.run("recognizer", {"images": images})["attribute_logits"]
        probabilities: np.ndarray = 1 / (1 + np.exp(-logits.clip(-80, 80)))
        return probabilities

    def run(self, network: str, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """One pass of a network.

        Args:
            network: One of `NETWORKS`.
            inputs: float32 arrays by name, of B rows each; those that it does not take are left
                out.

        Returns:
            Its outputs by name, of B rows each.

        Raises:
            InputError: If its file is absent or damaged, or onnxruntime is not installed.
        """
        session = self._session(network)
        taken = {each.name: inputs[each.name] for each in session.get_inputs()}
        count = len(next(iter(taken.values())))
        if not count:  # exported for batches of at least one
            taken = {name: np.zeros((1, *x.shape[1:]), np.float32) for name, x in taken.items()}
        names = [each.name for each in session.get_outputs()]
        outputs = session.run(names, taken)
        return {name: value[:count] for name, value in zip(names, outputs, strict=True)}

    def attribute_bank(self) -> np.ndarray:
        """`[R, K]` uint8 0/1: attribute rows that occur in the training data.

        Raises:
            InputError: If the file is absent or damaged.
        """
        self.verified(BANK_FILE)
        bank: np.ndarray = np.load(self.folder / BANK_FILE, allow_pickle=False)
        return bank

    def verified(self, name: str) -> bytes:
        """The content of a file of the model.

        Raises:
            InputError: If it is absent or not the file that was exported.
        """
        path = self.folder / name
        try:
            content = path.read_bytes()
        except OSError as error:
            raise InputError(f"{path}: cannot be read: {error.strerror}") from error
        if hashlib.sha256(content).hexdigest() != self.content["files"].get(name):
            raise InputError(f"{path}: is damaged or not the file that {ONNX_FILE} describes")
        return content

    def _session(self, network: str) -> Any:
        if network not in self._sessions:
            content = self.verified(network_file(network))
            self._sessions[network] = open_network(content)
        return self._sessions[network]


def open_network(content: bytes) -> Any:
    """An `onnxruntime.InferenceSession` on the CPU.

    Raises:
        InputError: If onnxruntime is not installed.
    """
    try:
        import onnxruntime
    except ModuleNotFoundError as error:
        raise missing_extra("models in ONNX files need", "photos", error) from error
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # failures raise here
    options.intra_op_num_threads = num_threads()
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
