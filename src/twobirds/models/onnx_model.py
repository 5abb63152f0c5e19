"""A trained model as ONNX files, run by onnxruntime on arrays; needs no PyTorch."""

import hashlib
import io
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np

from twobirds.errors import InputError, missing_extra
from twobirds.machine import num_threads
from twobirds.models.onnx_description import (
    BANK_FILE,
    ONNX_FILE,
    OnnxDescription,
    load_description,
    network_file,
)

_OUTPUTS: Mapping[str, tuple[str, ...]] = {
    "recognizer": ("attribute_logits",),
    "encoder": ("latents",),
    "generator": ("images",),
    "editor": ("edited",),
}
_ROWS = 4  # in one pass
LAYER_OUTPUTS = ("flow", "gain", "offset", "paint", "alpha", "strength")
"""Outputs of the editor of a model that has layers."""


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
    description: OnnxDescription
    """Of the file `onnx.json`, checked."""
    _sessions: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def load(cls, folder: str | Path) -> Self:
        """Load what `twobirds export --onnx` wrote; a network's hash is verified as it is opened.

        Raises:
            InputError: If the description is absent, damaged or wrong.
        """
        return cls(Path(folder), load_description(Path(folder) / ONNX_FILE))

    @property
    def name(self) -> str:
        """What to call the model in messages."""
        return self.folder.name

    @property
    def attributes(self) -> list[str]:
        """Names of the K attributes, in order."""
        return list(self.description.config.data.attributes)

    @property
    def size(self) -> int:
        """Height and width of the images in pixels."""
        return self.description.config.data.size

    @property
    def landmarks(self) -> tuple[tuple[float, float], ...] | None:
        """Eyes, nose tip and mouth corners of aligned faces, `DataConfig.landmarks`."""
        return self.description.config.data.landmarks

    @property
    def num_latents(self) -> int:
        """Length of z."""
        return self.description.facts.num_latents

    @property
    def has_layers(self) -> bool:
        """Whether the editor says what it does in layers."""
        return self.description.facts.has_layers

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

    def run(
        self,
        network: str,
        inputs: Mapping[str, np.ndarray],
        outputs: Sequence[str] | None = None,
    ) -> dict[str, np.ndarray]:
        """Run a network, a few rows at a time, side by side on the threads.

        Args:
            network: One of `NETWORKS`.
            inputs: float32 arrays by name, of B rows each; those that it does not take are left
                out.
            outputs: Names of those that are wanted; by default all.

        Returns:
            Its outputs by name, of B rows each.

        Raises:
            InputError: If its file is absent, damaged, no such network or fails on the inputs, or
                onnxruntime is not installed.
        """
        path = self.folder / network_file(network)
        session = self._session(network)
        names = [each.name for each in session.get_inputs()]
        if not names or not set(names) <= set(inputs):
            raise InputError(f"{path}: takes {names}, not some of {sorted(inputs)}")
        taken = {name: inputs[name] for name in names}
        count = len(taken[names[0]])
        if not count:  # exported for batches of at least one
            taken = {name: np.zeros((1, *x.shape[1:]), np.float32) for name, x in taken.items()}
        names = list(outputs or (each.name for each in session.get_outputs()))
        try:
            found = dict(zip(names, _run(session, names, taken), strict=True))
        except Exception as error:  # onnxruntime raises classes of its own without a common base
            raise InputError(f"{path}: cannot be run: {_first_line(error)}") from error
        for name, value in found.items():
            self._require_output(path, name, value, max(count, 1))
        return {name: value[:count] for name, value in found.items()}

    def attribute_bank(self) -> np.ndarray:
        """`[R, K]` uint8 0/1: attribute rows that occur in the training data.

        Raises:
            InputError: If the file is absent, damaged or no such array.
        """
        file, path = io.BytesIO(self.verified(BANK_FILE)), self.folder / BANK_FILE
        try:
            if np.lib.format.read_magic(file) != (1, 0):
                raise ValueError("its version is not 1.0")
            shape, in_columns, dtype = np.lib.format.read_array_header_1_0(file)
        except Exception as error:  # numpy promises no class
            raise InputError(f"{path}: is not a NumPy array: {_first_line(error)}") from error
        values, width = np.frombuffer(file.read(), np.uint8), len(self.attributes)
        if dtype != np.uint8 or in_columns or len(shape) != 2 or shape[1] != width or not shape[0]:
            raise InputError(
                f"{path}: must be uint8 rows of {width} attributes, not {dtype} {list(shape)}"
            )
        if len(values) != shape[0] * width or values.max() > 1:
            raise InputError(f"{path}: must hold {shape[0]} x {width} values 0 or 1")
        return values.reshape(shape).copy()

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
        if hashlib.sha256(content).hexdigest() != self.description.hashes[name]:
            raise InputError(f"{path}: is damaged or not the file that {ONNX_FILE} describes")
        return content

    def check(self) -> None:
        """Verify and open every file of the model; no network is run.

        Raises:
            InputError: If one is absent, damaged or not what its name says.
        """
        for network in _OUTPUTS:
            self._session(network)
        self.attribute_bank()

    def _session(self, network: str) -> Any:
        if network not in self._sessions:
            path = self.folder / network_file(network)
            session = open_network(self.verified(path.name), str(path))
            wanted = _OUTPUTS[network]
            if network == "editor" and self.has_layers:
                wanted += LAYER_OUTPUTS
            missing = sorted({*wanted} - {each.name for each in session.get_outputs()})
            if missing:
                raise InputError(f"{path}: has no output {', '.join(missing)}")
            self._sessions[network] = session
        return self._sessions[network]

    def _require_output(self, path: Path, name: str, value: Any, count: int) -> None:
        """Refuse what is not finite float32 of the output's shape; None stands for any length."""
        image = (3, self.size, self.size)
        shapes: dict[str, tuple[int | None, ...]] = {
            "attribute_logits": (len(self.attributes),),
            "latents": (self.num_latents,),
            "images": image,
            "edited": image,
            "strength": (),
            "flow": (2, None, None),
            "alpha": (1, None, None),
            **dict.fromkeys(("gain", "offset", "paint"), (3, None, None)),
        }
        if not isinstance(value, np.ndarray) or value.dtype != np.float32 or not value.ndim:
            raise InputError(f"{path}: its output {name} must be a float32 array")
        wanted = (count, *shapes.get(name, value.shape[1:]))
        if len(wanted) != value.ndim or any(
            side not in (None, found) for side, found in zip(wanted, value.shape, strict=True)
        ):
            raise InputError(
                f"{path}: its output {name} has shape {list(value.shape)}, not "
                f"{['any' if side is None else side for side in wanted]}"
            )
        if not np.isfinite(value).all():
            raise InputError(f"{path}: its output {name} is not finite")


def open_network(content: bytes, name: str) -> Any:
    """An `onnxruntime.InferenceSession` on the CPU, whose passes take one thread.

    Args:
        content: Of the file; it must hold all weights.
        name: What to call it in messages.

    Raises:
        InputError: If it is no network, or names other files, or onnxruntime is not installed.
    """
    try:
        import onnxruntime
    except ModuleNotFoundError as error:
        raise missing_extra("models in ONNX files need", "onnx", error) from error
    # A tensor in another file names it under this key, in plain bytes. onnxruntime would open it.
    if b"location" in content:
        raise InputError(f"{name}: seems to keep weights in other files: save it as one file")
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # failures raise here
    options.intra_op_num_threads = 1  # threads of one pass cost more than they bring
    options.add_session_config_entry("session.load_model_format", "ONNX")  # not its own format
    try:
        return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime raises classes of its own without a common base
        raise InputError(f"{name}: is not a usable ONNX network: {_first_line(error)}") from error


def _run(session: Any, names: list[str], inputs: Mapping[str, np.ndarray]) -> list[np.ndarray]:
    """Outputs of a network, of at most `_ROWS` rows in a pass: more would leave the caches."""
    import onnxruntime

    count = len(next(iter(inputs.values())))
    options = onnxruntime.RunOptions()
    options.only_execute_path_to_fetches = True  # not what other outputs need

    def run_part(start: int) -> list[np.ndarray]:
        part = {name: rows[start : start + _ROWS] for name, rows in inputs.items()}
        made: list[np.ndarray] = session.run(names, part, options)
        return made

    if count <= _ROWS:
        return run_part(0)

    with ThreadPoolExecutor(num_threads()) as pool:
        parts = list(pool.map(run_part, range(0, count, _ROWS)))
    return [np.concatenate(values) for values in zip(*parts, strict=True)]


def _first_line(error: BaseException) -> str:
    """What an error says, in one line."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]
